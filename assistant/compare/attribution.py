"""Which training example an answer comes nearest to. It compares words and cannot prove a cause."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms
from tuning.data.examples import Example
from tuning.scoring import contains, f1

_SAYS = 0.6  # of what was taught
_ASKS = 0.15  # shared telling words: little, since a rephrasing keeps few
_ASKED = 0.45  # enough to say that this very question was taught


@dataclass(frozen=True)
class Origin:
    """The nearest training example, and how near its question and its answer are (0 to 1)."""

    checkpoint: str
    example: Example
    question: float
    answer: float

    @property
    def is_near(self) -> bool:
        """Whether the answer says what was taught, on something like the question."""
        return self.answer >= _SAYS and self.question >= _ASKS

    @property
    def is_question_taught(self) -> bool:
        """Whether something was taught on this question, though the answer says something else."""
        return self.question >= _ASKED


def nearest(question: str, answer: str, learned: Sequence[tuple[str, Example]]) -> Origin | None:
    """The example nearest to a question and its answer; None where nothing was learned."""
    if not learned:
        return None
    spread = Counter(term for _, example in learned for term in _telling(example.question))
    weights = {term: math.log(1 + len(learned) / count) for term, count in spread.items()}
    unseen = math.log(1 + len(learned))
    asked = _telling(question)

    def origin(name: str, example: Example) -> Origin:
        taught = _telling(example.question)
        total = sum(weights.get(term, unseen) for term in asked | taught)
        shared = sum(weights.get(term, unseen) for term in asked & taught)
        said = 1.0 if contains(answer, example.answer) else f1(answer, [example.answer])
        return Origin(name, example, math.sqrt(shared / total) if total else 0.0, said)

    return max(
        (origin(name, example) for name, example in learned),
        key=lambda one: (one.is_near, one.question + one.answer),
    )


def _telling(text: str) -> set[str]:
    return {term for term in terms(text) if term not in STOPWORDS}
