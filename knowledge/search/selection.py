"""From scored passages to the hits that are shown: near-duplicates dropped, neighbours joined."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from knowledge.index.passage_store import PassageStore
from knowledge.index.records import Place, StoredText
from knowledge.ingest.chunking import Passage
from knowledge.text.terms import SENTENCE_END

DUPLICATE_OVERLAP = 0.85  # Jaccard similarity of two passages with the same numbers: near-duplicates
MAX_JOINED = 3  # passages in one hit
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Scored:
    """A passage's scores, before its text is read from the store."""

    id: str
    score: float
    dense: float
    lexical: float
    relevance: float
    rank_dense: int | None
    rank_lexical: int | None


@dataclass(frozen=True)
class Hit:
    """A passage that was found, and why. Neighbours that were found too are joined into its text."""

    passage: Passage
    score: float  # fused: standard deviations over an arbitrary passage of this knowledge base
    dense: float | None = None  # cosine
    lexical: float | None = None  # BM25
    rank: int = 0  # from 1
    rank_dense: int | None = None  # from 1; None when far down
    rank_lexical: int | None = None
    relevance: float = 1.0  # the probability that it is about the question
    also: tuple[Passage, ...] = ()  # the same or nearly the same text elsewhere
    joined: tuple[str, ...] = ()  # ids of the neighbours in it


@dataclass
class _Pick:
    """A hit in the making."""

    scored: Scored
    passage: Passage
    places: list[Place]
    words: frozenset[int]  # as term codes
    numbers: frozenset[str]
    also: list[Passage]
    first: int
    last: int
    joined: list[str]


def candidates_for(k: int) -> int:
    """How many scored passages are considered for `k` hits: some are duplicates, some are joined."""
    return 3 * k + 6


def select(store: PassageStore, scored: Sequence[Scored], k: int) -> list[Hit]:
    """The `k` best distinct hits."""
    scored = scored[: candidates_for(k)]
    texts = store.texts([one.id for one in scored])
    places = store.places([one.id for one in scored])
    picks: list[_Pick] = []
    for rank, one in enumerate(scored):
        if one.id not in texts or not places[one.id]:
            continue  # removed since the index was read
        text, stands = texts[one.id], places[one.id]
        words, numbers = _words(text), frozenset(_NUMBER.findall(text.text))
        if (duplicate := _near_duplicate(picks, words, numbers)) is not None:
            duplicate.also.extend(passage_at(text, place) for place in stands)
        elif rank < 2 * k and (neighbour := _neighbour(picks, stands)) is not None:
            _join(neighbour, text, stands[0])
        elif len(picks) < k:
            also = [passage_at(text, place) for place in stands[1:]]
            at = stands[0].position
            picks.append(_Pick(one, passage_at(text, stands[0]), stands, words, numbers, also, at, at, []))
    return [_hit(pick, rank) for rank, pick in enumerate(picks, 1)]


def passage_at(text: StoredText, place: Place) -> Passage:
    """A stored text as the passage of one of its places."""
    return Passage(
        id=text.id,
        text=text.text,
        source=place.source,
        title=place.title,
        page=place.page,
        headings=place.headings,
        start=place.start,
        end=place.end,
        document_id=place.document_id,
    )


def _words(text: StoredText) -> frozenset[int]:
    return frozenset(text.terms.tolist()) - {SENTENCE_END}


def _near_duplicate(picks: Sequence[_Pick], words: frozenset[int], numbers: frozenset[str]) -> _Pick | None:
    """A pick with nearly the same text. Texts that differ in a number ("2023", "2024") are not duplicates."""
    for pick in picks:
        shared = len(words & pick.words) >= DUPLICATE_OVERLAP * len(words | pick.words)
        if words and numbers == pick.numbers and shared:
            return pick
    return None


def _neighbour(picks: Sequence[_Pick], stands: Sequence[Place]) -> _Pick | None:
    """A pick that this passage precedes or follows under the same headings of one document."""
    place = stands[0]
    for pick in picks:
        if (
            len(stands) == 1
            and len(pick.places) == 1
            and place.document_id == pick.passage.document_id
            and place.headings == pick.passage.headings
            and place.position in (pick.first - 1, pick.last + 1)
            and len(pick.joined) < MAX_JOINED - 1
        ):
            return pick
    return None


def _join(pick: _Pick, text: StoredText, place: Place) -> None:
    new = passage_at(text, place)
    before, after = (new, pick.passage) if place.position < pick.first else (pick.passage, new)
    between = "" if after.start <= before.end else " " if after.start == before.end + 1 else "\n\n"
    joined = before.text + between + after.text[max(0, before.end - after.start) :]
    pick.passage = replace(pick.passage, text=joined, page=before.page, start=before.start, end=after.end)
    pick.first, pick.last = min(pick.first, place.position), max(pick.last, place.position)
    pick.joined.append(text.id)
    pick.words |= _words(text)
    pick.numbers |= frozenset(_NUMBER.findall(text.text))


def _hit(pick: _Pick, rank: int) -> Hit:
    one = pick.scored
    return Hit(
        pick.passage,
        one.score,
        one.dense,
        one.lexical,
        rank,
        one.rank_dense,
        one.rank_lexical,
        one.relevance,
        tuple(pick.also),
        tuple(pick.joined),
    )
