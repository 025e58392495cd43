"""A passage that an answer was given: retrieved as a LangChain document, shown on a page, stored as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


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

    @property
    def name(self) -> str:
        """The document's path or address, and its title where it has neither."""
        return self.source or self.title

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        return {**asdict(self), "headings": list(self.headings), "also": list(self.also)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Source":
        """Read the JSON form; what is missing or null takes its default, and unknown keys are left out."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in record.items() if key in known and value is not None}
        for key in ("headings", "also"):
            values[key] = tuple(values.get(key, ()))
        return cls(**values)
