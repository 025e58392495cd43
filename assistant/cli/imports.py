"""Files from elsewhere into the home: conversations into the store, a foreign adapter into the registry."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError
from assistant.history import transfer
from assistant.workspace import Workspace


def import_path(workspace: Workspace, path: Path, name: str | None = None) -> dict[str, Any]:
    """Read one file or adapter folder. Returns what was found; raises TuningError where it is neither."""
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
    """The text of a conversation as Imprint exports it, with its ratings; None for other files."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        record = json.loads(text)
    except ValueError:  # not UTF-8, or not one JSON document: some other format
        return None
    messages = record.get("messages") if isinstance(record, dict) else None
    if not isinstance(messages, list):
        return None
    marks = {key for message in messages if isinstance(message, dict) for key in message}
    is_own = bool(marks & {"rating", "correction"}) or record.get("format") == "imprint-conversation"
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
