"""`imprint import`: conversations into the store, an adapter of PEFT into the registry."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import workspace_of
from assistant.cli.output import busy, emit, json_option, say
from assistant.errors import KNOWN_ERRORS, sentence_of
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.history.importing import Imported
    from tuning.data.complaints import LeftOut
    from tuning.data.importers import ImportResult

_OWN_FORMAT = {"imprint-chat": "imprint conversation"}
_SHOWN = 10  # of what was left out; --json lists all


@click.command("import", epilog="Example: imprint import ~/Downloads/conversations.json")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, path_type=Path)
)
@click.option("--name", help="The checkpoint's name, when FILE is the folder of a PEFT adapter.")
@click.option(
    "--same-base",
    is_flag=True,
    help="The adapter's base has another name, and is the same model as the one in use.",
)
@json_option
@workspace_of
def import_(
    workspace: Workspace, files: tuple[Path, ...], name: str | None, same_base: bool, as_json: bool
) -> None:
    """Read conversations, or a PEFT adapter's folder.

    The format is recognised by the content: OpenAI chat JSONL, ChatGPT's conversations.json or the archive it
    comes in, Claude's, Open WebUI's, LibreChat's, Gemini, LangChain's messages, ShareGPT, Alpaca, ChatML, ChatGLM,
    preferences (DPO, KTO, HH), Parquet, the folders of data sets, and Imprint's own formats. An answer that a file
    marks as bad is kept as a disliked one. Each file is stored whole or not at all; conversations that are there
    already are not stored twice, and a broken one is left out and named.
    """
    with busy("Reading…"):
        entries = [_attempt(workspace, file, name, same_base, alone=len(files) == 1) for file in files]
    if as_json:
        emit({"files": entries})
    else:
        for entry in entries:
            _show(entry)
    if any("error" in entry for entry in entries):
        click.get_current_context().exit(1)


def import_path(
    workspace: Workspace, path: Path, name: str | None = None, *, same_base: bool = False
) -> dict[str, Any]:
    """Import one file or adapter folder. Returns what the JSON says of it; raises TuningError where it is neither."""
    if (path / "adapter_config.json").is_file():
        return _adapter(workspace, path, name, same_base)
    from assistant.history.chat_files import import_chat_file  # here: nothing is read before it is needed

    read = import_chat_file(workspace.store, path)
    return _entry(workspace, read.result, read.kept, read.left_out)


def _attempt(
    workspace: Workspace, path: Path, name: str | None, same_base: bool, *, alone: bool
) -> dict[str, Any]:
    """The entry of a file; of several files, one that fails keeps no other out."""
    try:
        return import_path(workspace, path, name, same_base=same_base)
    except KNOWN_ERRORS as error:
        if alone:
            raise
        return {"path": str(path), "error": sentence_of(error)}


def _show(entry: dict[str, Any]) -> None:
    if "error" in entry:
        say(f"{entry['path']}: {entry['error']}")
        return
    if "checkpoint" in entry:
        click.echo(f"{entry['path']}: checkpoint {entry['checkpoint']} ({entry['format']})")
        return
    left_out = entry["left_out"]
    counts = [f"{word} {entry[word]:,}" for word in ("imported", "updated", "skipped")]
    click.echo(f"{entry['path']}: {', '.join(counts)}, left out {len(left_out):,} ({entry['format']})")
    for note in entry["notes"]:
        say(f"  {note}")
    for one in left_out[:_SHOWN]:
        say(f"  left out: {one['place']}: {one['reason']}")
    if len(left_out) > _SHOWN:
        say(f"  and {len(left_out) - _SHOWN:,} more; --json lists all.")


def _entry(
    workspace: Workspace, result: "ImportResult", kept: "Sequence[Imported]", left_out: "Sequence[LeftOut]"
) -> dict[str, Any]:
    ids = list(dict.fromkeys(one.id for one in kept))
    stored = [workspace.store.get(one) for one in ids]
    counts = Counter(one.status for one in kept)
    return {
        "path": str(result.path),
        "format": _OWN_FORMAT.get(result.format, result.format),
        "conversations": len(stored),
        "messages": sum(len(conversation.messages) for conversation in stored),
        "imported": counts["imported"],
        "updated": counts["updated"],
        "skipped": counts["skipped"] + len(left_out),  # there already, or not to be read
        "left_out": [{"place": one.place, "reason": one.reason} for one in left_out],
        "notes": list(result.notes),
        "ids": ids,
        "titles": [conversation.title for conversation in stored],
    }


def _adapter(workspace: Workspace, folder: Path, name: str | None, same_base: bool) -> dict[str, Any]:
    name = name or folder.resolve().name
    from tuning.checkpoints.import_peft import import_peft  # heavy: torch, peft

    checkpoint = import_peft(workspace.registry, folder, name, workspace.base(), other_base=same_base)
    return {"path": str(folder), "format": "peft", "checkpoint": checkpoint.name, "method": checkpoint.method}
