"""A file, an upload or an address → a `Document`: text with its pages, heading paths and spans.

Parsing happens in a process of its own (`sandbox/client.py`); nothing here knows a file format.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile
from knowledge.sandbox.client import Sandbox, SandboxLimits, shared_sandbox

SEPARATOR = "\n\n"  # between two blocks in a document's text


@dataclass(frozen=True)
class Section:
    """A run of one kind of text under one heading path on one page: `document.text[start:end]`."""

    text: str
    page: int | None
    headings: tuple[str, ...]
    kind: Literal["text", "table", "code"]
    start: int

    @property
    def end(self) -> int:
        """Where it ends in the document's text."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Document:
    """One file as text. `text` is all of it, headings included; sections are slices of it."""

    source: str  # the path or address as it was given
    title: str
    text: str
    sections: tuple[Section, ...]
    sha256: str  # of the file's bytes
    bytes: int
    notes: tuple[str, ...] = ()  # what could not be read, for the person to know

    @property
    def id(self) -> str:
        """Stable for one source, whatever its content."""
        return document_id(self.source)


def read_document(
    path: Path | str,
    *,
    source: str | None = None,
    password: str | None = None,
    sandbox: Sandbox | None = None,
) -> Document:
    """Read one file in the sandbox; `source` is the name to cite when it is not the path.

    Raises DocumentError when the file is missing, too large, damaged, encrypted (PasswordNeededError),
    of an unknown kind, or takes more time or memory than the sandbox's limits.
    """
    path = Path(path)
    box = sandbox or shared_sandbox()
    data = _read_file(path, box.limits)
    return read_bytes(path.name, data, source=source or str(path), password=password, sandbox=box)


def read_bytes(
    name: str,
    data: bytes,
    *,
    source: str | None = None,
    content_type: str = "",
    password: str | None = None,
    sandbox: Sandbox | None = None,
) -> Document:
    """Read a document from memory; its name only hints at its kind. Raises as `read_document`."""
    name = Path(name.replace("\\", "/")).name or "document"
    if not data:
        raise DocumentError(f"{name}: the file is empty")
    box = sandbox or shared_sandbox()
    if len(data) > box.limits.bytes:
        raise DocumentError(_too_large(name, len(data), box.limits))
    parsed = box.parse(name, data, content_type=content_type, password=password)
    text, sections = assemble(parsed.blocks)
    if not sections:
        raise DocumentError(f"{name}: no text was found in it")
    return Document(
        source=source or name,
        title=parsed.title or title_from_name(name),
        text=text,
        sections=sections,
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        notes=parsed.notes,
    )


def document_id(source: str) -> str:
    """A document's id: stable for one source, whatever its content."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def document_from_parsed(parsed: ParsedFile, source: str) -> Document:
    """A document made in memory, from blocks and not from a file."""
    text, sections = assemble(parsed.blocks)
    data = text.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(data).hexdigest()
    title = parsed.title or title_from_name(source)
    return Document(source, title, text, sections, digest, len(data), parsed.notes)


def assemble(blocks: Iterable[Block]) -> tuple[str, tuple[Section, ...]]:
    """The whole text, and its sections: neighbouring paragraphs of one page and heading path are one section.

    A heading with nothing under it becomes text of its own: it may be all that a slide says.
    """
    parts: list[str] = []
    spans: list[_Span] = []
    path: list[tuple[int, str]] = []
    position = 0
    bare: _Span | None = None  # the last heading, while nothing stands under it
    for block in blocks:
        text = block.text.strip("\n") if block.kind == "code" else block.text.strip()
        if not text.strip():
            continue
        start, end = position, position + len(text)
        parts.append(text)
        position = end + len(SEPARATOR)
        if block.kind == "heading":
            if bare is not None and path and block.level <= path[-1][0]:
                spans.append(bare)
            path = [entry for entry in path if entry[0] < block.level]
            above = tuple(heading for _, heading in path)
            path.append((block.level, " ".join(text.split())))
            bare = _Span(start, end, block.page, above, "text")
            continue
        bare = None
        span = _Span(start, end, block.page, tuple(heading for _, heading in path), block.kind)
        if spans and spans[-1].goes_on_in(span):
            span = replace(span, start=spans.pop().start)
        spans.append(span)
    if bare is not None:
        spans.append(bare)
    whole = SEPARATOR.join(parts)
    return whole, tuple(
        Section(whole[span.start : span.end], span.page, span.headings, span.kind, span.start)
        for span in spans
    )


@dataclass(frozen=True)
class _Span:
    """A section before its text is cut out: joining texts one by one takes quadratic time."""

    start: int
    end: int
    page: int | None
    headings: tuple[str, ...]
    kind: Literal["text", "table", "code"]

    def goes_on_in(self, following: "_Span") -> bool:
        """Whether both are paragraphs of one run."""
        return (
            self.kind == following.kind == "text"
            and self.page == following.page
            and self.headings == following.headings
            and self.end + len(SEPARATOR) == following.start
        )


def find_files(paths: Iterable[Path | str]) -> list[Path]:
    """Every file named or inside a named folder, in a stable order; hidden files and folders are left out.

    Links are not followed out of a folder: a folder means what lies in it.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        for folder, names, files in os.walk(path, followlinks=False):
            names[:] = sorted(name for name in names if not name.startswith("."))
            for name in sorted(files):
                file = Path(folder) / name
                if not name.startswith((".", "~$")) and not file.is_symlink():
                    found[file] = None
    return list(found)


def title_from_name(name: str) -> str:
    """A title for a document that has none: its file name, readable."""
    stem = Path(name).stem.replace("_", " ").strip()
    return stem or name


def _read_file(path: Path, limits: SandboxLimits) -> bytes:
    try:
        if not path.is_file():
            raise DocumentError(f"{path}: {_what_it_is(path)}")
        size = path.stat().st_size
        if size > limits.bytes:
            raise DocumentError(_too_large(path.name, size, limits))
        with path.open("rb") as file:
            return file.read(limits.bytes + 1)
    except (OSError, ValueError) as error:
        raise DocumentError(f"{path}: cannot be opened ({error})") from error


def _what_it_is(path: Path) -> str:
    if not path.exists():
        return "no such file"
    return "is a folder, not a file" if path.is_dir() else "is not an ordinary file"


def _too_large(name: str, size: int, limits: SandboxLimits) -> str:
    found, most = size / 2**20, limits.bytes / 2**20
    return f"{name}: {found:,.0f} MiB is over the limit of {most:,.0f} MiB; split it into smaller files"
