"""Is any of what was found about the question? Calibrated, so that the assistant can say "nothing was found".

Two measures that do not depend on the size of the index: the cosine of question and passage, and the share of
the question's content words, weighted by inverse document frequency, that the passage contains; a logistic curve
over both is the probability. Fitted on SQuAD, XQuAD, DRCD and CMRC 2018, each question once with its article in
the index and once without.
"""

import math
import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from knowledge.text.stopwords import STOPWORD_CODES
from knowledge.text.terms import WORD_RUN, is_unspaced, term_codes

SHARED_WORDS = 0.15  # the coverage from which question and passage count as in one language
MIN_RELEVANCE = 0.12  # loses about 2 of 100 questions that have an answer
# Of `min_relevance`: so little is enough for the best passage where it has what the question names. Chosen on eight
# sets of own documents and two of Wikipedia together.
NAMED_SHARE = 1 / 6
# Where BM25 decides alone, the highest coverage that chance gives grows with the logarithm of the number of passages:
# the curve holds for 40 and more, and fewer need less. Measured on XQuAD in Chinese, chosen on documents of one's own.
FULL_INDEX, FEWEST = 40, 8
PER_LOG_PASSAGES = 0.45
_NAME = re.compile(r"(?<!^)(?<![.?!:]\s)\b(?!I\b)[A-Z][\w'’-]*")


@dataclass(frozen=True)
class Named:
    """What a question names: words with a capital within a sentence, and pairs of words that stand side by side.

    In other words than the document's a question may share nothing but the name with the passage that answers it.
    """

    names: frozenset[int]  # term codes
    pairs: frozenset[tuple[int, int]]

    @classmethod
    def of(cls, question: str) -> "Named":
        """Only of words that spaces divide: three characters of Chinese stand side by side in any text."""
        words = [word for word in WORD_RUN.findall(question) if not is_unspaced(word)]
        codes = term_codes(" ".join(words)).tolist()
        pairs = (pair for pair in pairwise(codes) if not STOPWORD_CODES.intersection(pair))
        return cls(frozenset(term_codes(" ".join(_NAME.findall(question))).tolist()), frozenset(pairs))

    def is_in(self, passage: np.ndarray) -> bool:
        """Whether a passage, as term codes, has all the names, or one of the pairs."""
        codes = passage.tolist()
        every = bool(self.names) and self.names.issubset(codes)
        return every or not self.pairs.isdisjoint(pairwise(codes))


def content_terms(codes: np.ndarray) -> np.ndarray:
    """The term codes that are not stop words, each once."""
    return np.array(
        [code for code in dict.fromkeys(codes.tolist()) if code not in STOPWORD_CODES], dtype=np.uint32
    )


def probability(cosine: float, coverage: float, fluency: float, passages: int = FULL_INDEX) -> float:
    """That one of so many passages is about the question.

    `fluency`: how well the embedding model knows its language.
    """
    logit = 8.5 * fluency * cosine + (11.0 - 3.3 * fluency) * coverage - (4.0 + 3.6 * fluency)
    fewer = math.log(FULL_INDEX / min(max(passages, FEWEST), FULL_INDEX))
    logit += PER_LOG_PASSAGES * (1 - fluency) * fewer
    return 1 / (1 + math.exp(-logit))


def expected_highest(passages: int) -> float:
    """How many standard deviations the highest cosine of so many unrelated passages exceeds their mean (normal)."""
    root = math.sqrt(2 * math.log(max(passages, 3)))
    return root - (math.log(math.log(max(passages, 3))) + math.log(4 * math.pi)) / (2 * root)


def probability_by_excess(excess: float, coverage: float) -> float:
    """The same for a multilingual model whose cosines say little by themselves.

    `excess`: by how many standard deviations the cosine exceeds the highest that is expected by chance. Where question
    and passage share no words they may be in different languages, and the vectors decide alone. Fitted on XQuAD in
    English, Chinese, Russian and Arabic, each question with its article in the index and without: within a language
    1 to 5 of 100 questions with an answer are lost and 73 to 92 of those without are refused; across languages
    little can be told, and 1 of 6 is refused.
    """
    shares = coverage >= SHARED_WORDS
    logit = 2.85 * excess + 9.4 * coverage - 6.8 if shares else 2.15 * excess - 1.4
    return 1 / (1 + math.exp(-logit))
