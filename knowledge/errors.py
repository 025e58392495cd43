"""What can go wrong in the knowledge base, as one tree.

KnowledgeError
├── DocumentError              a file, upload or address that cannot be read; the others go on
│   └── PasswordNeededError    it is encrypted: ask for its password and try again
└── StoreError                 the index itself
    ├── IndexBusyError         another process holds the index; the message names it
    └── EmbeddingChangedError  the index was made with another embedding model: rebuild it
"""

import errno
import shutil
import sqlite3
from pathlib import Path

MEND = "`imprint doctor --mend` saves what it can, and `imprint restore FILE` brings a backup back."
FULL = "the disk is full. Free some space and try again; nothing that was kept is lost."
_LEAST_BYTES = 128 << 10  # with less free, SQLite cannot make the files beside a database
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


class KnowledgeError(Exception):
    """Anything the knowledge base refuses, in one sentence that a person can act on."""


class DocumentError(KnowledgeError):
    """One document cannot be read; the message says which, why, and what would help."""


class PasswordNeededError(DocumentError):
    """The document is encrypted and the password is missing or wrong."""


class StoreError(KnowledgeError):
    """The index cannot be opened or used."""


class IndexBusyError(StoreError):
    """Another process has the index open."""


class EmbeddingChangedError(StoreError):
    """The index holds vectors of another embedding model."""


def is_full(path: Path) -> bool:
    """Whether the disk that holds the file or folder, or would hold it, has no room left."""
    existing = next((one for one in (path, *path.parents) if one.exists()), Path())
    try:
        return shutil.disk_usage(existing).free < _LEAST_BYTES
    except OSError:
        return False


def database_problem(error: Exception, path: Path) -> str:
    """What is the matter with a SQLite file, and what to do, as the rest of a sentence."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the higher bits are details
    if code == sqlite3.SQLITE_FULL or (
        code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and is_full(path)
    ):
        return FULL
    if code in _UNWRITABLE:
        return (
            f"it is not writable, or its disk is read-only ({error}). Make it writable, or choose another folder "
            "with IMPRINT_HOME."
        )
    if code in _BUSY:
        return f"another program is writing to it ({error}). Try again in a moment, or close that program."
    if code == sqlite3.SQLITE_IOERR:
        return f"its disk failed ({error}). Check the disk and its free space, then try again."
    return f"it is damaged or not what was expected ({error}). {MEND}"


def disk_problem(error: OSError) -> str:
    """An error of the operating system as one sentence: what is the matter with which file, and what to do."""
    what = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{what}{FULL}"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            f"{what}it cannot be written or read ({error.strerror}). Make it accessible, or choose another folder "
            "with IMPRINT_HOME; nothing was lost."
        )
    if error.errno == errno.EIO:
        return f"{what}the disk failed ({error.strerror}). Check the disk. {MEND}"
    return f"{what}{error.strerror or error}. Nothing was lost; mend it and try again."
