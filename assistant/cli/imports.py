"""`imprint import`: conversations into the store, an adapter of PEFT into the registry."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from assistant.cli.options import workspace_of
from assistant.cli.output import busy, emit, json_option
from assistant.errors import AssistantError
from assistant.history import transfer
from assistant.workspace import Workspace


@click.command("import", epilog="Example: imprint import ~/Downloads/conversations.json")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, path_type=Path)
)
@click.option("--name", help="The checkpoint's name, when FILE is the folder of a PEFT adapter.")
@json_option
@workspace_of
def import_(workspace: Workspace, files: tuple[Path, ...], name: str | None, as_json: bool) -> None:
    """Read conversations, or a PEFT adapter's folder.

    The format is recognised by the content: OpenAI chat JSONL, ChatGPT's conversations.json, ShareGPT, Alpaca,
    ChatGLM and Imprint's own formats.
    """
    with busy("Reading…"):
        entries = [import_path(workspace, file, name) for file in files]
    if as_json:
        emit({"files": entries})
        return
    for entry in entries:
        if "checkpoint" in entry:
            click.echo(f"{entry['path']}: checkpoint {entry['checkpoint']} ({entry['format']})")
        else:
            left = f", {entry['skipped']} skipped" if entry["skipped"] else ""
            click.echo(f"{entry['path']}: {entry['conversations']} conversations ({entry['format']}{left})")


def import_path(workspace: Workspace, path: Path, name: str | None = None) -> dict[str, Any]:
    """Import one file or adapter folder. Returns what the JSON says of it; raises TuningError where it is neither."""
    if path.is_dir():
        return _adapter(workspace, path, name)
    own = _own_conversation(path)
    if own is not None:
        kept = transfer.import_json(workspace.store, own, source=str(path))
        return _entry(workspace, path, "imprint conversation", [kept])
    from tuning.data.importers import import_file

    result = import_file(path)
    ids = [
        transfer.import_conversation(workspace.store, replace(conversation, source=str(path)))
        for conversation in result.conversations
    ]
    return _entry(workspace, path, result.format, ids, result.skipped)


def _own_conversation(path: Path) -> str | None:
    """The text of a conversation that Imprint exported, with its ratings; None for other files."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        record = json.loads(text)
    except ValueError:  # not UTF-8, or not one JSON document: some other format
        return None
    messages = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(messages, list):
        return None
    keys = {key for message in messages if isinstance(message, dict) for key in message}
    is_own = bool(keys & {"rating", "correction"}) or record.get("format") == "imprint-conversation"
    return text if is_own else None


def _entry(workspace: Workspace, path: Path, form: str, ids: list[int], skipped: int = 0) -> dict[str, Any]:
    kept = [workspace.store.get(one) for one in ids]
    return {
        "path": str(path),
        "format": form,
        "conversations": len(kept),
        "messages": sum(len(conversation.messages) for conversation in kept),
        "skipped": skipped,
        "ids": ids,
        "titles": [conversation.title for conversation in kept],
    }


def _adapter(workspace: Workspace, folder: Path, name: str | None) -> dict[str, Any]:
    if not (folder / "adapter_config.json").is_file():
        raise AssistantError(
            f"{folder} is a folder without an adapter_config.json. Give a PEFT adapter's folder, or files."
        )
    name = name or folder.resolve().name
    from tuning.checkpoints.import_peft import import_peft  # heavy: torch, peft

    checkpoint = import_peft(workspace.registry, folder, name, workspace.base())
    return {"path": str(folder), "format": "peft", "checkpoint": checkpoint.name, "method": checkpoint.method}
