"""Document → passages: cut on structure, sized in tokens of the embedding model, exact slices of the document.

A passage is never cut inside a table row, a code line or a sentence, unless that alone is over the limit.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from knowledge.ingest.boundaries import Piece, cut_piece, section_pieces
from knowledge.ingest.document import Document, Section

CountTokens = Callable[[Sequence[str]], Sequence[int]]  # of each text, without special tokens

MAX_TOKENS = 254  # MiniLM reads 256, two of them its own
MIN_TOKENS = 32  # below this a title would leave no room for the text


@dataclass(frozen=True)
class Passage:
    """What is embedded, found and cited: `document.text[start:end]`."""

    id: str
    text: str
    source: str  # the path or address as it was given
    title: str
    page: int | None
    headings: tuple[str, ...]
    start: int
    end: int
    document_id: str

    @property
    def context_text(self) -> str:
        """What is embedded: the title and the heading path in front of the text."""
        return with_context(self.title, self.headings, self.text)


def with_context(title: str, headings: Sequence[str], text: str) -> str:
    """The text under its title and heading path, each named once."""
    path = dict.fromkeys(part for part in (title, *headings) if part)
    return f"{' > '.join(path)}\n{text}" if path else text


def split(
    document: Document,
    count_tokens: CountTokens,
    max_tokens: int = MAX_TOKENS,
    overlap_tokens: int = 0,
) -> list[Passage]:
    """Cut a document into passages of which none, with title and headings in front, is over `max_tokens`.

    `overlap_tokens` lets a passage begin with the last sentences of the one before, up to so many tokens.
    Raises ValueError for a limit under MIN_TOKENS or an overlap of half the limit and more.
    """
    if max_tokens < MIN_TOKENS:
        raise ValueError(f"max_tokens is {max_tokens}; a passage needs at least {MIN_TOKENS}")
    if not 0 <= overlap_tokens < max_tokens // 2:
        raise ValueError(
            f"overlap_tokens is {overlap_tokens}; it must be under half of max_tokens ({max_tokens})"
        )
    cutter = _Cutter(document, count_tokens, max_tokens, overlap_tokens)
    return cutter.passages()


@dataclass(frozen=True)
class _Span:
    start: int
    end: int
    page: int | None


class _Cutter:
    def __init__(self, document: Document, count_tokens: CountTokens, max_tokens: int, overlap: int) -> None:
        self.document = document
        self.text = document.text
        self.count_tokens = count_tokens
        self.max_tokens = max_tokens
        self.overlap = overlap
        self.seen: Counter[str] = Counter()

    def passages(self) -> list[Passage]:
        groups = list(_groups(self.document.sections))
        prefixes = self._prefixes([group[0].headings for group in groups])
        pieces = [self._pieces(group) for group in groups]
        counts = iter(
            self._count([self.text[piece.start : piece.end] for group in pieces for piece in group])
        )
        passages: list[Passage] = []
        for group, (title, headings, used) in zip(pieces, prefixes, strict=True):
            room = self.max_tokens - used
            sized = self._cut_oversized([(piece, next(counts)) for piece in group], room)
            for span in self._pack(sized, room):
                if not self.text[span.start : span.end].isspace():
                    passages.append(self._passage(span, title, headings))
        return self._within_limit(passages)

    def _count(self, texts: Sequence[str]) -> Sequence[int]:
        return self.count_tokens(texts) if texts else []

    def _prefixes(self, paths: Sequence[tuple[str, ...]]) -> list[tuple[str, tuple[str, ...], int]]:
        """For each heading path the title and headings that stand in front, and their tokens."""
        title, distinct = self.document.title, list(dict.fromkeys(paths))
        counts = self._count([with_context(title, headings, "") for headings in distinct])
        fitted = {
            headings: (title, headings, used) if used <= self.max_tokens // 3 else self._fit_prefix(headings)
            for headings, used in zip(distinct, counts, strict=True)
        }
        return [fitted[headings] for headings in paths]

    def _fit_prefix(self, headings: tuple[str, ...]) -> tuple[str, tuple[str, ...], int]:
        """Title, headings and their tokens, shortened until they take a third of the passage at most."""
        title = self.document.title
        limit = self.max_tokens // 3
        while (used := self._prefix_tokens(title, headings)) > limit:
            if len(headings) > 1:
                headings = headings[1:]
            elif len(title) > 8:
                title = _shorten(title)
            elif headings and len(headings[0]) > 8:
                headings = (_shorten(headings[0]),)
            else:
                return "", (), 0
        return title, headings, used

    def _prefix_tokens(self, title: str, headings: tuple[str, ...]) -> int:
        return self._count([with_context(title, headings, "")])[0]

    def _pieces(self, group: Sequence[Section]) -> list[Piece]:
        return [piece for section in group for piece in section_pieces(self.text, section)]

    def _cut_oversized(self, sized: list[tuple[Piece, int]], room: int) -> list[tuple[Piece, int]]:
        """Halve what is over the limit by itself, at the softest place there is, until it fits."""
        if all(tokens <= room for _, tokens in sized):
            return sized
        parts: list[tuple[Piece, int]] = []
        for piece, tokens in sized:
            if tokens <= room or piece.end - piece.start < 2:
                parts.append((piece, tokens))
                continue
            smaller = list(cut_piece(self.text, piece, max(2, -(-tokens * 5 // (room * 4)))))
            counts = self._count([self.text[part.start : part.end] for part in smaller])
            parts.extend(self._cut_oversized(list(zip(smaller, counts, strict=True)), room))
        return parts

    def _pack(self, sized: Sequence[tuple[Piece, int]], room: int) -> Iterator[_Span]:
        """Fill passages greedily; a paragraph that does not fit begins the next once half is filled."""
        left_in_paragraph = _tokens_to_paragraph_end(sized)
        first, tokens = 0, 0
        for index, (_, size) in enumerate(sized):
            fresh = index > first and sized[index - 1][0].ends_paragraph
            whole_fits = tokens + left_in_paragraph[index] <= room
            better_next = fresh and not whole_fits and tokens * 2 >= room and left_in_paragraph[index] <= room
            if index > first and (tokens + size > room or better_next):
                yield _Span(sized[first][0].start, sized[index - 1][0].end, sized[first][0].page)
                first = self._overlap_from(sized, first, index, room - size)
                tokens = sum(count for _, count in sized[first:index])
            tokens += size
        if sized:
            yield _Span(sized[first][0].start, sized[-1][0].end, sized[first][0].page)

    def _overlap_from(self, sized: Sequence[tuple[Piece, int]], first: int, index: int, room: int) -> int:
        tokens, at = 0, index
        while at - 1 > first and tokens + sized[at - 1][1] <= min(self.overlap, room):
            at -= 1
            tokens += sized[at][1]
        return at

    def _passage(self, span: _Span, title: str, headings: tuple[str, ...]) -> Passage:
        text = self.text[span.start : span.end]
        key = hashlib.sha256("\x00".join((title, *headings, text)).encode()).hexdigest()[:16]
        self.seen[key] += 1
        again = f"-{self.seen[key]}" if self.seen[key] > 1 else ""
        return Passage(
            id=f"{self.document.id}-{key}{again}",
            text=text,
            source=self.document.source,
            title=title,
            page=span.page,
            headings=headings,
            start=span.start,
            end=span.end,
            document_id=self.document.id,
        )

    def _within_limit(self, passages: list[Passage]) -> list[Passage]:
        """Halve what came out over the limit: the tokens of joined pieces need not add up exactly."""
        counts = list(self._count([passage.context_text for passage in passages]))
        while any(count > self.max_tokens for count in counts):
            halved = [
                self._halves(passage) if count > self.max_tokens else [passage]
                for passage, count in zip(passages, counts, strict=True)
            ]
            if sum(map(len, halved)) == len(passages):
                break  # single characters
            fresh = iter(
                self._count([half.context_text for halves in halved for half in halves if halves[1:]])
            )
            counts = [
                next(fresh) if halves[1:] else count
                for halves, count in zip(halved, counts, strict=True)
                for _ in halves
            ]
            passages = [half for halves in halved for half in halves]
        return passages

    def _halves(self, passage: Passage) -> list[Passage]:
        if len(passage.text) < 2:
            return [passage]
        pieces = cut_piece(self.text, Piece(passage.start, passage.end, passage.page, True), 2)
        return [
            self._passage(_Span(piece.start, piece.end, piece.page), passage.title, passage.headings)
            for piece in pieces
        ]


def _groups(sections: Sequence[Section]) -> Iterator[list[Section]]:
    """Neighbouring sections under the same headings, which may share a passage."""
    group: list[Section] = []
    for section in sections:
        if group and section.headings != group[-1].headings:
            yield group
            group = []
        group.append(section)
    if group:
        yield group


def _tokens_to_paragraph_end(sized: Sequence[tuple[Piece, int]]) -> list[int]:
    left = [0] * len(sized)
    running = 0
    for index in range(len(sized) - 1, -1, -1):
        piece, size = sized[index]
        running = size if piece.ends_paragraph else running + size
        left[index] = running
    return left


def _shorten(text: str) -> str:
    """Half of it, at a word's end where there is one."""
    half = text[: len(text) // 2].removesuffix("…")
    words = half.rsplit(" ", 1)[0] if " " in half[len(half) // 2 :] else half
    return words.rstrip(" ,;:") + "…"
