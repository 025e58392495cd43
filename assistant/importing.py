"""Files from elsewhere into the home: conversations into the store, a foreign adapter into the registry."""

from pathlib import Path
from typing import Any

from assistant.errors import AssistantError
from assistant.workspace import Workspace


def bring_in(workspace: Workspace, path: Path, name: str | None = None) -> dict[str, Any]:
    """Read one file or adapter folder. Returns what was found; raises TuningError where it is neither."""
    if path.is_dir():
        return _adapter(workspace, path, name)
    from tuning.importers import import_file

    result = import_file(path)
    ids = []
    for conversation in result.conversations:
        kept = workspace.store.create(conversation.title, source=str(path), created=conversation.created)
        for message in conversation.messages:
            workspace.store.add_message(kept, message["role"], message["content"], created=conversation.created)
        ids.append(kept)
    return {
        "path": str(path),
        "format": result.format,
        "conversations": len(ids),
        "messages": sum(len(conversation.messages) for conversation in result.conversations),
        "skipped": result.skipped,
        "ids": ids,
    }


def _adapter(workspace: Workspace, folder: Path, name: str | None) -> dict[str, Any]:
    if not (folder / "adapter_config.json").is_file():
        raise AssistantError(
            f"{folder} is a folder without an adapter_config.json. Give the folder of a PEFT adapter, or files."
        )
    checkpoint = workspace.registry.import_peft(folder, name or folder.resolve().name)
    return {"path": str(folder), "format": "peft", "checkpoint": checkpoint.name, "method": checkpoint.method}
