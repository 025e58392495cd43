"""A question → the best passages of one knowledge base: BM25 over all of them and Chroma for the nearest,
fused by value. Keeps BM25 in memory and reads it again only when the passage store has changed."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.index.bm25 import LexicalIndex
from knowledge.index.chroma import VectorStore
from knowledge.index.embeddings import Encoder, unit
from knowledge.index.passage_store import PassageStore
from knowledge.search.followup import subject, with_conversation
from knowledge.search.fusion import Background, fuse, standardise_lexical, unpack
from knowledge.search.proximity import closeness
from knowledge.search.relevance import probability
from knowledge.search.reranking import Reranker
from knowledge.search.selection import Hit, Scored, candidates_for, select
from knowledge.text.terms import term_codes

CANDIDATES = 50  # from each side
SAMPLE = 500  # passages that stand for the whole index
HISTORY_WEIGHT = 0.5  # of the words of an earlier question
JUDGED = 3  # of the best are asked whether they are about the question at all
RERANKED = 20


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
    earlier: np.ndarray
    fluency: float


class Searcher:
    """Searches one knowledge base; safe from several threads."""

    def __init__(self, store: PassageStore, encoder: Encoder, reranker: Reranker | None = None) -> None:
        self._store = store
        self._encoder = encoder
        self._reranker = reranker
        self._snapshot: _Snapshot | None = None
        self._lock = threading.Lock()

    def refresh(self, vectors: VectorStore) -> _Snapshot:
        """The state of the passage store, read again only when it has changed."""
        with self._lock:
            revision = self._store.revision
            if self._snapshot is None or self._snapshot.revision != revision:
                ids, terms = self._store.all_terms()
                rows = {one: row for row, one in enumerate(ids)}
                background = Background.of(self._sample(vectors, ids))
                self._snapshot = _Snapshot(revision, ids, rows, terms, LexicalIndex(terms), background)
            return self._snapshot

    def _sample(self, vectors: VectorStore, ids: Sequence[str]) -> list[np.ndarray]:
        chosen = ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE]
        whole = vectors.get(chosen)
        parts = self._store.parts(list(whole))
        sentences = {one: unpack(parts.get(one, b""), len(vector)) for one, vector in whole.items()}
        return [sentences[one] if len(sentences[one]) else vector[None, :] for one, vector in whole.items()]

    def search(
        self,
        vectors: VectorStore,
        question: str,
        k: int,
        history: Sequence[Mapping[str, str]] = (),
        among: Sequence[str] | None = None,
        min_relevance: float = 0.0,
    ) -> list[Hit]:
        """The best `k` passages, best first, only `among` these ids when given; none when none is
        relevant."""
        snapshot = self.refresh(vectors)
        if not question.strip() or not snapshot.ids or k < 1:
            return []
        query = self._query(question, history)
        scored = self._score(snapshot, vectors, query, among, max(RERANKED, candidates_for(k)))
        if self._reranker and scored:
            scored = self._rerank(self._reranker, query, scored)
        if max((one.relevance for one in scored[:JUDGED]), default=0.0) < min_relevance:
            return []
        return select(self._store, scored, k)

    def _query(self, question: str, history: Sequence[Mapping[str, str]]) -> _Query:
        earlier = with_conversation(question, history)
        whole = " ".join([*reversed(earlier), question])
        codes = term_codes(question)
        leaned_on = np.setdiff1d(term_codes(" ".join(map(subject, earlier))), codes)
        vector = self._encoder.encode_query(question)
        if earlier:  # half of it the question itself: the earlier one asked for something else
            vector = unit(vector + self._encoder.encode_query(whole))
        return _Query(whole, vector, codes, leaned_on, self._encoder.fluency(whole))

    def _score(
        self,
        snapshot: _Snapshot,
        vectors: VectorStore,
        query: _Query,
        among: Sequence[str] | None,
        wanted: int,
    ) -> list[Scored]:
        """The `wanted` best passages, best first."""
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
        by_words = [snapshot.ids[row] for row in _best(bm25, allowed, CANDIDATES)]
        ids = list(dict.fromkeys([*by_words, *nearest]))
        sentences = self._store.parts(ids)
        unknown = [one for one in ids if one not in nearest and not sentences.get(one)]
        cosines = nearest | _cosines(vectors, unknown, query.vector)
        ids = [one for one in ids if one in cosines or sentences.get(one)]
        lexical = np.array([bm25[snapshot.rows[one]] for one in ids])
        asked = np.concatenate([query.codes, query.earlier])
        close = closeness([snapshot.terms[snapshot.rows[one]] for one in ids], asked, snapshot.lexical.idf)
        scores = fuse(
            snapshot.background.standardise(
                query.vector, _by_sentence(ids, query.vector, cosines, sentences)
            ),
            standardise_lexical(bm25, lexical),
            close,
            query.fluency,
        )
        rank_dense = {one: rank for rank, one in enumerate(nearest, 1)}
        rank_lexical = {one: rank for rank, one in enumerate(by_words, 1)}
        order = np.argsort(-scores, kind="stable")[:wanted].tolist()
        cosines |= _cosines(vectors, [ids[at] for at in order if ids[at] not in cosines], query.vector)
        return [
            Scored(
                ids[at],
                float(scores[at]),
                cosines[ids[at]],
                float(lexical[at]),
                probability(cosines[ids[at]], float(close.covered[at]), query.fluency),
                rank_dense.get(ids[at]),
                rank_lexical.get(ids[at]),
            )
            for at in order
            if ids[at] in cosines
        ]

    def _rerank(self, reranker: Reranker, query: _Query, scored: Sequence[Scored]) -> list[Scored]:
        """Put the first ones in the order of the cross-encoder; what follows them stays behind."""
        head, tail = scored[:RERANKED], scored[RERANKED:]
        texts = self._store.texts([one.id for one in head])
        known = [one for one in head if one.id in texts]
        judged = reranker.score(query.text, [texts[one.id].context for one in known])
        return [known[at] for at in np.argsort(-judged, kind="stable")] + list(tail)


def _cosines(vectors: VectorStore, ids: Sequence[str], query: np.ndarray) -> dict[str, float]:
    """Of whole passages; one that has no vector is left out."""
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
        every = unpack(b"".join(sentences[one] for one in held), len(query)) @ query
        best |= zip(held, np.maximum.reduceat(every, np.cumsum([0, *lengths[:-1]])), strict=True)
    return np.array([best[one] for one in ids])


def _best(scores: np.ndarray, allowed: np.ndarray, n: int) -> np.ndarray:
    """The `n` best of the allowed rows with any score at all, best first."""
    if len(allowed) > n:
        allowed = allowed[np.argpartition(-scores[allowed], n)[:n]]
    best: np.ndarray = allowed[np.argsort(-scores[allowed], kind="stable")]
    return best[scores[best] > 0]
