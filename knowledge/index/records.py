"""What the SQLite file of a knowledge base holds: documents, passages and their places, and how rows become them."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class DocumentInfo:
    """One indexed document."""

    id: str
    path: str  # or the address, or the name of an upload, as it was given
    title: str
    passages: int
    bytes: int
    indexed: float
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    """One occurrence of a passage's text in a document."""

    passage_id: str
    document_id: str
    position: int
    source: str
    title: str
    page: int | None
    headings: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class StoredText:
    """A passage's text, once however many documents contain it."""

    id: str
    text: str
    context: str  # with title and headings: what is embedded and counted
    terms: np.ndarray
    parts: bytes = b""  # vectors of its sentences, as `quantize` makes them


@dataclass(frozen=True)
class StoredDocument:
    """A document to be written, with its passages in reading order."""

    info: DocumentInfo
    texts: tuple[StoredText, ...]
    places: tuple[Place, ...]


def document_of(row: tuple[Any, ...]) -> DocumentInfo:
    """The document of a row. Raises TypeError or ValueError for a row that holds something else."""
    id, source, title, passages, size, indexed, sha256, notes = row
    texts = tuple(str(note) for note in json.loads(notes))
    return DocumentInfo(
        text_of(id),
        text_of(source),
        text_of(title),
        passages,
        int(size),
        float(indexed),
        text_of(sha256),
        texts,
    )


def place_of(row: tuple[Any, ...]) -> Place:
    """The place of a row. Raises TypeError or ValueError for a row that holds something else."""
    passage_id, document_id, position, source, title, page, headings, start, end = row
    texts = tuple(str(heading) for heading in json.loads(headings))
    return Place(
        passage_id,
        document_id,
        int(position),
        text_of(source),
        text_of(title),
        None if page is None else int(page),
        texts,
        int(start),
        int(end),
    )


def text_of(value: object) -> str:
    """A column that must hold text. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError("a text is something else")
    return value


def codes_of(value: bytes) -> np.ndarray:
    """Hashed terms (one uint32 each) from their bytes."""
    return np.frombuffer(value, dtype=np.uint32)
