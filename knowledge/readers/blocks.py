"""What every reader returns: blocks in reading order. Readers know nothing of passages or of the index."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["heading", "text", "table", "code"]
MAX_CHARACTERS = 30_000_000  # of extracted text; a novel has one million
MAX_BLOCKS = 1_000_000


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, table or piece of code. A line of a table is a row and stands on its own."""

    kind: Kind
    text: str
    page: int | None = None  # from 1: PDF page, slide, or chapter of a book
    level: int = 0  # of a heading, from 1


@dataclass(frozen=True)
class ParsedFile:
    """What a reader found in one file."""

    title: str = ""
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what was left out, for the person to know

    def to_dict(self) -> dict[str, Any]:
        """JSON with every field."""
        blocks = [[block.kind, block.text, block.page, block.level] for block in self.blocks]
        return {"title": self.title, "blocks": blocks, "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ParsedFile":
        """The reverse of `to_dict`."""
        blocks = tuple(Block(*block) for block in data["blocks"])
        return cls(title=data["title"], blocks=blocks, notes=tuple(data["notes"]))


def record(pairs: Iterable[tuple[str, str]]) -> str:
    """One row as "column: value; column: value", empty values left out."""
    return "; ".join(f"{name}: {value}" if name else value for name, value in pairs if value)


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())
