"""Text → index terms: stemmed English words, and character bigrams for scripts written without spaces.

Terms become 32-bit codes, so that no vocabulary is stored; scoring them is done in `index/bm25.py`.
"""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np
import Stemmer

from knowledge.text.folding import folded, folded_places

# Han, kana, hangul, Thai, Lao, Khmer and Burmese: no spaces between words, or endings glued to them.
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
WORD_RUN = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+(?:\u0301)?")
_UNSPACED_START = re.compile(rf"[{UNSPACED}]")
TERMS_VERSION = "2"  # grows when a text gets other terms than before
SENTENCE_END = 0  # among the codes of a passage; no term has this code


def terms(text: str) -> list[str]:
    """The terms of a text, in reading order."""
    found: list[str] = []
    for match in WORD_RUN.finditer(folded(text)):
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
            pairs, alike = range(len(run) - 1), folded_places(run)
            found = [(start + at, start + at + 2) for at in pairs if alike[at : at + 2] in wanted]
        for span in found:
            if spans and span[0] <= spans[-1][1]:
                spans[-1] = (spans[-1][0], span[1])
            else:
                spans.append(span)
    return spans


def term_codes(text: str) -> np.ndarray:
    """The terms as 32-bit hashes: what is stored, without a vocabulary that would have to be kept in step."""
    return np.fromiter((_code(term) for term in terms(text)), dtype=np.uint32)


def passage_codes(context: str, sentences: Sequence[tuple[int, int]]) -> np.ndarray:
    """The codes of the title and headings in front of the sentences, then of each sentence after a SENTENCE_END."""
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
