"""What a knowledge base may be called, and its files under another name. It opens no index."""

import re
from dataclasses import replace
from pathlib import Path

from knowledge.errors import StoreError
from knowledge.index.passage_store import PassageStore
from knowledge.ingest.document import document_id

_NAME = re.compile(r"[\w][\w .-]{0,62}")


def check_name(name: str) -> None:
    """Raise StoreError for what is no name."""
    if not _NAME.fullmatch(name):
        raise StoreError(
            f"A knowledge base cannot be called {name!r}; use letters, digits, spaces, dots and dashes"
        )


def check_free(folder: Path, name: str) -> None:
    """Raise StoreError where the name is none, or another knowledge base has it; file systems may ignore case."""
    check_name(name)
    taken = {path.stem.casefold(): path.stem for path in folder.glob("*.sqlite3")}
    if name.casefold() in taken:
        raise StoreError(
            f"A knowledge base {taken[name.casefold()]!r} exists already; choose another name than {name!r}"
        )


def move_uploads(store: PassageStore, old: Path, new: Path) -> None:
    """Move the folder of the uploads; their documents are known by the new paths, and their passages stay."""
    if not old.is_dir():
        return
    new.parent.mkdir(parents=True, exist_ok=True)
    old.rename(new)
    for info in store.documents():
        if Path(info.path).parent == old:
            path = str(new / Path(info.path).name)
            store.rename(info.id, replace(info, id=document_id(path), path=path))


def move_index(folder: Path, old: str, new: str) -> None:
    """Move the closed catalogue of passages, with what SQLite left beside it."""
    for ending in ("-wal", "-shm", ""):  # the file itself last: a name with a file is a knowledge base
        source = folder / f"{old}.sqlite3{ending}"
        if source.exists():
            source.rename(folder / f"{new}.sqlite3{ending}")
