"""What an `add` or a `rebuild` reports while it runs and at its end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DocumentReport:
    """What became of one file."""

    path: str
    status: str  # added, updated, unchanged, renamed, removed, failed
    passages: int = 0
    error: str = ""
    seconds: float = 0.0
    document_id: str = ""
    notes: tuple[str, ...] = ()
    locked: bool = False  # it failed for want of the right password: ask for it and add it again


@dataclass(frozen=True)
class IndexProgress:
    """How far an `add` or a `rebuild` is."""

    share: float  # 0 to 1
    seconds_left: float | None
    path: str
    phase: str  # "reading" or "embedding"
