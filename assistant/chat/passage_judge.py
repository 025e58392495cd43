"""Whether retrieved passages answer a question, judged before a small model reads them.

A search finds what is about the same thing; a small model then writes an answer from it, whether one stands there or
not. The judge reads the question with each piece of the passages. It knows English, and questions for a fact.
"""

from collections.abc import Callable, Sequence

import numpy as np

from assistant.chat.excerpts import pieces, titled
from assistant.history.sources import Source

ENGLISH = ("en",)
Score = Callable[[str, Sequence[str]], np.ndarray]  # question, texts -> log-odds that each answers it [texts]
# Below it no piece answers; chosen on development questions: docs/memory-log.md.
HARDLY = -3.0


class PassageJudge:
    """Judges passages by what reads a question and a text together."""

    def __init__(self, score: Score) -> None:
        self._score = score

    def holds_no_answer(self, question: str, passages: Sequence[Source]) -> bool:
        """Whether the question asks for a fact that surely stands in none of the passages."""
        from assistant.notes.matching import asks_for_something_short  # heavy: the stemmer
        from knowledge.search.languages import is_in_another, languages_of

        if not passages or not asks_for_something_short(question):
            return False
        if is_in_another(question, ENGLISH) or languages_of(one.text for one in passages) != ENGLISH:
            return False
        return self.surest(question, passages) < HARDLY

    def is_about(self, question: str, passages: Sequence[Source]) -> bool:
        """Whether the question names something that the passages name."""
        from assistant.notes.matching import shares_a_name  # heavy: the stemmer

        return shares_a_name(question, [f"{source.title}. {source.text}" for source in passages])

    def surest(self, question: str, passages: Sequence[Source]) -> float:
        """The log-odds of the piece that answers most likely."""
        texts = [
            titled(", ".join(dict.fromkeys((source.title, *source.headings))), piece)
            for source in passages
            for piece in pieces(source.text)
        ]
        return float(self._score(question, texts).max(initial=-np.inf))
