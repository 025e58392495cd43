"""A question → the best passages of one knowledge base: BM25 over all of them and Chroma for the nearest,
fused by value. Keeps BM25 in memory and renews it when the catalogue has changed."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.catalogue import Catalogue, Place, StoredText
from knowledge.embeddings import Encoder
from knowledge.fusion import Background, fuse, standardise_lexical
from knowledge.lexical import LexicalIndex, term_codes
from knowledge.splitting import Passage
from knowledge.vectors import Vectors

CANDIDATES = 100  # from each side
SAMPLE = 1000  # vectors that stand for the whole index
DENSE_WEIGHT = 0.35
Message = dict[str, str]


@dataclass(frozen=True)
class Hit:
    """A passage that was found, and why."""

    passage: Passage
    score: float  # fused: deviations over an arbitrary passage of this knowledge base
    dense: float | None  # cosine
    lexical: float | None  # BM25
    rank: int = 0  # from 1
    rank_dense: int | None = None  # from 1; None when far down
    rank_lexical: int | None = None
    also: tuple[Passage, ...] = ()  # the same text elsewhere


@dataclass(frozen=True)
class _Snapshot:
    revision: int
    ids: list[str]
    rows: dict[str, int]
    terms: list[np.ndarray]
    lexical: LexicalIndex
    background: Background


@dataclass(frozen=True)
class _Candidate:
    id: str
    score: float
    dense: float
    lexical: float
    rank_dense: int | None
    rank_lexical: int | None


class Searcher:
    """Searches one knowledge base; safe from several threads."""

    def __init__(self, catalogue: Catalogue, encoder: Encoder) -> None:
        self._catalogue = catalogue
        self._encoder = encoder
        self._snapshot: _Snapshot | None = None
        self._lock = threading.Lock()

    def refresh(self, vectors: Vectors) -> _Snapshot:
        """The state of the catalogue, read again only when it has changed."""
        with self._lock:
            revision = self._catalogue.revision
            if self._snapshot is None or self._snapshot.revision != revision:
                ids, terms = self._catalogue.all_terms()
                rows = {one: row for row, one in enumerate(ids)}
                background = Background.of(vectors.sample(SAMPLE))
                self._snapshot = _Snapshot(revision, ids, rows, terms, LexicalIndex(terms), background)
            return self._snapshot

    def search(
        self,
        vectors: Vectors,
        question: str,
        k: int,
        history: Sequence[Message] = (),
        among: Sequence[str] | None = None,
    ) -> list[Hit]:
        """The best `k` passages, best first; only `among` these passage ids when given."""
        snapshot = self.refresh(vectors)
        if not question.strip() or not snapshot.ids or k < 1:
            return []
        candidates = self._candidates(snapshot, vectors, question, among)
        return self._hits(snapshot, candidates, k)

    def _candidates(
        self, snapshot: _Snapshot, vectors: Vectors, question: str, among: Sequence[str] | None
    ) -> list[_Candidate]:
        query = self._encoder.encode_query(question)
        bm25 = snapshot.lexical.scores(term_codes(question))
        allowed = np.arange(len(snapshot.ids))
        if among is not None:
            allowed = np.array([snapshot.rows[one] for one in among if one in snapshot.rows], dtype=np.int64)
        nearest = vectors.nearest(
            query, CANDIDATES, among=None if among is None else [snapshot.ids[r] for r in allowed]
        )
        nearest = {one: cosine for one, cosine in nearest.items() if one in snapshot.rows}
        by_words = allowed[np.argsort(-bm25[allowed], kind="stable")[:CANDIDATES]]
        by_words = by_words[bm25[by_words] > 0]
        rank_dense = {one: rank for rank, one in enumerate(nearest, 1)}
        rank_lexical = {snapshot.ids[row]: rank for rank, row in enumerate(by_words, 1)}
        ids = list(dict.fromkeys([*rank_lexical, *rank_dense]))
        cosines = nearest | {
            one: float(vector @ query)
            for one, vector in vectors.get([i for i in ids if i not in nearest]).items()
        }
        ids = [one for one in ids if one in cosines]
        dense = np.array([cosines[one] for one in ids])
        lexical = np.array([bm25[snapshot.rows[one]] for one in ids])
        weight = DENSE_WEIGHT * self._encoder.fluency(question)
        scores = fuse(
            snapshot.background.standardise(query, dense), standardise_lexical(bm25, lexical), weight
        )
        return [
            _Candidate(
                ids[at],
                float(scores[at]),
                float(dense[at]),
                float(lexical[at]),
                rank_dense.get(ids[at]),
                rank_lexical.get(ids[at]),
            )
            for at in np.argsort(-scores, kind="stable")
        ]

    def _hits(self, snapshot: _Snapshot, candidates: Sequence[_Candidate], k: int) -> list[Hit]:
        chosen = candidates[:k]
        texts = self._catalogue.texts([one.id for one in chosen])
        places = self._catalogue.places([one.id for one in chosen])
        hits: list[Hit] = []
        for one in chosen:
            if one.id not in texts or not places[one.id]:
                continue  # removed since the snapshot
            first, *others = (passage_at(texts[one.id], place) for place in places[one.id])
            hits.append(
                Hit(
                    first,
                    one.score,
                    one.dense,
                    one.lexical,
                    len(hits) + 1,
                    one.rank_dense,
                    one.rank_lexical,
                    tuple(others),
                )
            )
        return hits


def passage_at(text: StoredText, place: Place) -> Passage:
    """A stored text as the passage of one of its places."""
    return Passage(
        text.id,
        text.text,
        place.source,
        place.title,
        place.page,
        place.headings,
        place.start,
        place.end,
        place.document_id,
    )
