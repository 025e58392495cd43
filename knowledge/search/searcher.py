"""Hybrid search in one knowledge base: BM25 over all passages and the nearest vectors of Chroma, fused by score.

The BM25 index stays in memory and is rebuilt only when the passage store has changed.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.index.bm25 import LexicalIndex
from knowledge.index.embeddings import Encoder, normalize
from knowledge.index.passage_store import PassageStore
from knowledge.index.shared_chroma import Vectors
from knowledge.search.followup import key_terms, referenced_questions
from knowledge.search.fusion import Background, dequantize, fuse, standardise_lexical
from knowledge.search.proximity import proximity
from knowledge.search.relevance import (
    NAMED_SHARE,
    Named,
    expected_highest,
    probability,
    probability_by_excess,
)
from knowledge.search.reranking import Reranker
from knowledge.search.selection import Hit, Scored, candidates_for, select
from knowledge.text.terms import term_codes

CANDIDATES = 50  # from BM25 and from Chroma, each
BACKGROUND_SAMPLE = 500  # passages that represent the index when cosines are standardised
HISTORY_WEIGHT = 0.5  # of the key terms of earlier questions
RELEVANCE_CHECKED = 3  # of the best, one must be about the question, or nothing was found
MAX_RERANKED = 20  # passages that the cross-encoder reads


@dataclass(frozen=True)
class _Snapshot:
    revision: int
    ids: list[str]
    rows: dict[str, int]
    terms: list[np.ndarray]
    lexical: LexicalIndex
    background: Background


@dataclass(frozen=True)
class _Query:
    text: str
    vector: np.ndarray
    codes: np.ndarray
    earlier: np.ndarray  # term codes of the questions it refers to
    fluency: float


@dataclass(frozen=True)
class _Candidates:
    """Passages that are scored in full."""

    ids: list[str]
    bm25: np.ndarray  # of every row of the snapshot
    cosines: dict[str, float]  # of whole passages, where they were needed so far
    sentences: dict[str, bytes]  # quantized vectors
    rank_dense: dict[str, int]
    rank_lexical: dict[str, int]


class Searcher:
    """Searches one knowledge base; safe from several threads."""

    def __init__(self, store: PassageStore, encoder: Encoder, reranker: Reranker | None = None) -> None:
        self._store = store
        self._encoder = encoder
        self._reranker = reranker
        self._snapshot: _Snapshot | None = None
        self._lock = threading.Lock()

    def refresh(self, vectors: Vectors) -> _Snapshot:
        """What is searched, read again only when the passage store has changed."""
        with self._lock:
            revision = self._store.revision
            if self._snapshot is None or self._snapshot.revision != revision:
                ids, terms = self._store.all_terms()
                rows = {one: row for row, one in enumerate(ids)}
                background = Background.of(self._sample(vectors, ids), self._encoder.family)
                self._snapshot = _Snapshot(revision, ids, rows, terms, LexicalIndex(terms), background)
            return self._snapshot

    def _sample(self, vectors: Vectors, ids: Sequence[str]) -> list[np.ndarray]:
        chosen = ids[:: max(1, len(ids) // BACKGROUND_SAMPLE)][:BACKGROUND_SAMPLE]
        whole = vectors.get(chosen)
        parts = self._store.parts(list(whole))
        sentences = {one: dequantize(parts.get(one, b""), len(vector)) for one, vector in whole.items()}
        return [sentences[one] if len(sentences[one]) else vector[None, :] for one, vector in whole.items()]

    def search(
        self,
        vectors: Vectors,
        question: str,
        k: int,
        history: Sequence[Mapping[str, str]] = (),
        among: Sequence[str] | None = None,
        min_relevance: float = 0.0,
    ) -> list[Hit]:
        """The best `k` passages, best first, only `among` these ids when given; empty when none is relevant."""
        snapshot = self.refresh(vectors)
        if not question.strip() or not snapshot.ids or k < 1:
            return []
        query = self._query(question, history)
        scored = self._score(snapshot, vectors, query, among, max(MAX_RERANKED, candidates_for(k)))
        if self._reranker and scored:
            scored = self._rerank(self._reranker, query, scored)
        relevance = max((one.relevance for one in scored[:RELEVANCE_CHECKED]), default=0.0)
        if relevance < min_relevance and not self._is_named(snapshot, question, scored[:1], min_relevance):
            return []
        return select(self._store, scored, k)

    def _is_named(
        self, snapshot: _Snapshot, question: str, best: Sequence[Scored], min_relevance: float
    ) -> bool:
        """Whether the best passage has what the question names, and is not about something else altogether."""
        if self._encoder.family.by_deviation or not best or best[0].relevance < NAMED_SHARE * min_relevance:
            return False
        return Named.of(question).is_in(snapshot.terms[snapshot.rows[best[0].id]])

    def _query(self, question: str, history: Sequence[Mapping[str, str]]) -> _Query:
        earlier = referenced_questions(question, history)
        whole = " ".join([*reversed(earlier), question])
        codes = term_codes(question)
        earlier_terms = np.setdiff1d(term_codes(" ".join(map(key_terms, earlier))), codes)
        vector = self._encoder.encode_query(question)
        if (
            earlier
        ):  # half of the vector is the question alone: the earlier ones were about something else too
            vector = normalize(vector + self._encoder.encode_query(whole))
        return _Query(whole, vector, codes, earlier_terms, self._encoder.fluency(whole))

    def _score(
        self,
        snapshot: _Snapshot,
        vectors: Vectors,
        query: _Query,
        among: Sequence[str] | None,
        wanted: int,
    ) -> list[Scored]:
        """The `wanted` best passages, best first."""
        found = self._candidates(snapshot, vectors, query, among)
        ids, cosines = found.ids, found.cosines
        lexical = np.array([found.bm25[snapshot.rows[one]] for one in ids])
        question = np.concatenate([query.codes, query.earlier])
        close = proximity([snapshot.terms[snapshot.rows[one]] for one in ids], question, snapshot.lexical.idf)
        dense = snapshot.background.standardise(
            query.vector, _by_sentence(ids, query.vector, cosines, found.sentences)
        )
        scores = fuse(dense, standardise_lexical(found.bm25, lexical), close, query.fluency)
        # In documents on one subject its name is in every passage and weighs next to nothing, and a question that
        # shares only the name is about them all the same.
        covered = np.maximum(close.coverage, close.plain_coverage)
        order = np.argsort(-scores, kind="stable")[:wanted].tolist()
        cosines |= _cosines(vectors, [ids[at] for at in order if ids[at] not in cosines], query.vector)
        return [
            Scored(
                id=ids[at],
                score=float(scores[at]),
                dense=cosines[ids[at]],
                lexical=float(lexical[at]),
                relevance=self._relevance(
                    cosines[ids[at]], float(dense[at]), float(covered[at]), query.fluency, len(snapshot.ids)
                ),
                rank_dense=found.rank_dense.get(ids[at]),
                rank_lexical=found.rank_lexical.get(ids[at]),
            )
            for at in order
            if ids[at] in cosines
        ]

    def _relevance(
        self, cosine: float, standard: float, covered: float, fluency: float, passages: int
    ) -> float:
        if self._encoder.family.by_deviation:
            return probability_by_excess(standard - expected_highest(passages), covered)
        return probability(cosine, covered, fluency, passages)

    def _candidates(
        self, snapshot: _Snapshot, vectors: Vectors, query: _Query, among: Sequence[str] | None
    ) -> _Candidates:
        """The best passages by BM25 and the nearest by their vectors, of `among` or of all."""
        bm25 = snapshot.lexical.scores(query.codes)
        if len(query.earlier):
            bm25 = bm25 + HISTORY_WEIGHT * snapshot.lexical.scores(query.earlier)
        allowed = np.arange(len(snapshot.ids))
        if among is not None:
            allowed = np.array([snapshot.rows[one] for one in among if one in snapshot.rows], dtype=np.int64)
        nearest = vectors.nearest(
            query.vector,
            min(CANDIDATES, len(allowed)),
            None if among is None else [snapshot.ids[row] for row in allowed],
        )
        nearest = {one: cosine for one, cosine in nearest.items() if one in snapshot.rows}
        by_bm25 = [snapshot.ids[row] for row in _best(bm25, allowed, CANDIDATES)]
        ids = list(dict.fromkeys([*by_bm25, *nearest]))
        sentences = self._store.parts(ids)
        unknown = [one for one in ids if one not in nearest and not sentences.get(one)]
        cosines = nearest | _cosines(vectors, unknown, query.vector)
        return _Candidates(
            ids=[one for one in ids if one in cosines or sentences.get(one)],
            bm25=bm25,
            cosines=cosines,
            sentences=sentences,
            rank_dense={one: rank for rank, one in enumerate(nearest, 1)},
            rank_lexical={one: rank for rank, one in enumerate(by_bm25, 1)},
        )

    def _rerank(self, reranker: Reranker, query: _Query, scored: Sequence[Scored]) -> list[Scored]:
        """Sort the first ones by the cross-encoder; the others follow in their order."""
        head, tail = scored[:MAX_RERANKED], scored[MAX_RERANKED:]
        texts = self._store.texts([one.id for one in head])
        known = [one for one in head if one.id in texts]
        judged = reranker.score(query.text, [texts[one.id].context for one in known])
        return [known[at] for at in np.argsort(-judged, kind="stable")] + list(tail)


def _cosines(vectors: Vectors, ids: Sequence[str], query: np.ndarray) -> dict[str, float]:
    """The cosines of whole passages; one without a vector is left out."""
    held = vectors.get(ids) if ids else {}
    return {one: float(vector @ query) for one, vector in held.items()}


def _by_sentence(
    ids: Sequence[str], query: np.ndarray, cosines: dict[str, float], sentences: dict[str, bytes]
) -> np.ndarray:
    """The cosine of the best sentence of each passage; of the whole passage where it has no sentences."""
    held = [one for one in ids if sentences.get(one)]
    best = dict(cosines)
    if held:
        lengths = [len(sentences[one]) // len(query) for one in held]
        every = dequantize(b"".join(sentences[one] for one in held), len(query)) @ query
        best |= zip(held, np.maximum.reduceat(every, np.cumsum([0, *lengths[:-1]])), strict=True)
    return np.array([best[one] for one in ids])


def _best(scores: np.ndarray, allowed: np.ndarray, n: int) -> np.ndarray:
    """The `n` best of the allowed rows with any score at all, best first."""
    if len(allowed) > n:
        allowed = allowed[np.argpartition(-scores[allowed], n)[:n]]
    best: np.ndarray = allowed[np.argsort(-scores[allowed], kind="stable")]
    return best[scores[best] > 0]
