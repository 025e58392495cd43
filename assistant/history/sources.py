"""A passage that an answer was given: retrieved as a LangChain document, shown on a page, stored as JSON."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tuning.data.storable import storable

# The `document_id` of a note: taught by a person, and quoted as it stands.
NOTE = "note"
# The `document_id` of a file that was attached to the question.
ATTACHED = "attached"


@dataclass(frozen=True)
class Source:
    """One passage with its place; the fields are the keys of its JSON."""

    # Its place among the passages of the turn, from 1: what "[2]" in an answer means.
    number: int = 0
    text: str = ""
    # The path or address of the document.
    source: str = ""
    title: str = ""
    # From 1; None where the format has no pages.
    page: int | None = None
    # The headings above it, outermost first.
    headings: tuple[str, ...] = ()
    # Where it stands in the document's text, in characters.
    start: int | None = None
    end: int | None = None
    # How relevant the search found it; None for a passage that was not searched for.
    score: float | None = None
    passage_id: str = ""
    document_id: str = ""
    # Other documents that hold the same passage.
    also: tuple[str, ...] = ()
    # What the prompt quoted of it; "" where that was all of it.
    quoted: str = ""

    @property
    def sent(self) -> str:
        """The very text that the model read."""
        return self.quoted or self.text

    @property
    def is_note(self) -> bool:
        """Whether it is a note and no passage of a document."""
        return self.document_id == NOTE

    @property
    def is_attached(self) -> bool:
        """Whether it is a file that was attached to the question."""
        return self.document_id == ATTACHED

    @property
    def name(self) -> str:
        """The document's path or address, and its title where it has neither."""
        return self.source or self.title

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        return {**asdict(self), "headings": list(self.headings), "also": list(self.also)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Source":
        """Read the JSON form; what is missing or of another kind takes its default, unknown keys are left out."""
        values = {
            name: read(record[name])
            for name, (kinds, read) in _KINDS.items()
            if isinstance(record.get(name), kinds) and not isinstance(record[name], bool)
        }
        return cls(**values)


def _texts(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(storable(value) for value in values if isinstance(value, str))


def _whole(value: float) -> int | None:
    return int(value) if math.isfinite(value) and abs(value) < 2**53 else None


# The keys of the JSON form: what they may hold, and how it is read.
_KINDS: dict[str, tuple[tuple[type, ...], Callable[[Any], Any]]] = {
    **dict.fromkeys(("number", "page", "start", "end"), ((int, float), _whole)),
    **dict.fromkeys(("text", "source", "title", "passage_id", "document_id", "quoted"), ((str,), storable)),
    **dict.fromkeys(("headings", "also"), ((list, tuple), _texts)),
    "score": ((int, float), lambda value: float(value) if math.isfinite(value) else None),
}
