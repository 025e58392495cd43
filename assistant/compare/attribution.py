"""The training example that an answer is nearest to. It compares words and cannot prove a cause."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms
from tuning.data.examples import Example
from tuning.scoring import contains, f1

# Similarities from which on …
_MIN_ANSWER = 0.6  # an answer says what the example says
_MIN_QUESTION = (
    0.15  # a question may be a rephrasing of the example's; low, since rephrasings share few words
)
_SAME_QUESTION = 0.45  # a question is the example's


@dataclass(frozen=True)
class NearestExample:
    """The nearest training example, and the similarity of its question and its answer (0 to 1)."""

    # The checkpoint whose training had it.
    checkpoint: str
    example: Example
    question_similarity: float
    answer_similarity: float

    @property
    def is_near(self) -> bool:
        """Whether the answer says what was taught, on a similar question."""
        return self.answer_similarity >= _MIN_ANSWER and self.question_similarity >= _MIN_QUESTION

    @property
    def is_question_taught(self) -> bool:
        """Whether this question was taught, whatever the answer says."""
        return self.question_similarity >= _SAME_QUESTION


def nearest_example(
    question: str, answer: str, learned: Sequence[tuple[str, Example]]
) -> NearestExample | None:
    """The example nearest to a question and its answer; None where nothing was learned.

    Questions are similar by their content words, weighted by inverse document frequency over the examples.
    """
    if not learned:
        return None
    counts = Counter(term for _, example in learned for term in _content_terms(example.question))
    weights = {term: math.log(1 + len(learned) / count) for term, count in counts.items()}
    unseen = math.log(1 + len(learned))
    asked = _content_terms(question)

    def compared(checkpoint: str, example: Example) -> NearestExample:
        taught = _content_terms(example.question)
        total = sum(weights.get(term, unseen) for term in asked | taught)
        shared = sum(weights.get(term, unseen) for term in asked & taught)
        in_answer = 1.0 if contains(answer, example.answer) else f1(answer, [example.answer])
        return NearestExample(checkpoint, example, math.sqrt(shared / total) if total else 0.0, in_answer)

    return max(
        (compared(checkpoint, example) for checkpoint, example in learned),
        key=lambda one: (one.is_near, one.question_similarity + one.answer_similarity),
    )


def _content_terms(text: str) -> set[str]:
    return {term for term in terms(text) if term not in STOPWORDS}
