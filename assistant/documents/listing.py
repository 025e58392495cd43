"""The documents of a knowledge base as a person knows them: by their names, and by what became of their files
since they were indexed, which is told by looking at the files and never by reading them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Literal

from assistant.errors import AssistantError
from knowledge.index.passage_store import DocumentInfo
from knowledge.ingest.fetch import is_url, name_of

# In order, partly: some pages could not be read; changed: the file is newer; gone: there is no file any more.
State = Literal["ready", "partly", "changed", "gone"]


def state_of(info: DocumentInfo) -> State:
    """Whether a document still says what its file says."""
    path = Path(info.path)
    if path.is_absolute():  # an address, or a text that a program gave, has no file
        if not path.is_file():
            return "gone"
        if path.stat().st_mtime > info.indexed:
            return "changed"
    return "partly" if info.notes else "ready"


def can_be_read_again(info: DocumentInfo) -> bool:
    """Whether there is a file or an address to read it from."""
    return is_url(info.path) or Path(info.path).is_file()


def labels(documents: Sequence[DocumentInfo]) -> dict[str, str]:
    """A name for each document id; where several have the same, their folders tell them apart."""
    names = {info.id: name_of(info.path) for info in documents}
    shared = Counter(names.values())
    return {
        info.id: names[info.id]
        if shared[names[info.id]] == 1
        else f"{PurePath(info.path).parent.name}/{names[info.id]}"
        for info in documents
    }


def named(documents: Sequence[DocumentInfo], names: Sequence[str]) -> list[DocumentInfo]:
    """The documents of these paths, addresses or file names; of one name there may be several.

    Raises AssistantError for a name that none of them has.
    """
    found: dict[str, DocumentInfo] = {}
    for name in names:
        exact = [info for info in documents if info.path in (name, str(Path(name).absolute()))]
        matching = exact or [info for info in documents if name_of(info.path) == name_of(name)]
        if not matching:
            there = ", ".join(name_of(info.path) for info in documents) or "none yet"
            raise AssistantError(f"The knowledge base holds no document {name!r}. There are: {there}.")
        found.update({info.id: info for info in matching})
    return list(found.values())
