"""Which lesson a question asks for: near its wordings, from its other end, or in far words."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from assistant.notes.asked_back import asked_back
from assistant.notes.far_words import Judge, in_far_words
from assistant.notes.matching import Encode, closest
from tuning.data.examples import Example


class AskedFor(NamedTuple):
    """A lesson, and the same as it is quoted: its answer may be what the lesson's question is about."""

    lesson: Example
    quoted: Example
    is_far: bool = False  # whether it is only the judge who takes it for what is asked


def asked_for(
    question: str,
    lessons: Sequence[Example],
    encode: Encode,
    judge: Callable[[str], Judge | None],
    beside_documents: bool = False,
) -> AskedFor | None:
    """The lesson that the question asks for; None where none does. Raises KnowledgeError where no model opens.

    `judge` is what tells for a question which lesson in far words answers it, or None: see `in_far_words`.
    """
    if (found := closest(question, lessons, encode)) is not None:
        return AskedFor(found, found)
    if (back := asked_back(question, lessons)) is not None:
        return AskedFor(*back)
    judging = judge(question)
    far = None if judging is None else in_far_words(question, lessons, judging, beside_documents)
    return None if far is None else AskedFor(far, far, is_far=True)


def asked_for_by_words(question: str, lessons: Sequence[Example]) -> AskedFor | None:
    """The same without any vectors: in the very words of a lesson, or from its other end."""
    return asked_for(question, lessons, lambda texts: np.zeros((len(texts), 1)), lambda question: None)
