"""BM25 over passages: stemmed English words, and character bigrams for scripts written without spaces.
Knows terms and row numbers only; texts and files are the catalogue's."""

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import bm25s
import numpy as np
import Stemmer

# Han, kana, hangul, Thai, Lao, Khmer and Burmese: no spaces between words, or endings glued to them.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD_RUN = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+(?:\u0301)?")
_UNSPACED_START = re.compile(rf"[{UNSPACED}]")
K1, B = 1.2, 0.75
SENTENCE_END = 0  # among the codes of a passage; no term has this code


def terms(text: str) -> list[str]:
    """The terms BM25 counts, in reading order."""
    found: list[str] = []
    for match in WORD_RUN.finditer(unicodedata.normalize("NFKC", text).casefold()):
        run = match.group()
        if not is_unspaced(run):
            found.append(_stem(run))
        elif len(run) == 1:
            found.append(run)
        else:
            found.extend(run[index : index + 2] for index in range(len(run) - 1))
    return found


def is_unspaced(run: str) -> bool:
    """Whether a run of letters is of a script that puts no spaces between words."""
    return bool(_UNSPACED_START.match(run))


def matching_spans(text: str, wanted: Collection[str]) -> list[tuple[int, int]]:
    """Where the text has one of the wanted terms, for marking: (start, end), neighbours joined."""
    spans: list[tuple[int, int]] = []
    for match in WORD_RUN.finditer(text):
        run, start = match.group(), match.start()
        if not is_unspaced(run) or len(run) == 1:
            found = [(start, match.end())] if set(terms(run)) & set(wanted) else []
        else:
            pairs = range(len(run) - 1)
            found = [(start + at, start + at + 2) for at in pairs if run[at : at + 2] in wanted]
        for span in found:
            if spans and span[0] <= spans[-1][1]:
                spans[-1] = (spans[-1][0], span[1])
            else:
                spans.append(span)
    return spans


def term_codes(text: str) -> np.ndarray:
    """The terms as 32-bit codes: what is stored, and needs no vocabulary to be kept in step."""
    return np.fromiter((_code(term) for term in terms(text)), dtype=np.uint32)


def passage_codes(context: str, sentences: Sequence[tuple[int, int]]) -> np.ndarray:
    """The codes of what stands in front of the sentences, then of each sentence after a SENTENCE_END."""
    head = sentences[0][0] if sentences else len(context)
    parts = [term_codes(context[:head])]
    for start, end in sentences:
        parts += [np.array([SENTENCE_END], dtype=np.uint32), term_codes(context[start:end])]
    return np.concatenate(parts)


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    # The stemmer object is not thread-safe, and this is the only place that makes words of it.
    stemmed: str = Stemmer.Stemmer("english", 0).stemWord(word)
    return stemmed


@lru_cache(maxsize=400_000)
def _code(term: str) -> int:
    return crc32(term.encode("utf-8", "surrogatepass")) or 1


class _VectorizedBM25(bm25s.BM25):
    """bm25s with its matrix made by one numpy sort: 100,000 passages in seconds, not minutes."""

    def build_index_from_ids(
        self,
        unique_token_ids: Any,
        corpus_token_ids: Any,
        show_progress: bool = False,
        leave_progress: bool = False,
    ) -> dict[str, Any]:
        """The matrix from an array of codes a row; sets `vocabulary`, the sorted codes."""
        lengths = np.array([len(row) for row in corpus_token_ids], dtype=np.int64)
        documents = len(lengths)
        owners = np.repeat(np.arange(documents, dtype=np.uint64), lengths)
        # Sorted, keys of (term, row) are in the column-major order that bm25s reads.
        keys = np.concatenate(corpus_token_ids).astype(np.uint64) << np.uint64(32) | owners
        keys.sort()
        first = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        counts = np.diff(first, append=len(keys))
        keys = keys[first]
        rows, codes = (
            (keys & np.uint64(0xFFFFFFFF)).astype(np.int32),
            (keys >> np.uint64(32)).astype(np.uint32),
        )
        starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
        self.vocabulary = codes[starts]
        frequency = np.diff(starts, append=len(codes))
        idf = np.log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
        norm = self.k1 * (1 - self.b + self.b * lengths / max(1.0, float(lengths.mean())))
        data = np.repeat(idf, frequency) * counts / (counts + norm[rows])
        self.nonoccurrence_array = None
        indptr = np.append(starts, len(codes)).astype(np.int64)
        return {"data": data.astype(self.dtype), "indices": rows, "indptr": indptr, "num_docs": documents}


class LexicalIndex:
    """An immutable BM25 index over rows 0…n-1 of term codes; made anew when the passages change."""

    def __init__(self, rows: Sequence[np.ndarray]) -> None:
        self.rows = len(rows)
        self._bm25 = _VectorizedBM25(k1=K1, b=B)
        self._vocabulary = np.empty(0, dtype=np.uint32)
        rows = [row[row != SENTENCE_END] for row in rows]
        if any(len(row) for row in rows):
            self._bm25.scores = self._bm25.build_index_from_ids(None, rows)
            self._vocabulary = self._bm25.vocabulary

    def scores(self, codes: np.ndarray) -> np.ndarray:
        """BM25 of every row for the query's term codes, float32 [rows]; zero where nothing matches."""
        known = self._known(codes)
        if not len(known):
            return np.zeros(self.rows, dtype=np.float32)
        found: np.ndarray = self._bm25.get_scores_from_ids(known)
        return found

    def idf(self, codes: np.ndarray) -> np.ndarray:
        """How rare each code is; a code never seen counts as one seen once."""
        position = np.searchsorted(self._vocabulary, codes)
        position = np.minimum(position, max(0, len(self._vocabulary) - 1))
        frequency = np.zeros(len(codes))
        if len(self._vocabulary):
            seen = self._vocabulary[position] == codes
            indptr = self._bm25.scores["indptr"]
            frequency = np.where(seen, indptr[position + 1] - indptr[position], 0)
        return np.asarray(np.log(1 + (self.rows - frequency + 0.5) / (frequency + 0.5)))

    def _known(self, codes: np.ndarray) -> np.ndarray:
        if not len(self._vocabulary) or not len(codes):
            return np.empty(0, dtype=np.int64)
        position = np.minimum(np.searchsorted(self._vocabulary, codes), len(self._vocabulary) - 1)
        return np.asarray(position[self._vocabulary[position] == codes])
