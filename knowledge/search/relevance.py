"""Is any of what was found about the question? Calibrated, so that the assistant can say "nothing was found".

Two measures that do not depend on the size of the index: the cosine of question and passage, and the share of
the question's content words, weighted by inverse document frequency, that the passage contains; a logistic curve
over both is the probability. Fitted on SQuAD, XQuAD, DRCD and CMRC 2018, each question once with its article in
the index and once without.
"""

import math

import numpy as np

from knowledge.text.stopwords import STOPWORD_CODES

MIN_RELEVANCE = 0.12  # loses about 2 of 100 questions that have an answer


def content_terms(codes: np.ndarray) -> np.ndarray:
    """The term codes that are not stop words, each once."""
    return np.array(
        [code for code in dict.fromkeys(codes.tolist()) if code not in STOPWORD_CODES], dtype=np.uint32
    )


def probability(cosine: float, coverage: float, fluency: float) -> float:
    """That a passage is about the question; `fluency`: how well the embedding model knows its language."""
    logit = 8.5 * fluency * cosine + (11.0 - 3.3 * fluency) * coverage - (4.0 + 3.6 * fluency)
    return 1 / (1 + math.exp(-logit))
