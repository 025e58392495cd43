"""The sentence of the documents itself as the answer, where the model that would word one hardly knows the language.

No model is asked then. It chooses by words; what was retrieved is not its matter.
"""

from collections.abc import Sequence

from assistant.chat.excerpts import excerpts
from assistant.history.sources import Source
from assistant.language.text import has_chinese
from tuning.models.capability import ENGLISH_ALONE

_ONE_SENTENCE = 1  # tokens: the best one is taken whatever its length


def hardly_speaks(model: str, question: str) -> bool:
    """Whether a model of this name was taught in another language than the question is in."""
    return model in ENGLISH_ALONE and has_chinese(question)


def best_sentence(question: str, passages: Sequence[Source]) -> str:
    """The sentence, or the row of a table, that shares most with the question; "" without passages."""
    found = excerpts(question, [source.text for source in passages], _ONE_SENTENCE, len)
    return next((text.strip() for text in found if text.strip()), "")
