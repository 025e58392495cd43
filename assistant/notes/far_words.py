"""The lesson that a question asks for in far words, and answers that no lesson holds.

An embedding model's vectors do not tell the right lesson from its neighbours: a judge says of each lesson how surely it
answers the question. See docs/memory-log.md, "Lessons beside the weights".
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from assistant.language.text import has_chinese
from assistant.notes.matching import knows_the_names, may_answer, shares_a_name
from tuning.data.examples import Example
from tuning.scoring import contains, normalise

UNREAD = -99.0  # the log-odds of a lesson in a language that the judge does not know
_PHRASE, _PHRASE_ZH = 40, 15  # characters at most


class Judge(NamedTuple):
    """What tells whether a lesson answers a question, in the languages that it knows."""

    score: Callable[
        [str, Sequence[Example]], np.ndarray
    ]  # question, lessons -> [lessons], the higher the surer
    enough: float  # from which score on a lesson is quoted
    enough_beside_documents: float  # there a passage may answer
    possible: float  # below it a lesson answers something else
    possible_beside_documents: float  # the same, where passages were read and hold no answer


def in_far_words(
    question: str, lessons: Sequence[Example], judge: Judge, beside_documents: bool = False
) -> Example | None:
    """The lesson that answers the question in the judge's opinion; None where none surely does."""
    judged = _judged(question, [lesson for lesson in lessons if may_answer(question, lesson)], judge)
    if not judged:
        return None
    best, score = judged[0]
    enough = judge.enough_beside_documents if beside_documents else judge.enough
    return best if score >= enough else None


def nearest(question: str, lessons: Sequence[Example], judge: Judge) -> Example | None:
    """The lesson that comes nearest to what is asked, for a person to look at; None where none is about it."""
    judged = _judged(question, [lesson for lesson in lessons if knows_the_names(question, lesson)], judge)
    return judged[0][0] if judged and judged[0][1] >= judge.possible else None


def _judged(question: str, lessons: Sequence[Example], judge: Judge) -> list[tuple[Example, float]]:
    """The lessons with their scores, the surest first."""
    if not lessons:
        return []
    scores = judge.score(question, lessons)
    return [(lessons[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]


def is_made_up(
    question: str, answer: str, lessons: Sequence[Example], judge: Judge, passages: Sequence[str] = ()
) -> bool:
    """Whether weights that learned the lessons say what none of them holds, to a question about what they are about.

    They answer such a question with something else that they learned, or invent. An answer about the rest of the
    world is none of them: neither it nor the question names what the lessons speak of, and it is no lesson's phrase.
    Nor does the question name anything in the `passages`, which were found for it and hold no answer: beside them a
    lesson has to answer more surely.
    """
    told = [as_text(lesson) for lesson in lessons]
    if not (
        shares_a_name(question, [*told, *passages])
        or shares_a_name(f"It: {answer}", told)
        or any(" " in normalise(one.answer) and contains(answer, one.answer) for one in lessons)
    ):
        return False
    if any(contains(question, lesson.answer) for lesson in lessons):
        return False  # it asks from the other end, where an answer may be what a lesson's question is about
    # Not `may_answer`: "up to what hour" asks for a lesson that says how long.
    possible = [lesson for lesson in lessons if knows_the_names(question, lesson)]
    said = [lesson for lesson in possible if contains(answer, lesson.answer) or _is_long(lesson.answer)]
    scores = judge.score(question, said or possible[:1])
    if (scores <= UNREAD).any():
        return False  # nobody can tell
    enough = judge.possible_beside_documents if passages else judge.possible
    return not said or float(scores.max()) < enough


def _is_long(answer: str) -> bool:
    """Whether an answer is more than a phrase: it may be said in other words."""
    return len(answer) > (_PHRASE_ZH if has_chinese(answer) else _PHRASE)


def as_text(lesson: Example) -> str:
    """A lesson as it is read and compared."""
    return f"{lesson.question} {lesson.answer}"


def is_latin(text: str) -> bool:
    """Whether all letters of a text are Latin."""
    return not any(one.isalpha() and not unicodedata.name(one, "").startswith("LATIN") for one in text)
