"""The documents of a knowledge base for a list of them: their names, and whether their files changed since.

It looks at the files' times and reads none of them.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Literal

from assistant.errors import AssistantError
from knowledge.index.records import DocumentInfo
from knowledge.ingest.fetch import is_url, name_of

# partly: some pages could not be read; changed: the file is newer than the index; gone: it was deleted.
DocumentState = Literal["ready", "partly", "changed", "gone"]


def state_of(info: DocumentInfo) -> DocumentState:
    """How a document stands to the file that it was read from."""
    path = Path(info.path)
    if path.is_absolute():  # an address, and a text given by a program, have no file
        if not path.is_file():
            return "gone"
        if path.stat().st_mtime > info.indexed:
            return "changed"
    return "partly" if info.notes else "ready"


def can_reindex(info: DocumentInfo) -> bool:
    """Whether its file or address is there to be read again."""
    return is_url(info.path) or Path(info.path).is_file()


def labels(documents: Sequence[DocumentInfo]) -> dict[str, str]:
    """Document id → name to show; where several have the same name, with the folder in front."""
    names = {info.id: name_of(info.path) for info in documents}
    shared = Counter(names.values())
    return {
        info.id: names[info.id]
        if shared[names[info.id]] == 1
        else f"{PurePath(info.path).parent.name}/{names[info.id]}"
        for info in documents
    }


def find_documents(documents: Sequence[DocumentInfo], names: Sequence[str]) -> list[DocumentInfo]:
    """The documents with these paths, addresses or file names; a file name may stand for several.

    Raises AssistantError for a name that no document has.
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
