"""What became of documents since they were indexed: told by looking at their files, never by reading them."""

from pathlib import Path
from typing import Literal

from knowledge.catalogue import DocumentInfo
from knowledge.web import is_url

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
