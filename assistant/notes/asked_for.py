"""Which lesson a question asks for: near its wordings, from its other end, or in far words."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from assistant.notes.asked_back import asked_back
from assistant.notes.matching import Encode, closest
from assistant.notes.nearest import Likelihood, in_far_words, is_latin
from tuning.data.examples import Example


class AskedFor(NamedTuple):
    """A lesson, and the same as it is quoted: its answer may be what the lesson's question is about."""

    lesson: Example
    quoted: Example


def asked_for(
    question: str,
    lessons: Sequence[Example],
    encode: Encode,
    multilingual: Callable[[], Encode | None],
    likelihood: Likelihood | None,
    beside_documents: bool = False,
) -> AskedFor | None:
    """The lesson that the question asks for; None where none does. Raises KnowledgeError where no model opens.

    `likelihood` (of an answer, as the weights') and `multilingual` find lessons in far words: see `in_far_words`.
    """
    if (found := closest(question, lessons, encode)) is not None:
        return AskedFor(found, found)
    if (back := asked_back(question, lessons)) is not None:
        return AskedFor(*back)
    many = None if is_latin(question) else multilingual()
    far = in_far_words(question, lessons, encode, many, likelihood, beside_documents)
    return None if far is None else AskedFor(far, far)


def asked_for_by_words(question: str, lessons: Sequence[Example]) -> AskedFor | None:
    """The same without any vectors: in the very words of a lesson, or from its other end."""
    return asked_for(question, lessons, lambda texts: np.zeros((len(texts), 1)), lambda: None, None)
