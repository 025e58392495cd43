"""The lesson that a question asks for in far words, and answers that no lesson holds.

Vectors alone do not tell the right lesson from its neighbours: they find the nearest lessons, and a judge says of each
how surely it answers the question. See docs/memory-log.md, "Lessons beside the weights".
"""

import unicodedata
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np

from assistant.language.text import has_chinese
from assistant.notes.matching import Encode, knows_the_names, may_answer, shares_a_name
from tuning.data.examples import Example
from tuning.scoring import contains, normalise

_READ = 12  # lessons at most, the nearest
_PHRASE, _PHRASE_ZH = 40, 15  # characters at most
_SUBJECT = 2  # characters at least
_MARKS = "？?。 "


class Judge(NamedTuple):
    """What finds the lessons near a question and tells whether one answers it, in the languages that it knows."""

    encode: Encode
    score: Callable[
        [str, Sequence[Example]], np.ndarray
    ]  # question, lessons -> [lessons], the higher the surer
    enough: float  # from which score on a lesson is quoted
    enough_beside_documents: float  # there a passage may answer
    margin: float  # by which it is surer than any lesson with another answer
    possible: float  # below it a lesson answers something else


def in_far_words(
    question: str, lessons: Sequence[Example], judge: Judge, beside_documents: bool = False
) -> Example | None:
    """The lesson that answers the question in the judge's opinion; None where none surely does."""
    judged = _judged(question, [lesson for lesson in lessons if may_answer(question, lesson)], judge)
    if not judged:
        return None
    best, score = judged[0]
    others = [other for lesson, other in judged if normalise(lesson.answer) != normalise(best.answer)]
    enough = judge.enough_beside_documents if beside_documents else judge.enough
    is_clear = score - max(others, default=-np.inf) >= judge.margin
    return best if is_clear and score >= enough else None


def nearest(question: str, lessons: Sequence[Example], judge: Judge) -> Example | None:
    """The lesson that comes nearest to what is asked, for a person to look at; None where none is about it."""
    judged = _judged(question, [lesson for lesson in lessons if knows_the_names(question, lesson)], judge)
    return judged[0][0] if judged and judged[0][1] >= judge.possible else None


def _judged(question: str, lessons: Sequence[Example], judge: Judge) -> list[tuple[Example, float]]:
    """The lessons near the question with their scores, the surest first."""
    if not lessons:
        return []
    if len(lessons) > _READ:
        vectors = judge.encode([question, *map(as_text, lessons)])
        lessons = [lessons[place] for place in np.argsort(-(vectors[1:] @ vectors[0]))[:_READ]]
    scores = judge.score(question, lessons)
    return [(lessons[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]


def is_made_up(
    question: str, answer: str, lessons: Sequence[Example], judge: Judge, passages: Sequence[str] = ()
) -> bool:
    """Whether weights that learned the lessons say what none of them holds, to a question about what they are about.

    They answer such a question with something else that they learned, or invent. An answer about the rest of the
    world is none of them: neither it nor the question names what the lessons speak of, and it is no lesson's phrase.
    Nor does the question name anything in the `passages`, which were found for it and hold no answer.
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
    return not said or float(judge.score(question, said).max()) < judge.possible


def _is_long(answer: str) -> bool:
    """Whether an answer is more than a phrase: it may be said in other words."""
    return len(answer) > (_PHRASE_ZH if has_chinese(answer) else _PHRASE)


def as_text(lesson: Example) -> str:
    """A lesson as it is read and compared."""
    return f"{lesson.question} {lesson.answer}"


def by_likeness(encode: Encode, question: str, lessons: Sequence[Example]) -> np.ndarray:
    """How alike the question and each lesson are by vectors that know their language, -1 to 1.

    The mean of two cosines: of the whole texts, and of the questions without the longest text that both have, mostly
    the subject, which makes any two questions on one thing alike.
    """
    pairs = [without_subject(question, lesson.question) for lesson in lessons]
    vectors = encode([question, *map(as_text, lessons), *(text for pair in pairs for text in pair)])
    whole, bare = vectors[1 : len(lessons) + 1] @ vectors[0], vectors[len(lessons) + 1 :]
    return np.asarray((whole + (bare[::2] * bare[1::2]).sum(axis=1)) / 2)


def without_subject(one: str, other: str) -> tuple[str, str]:
    """Two questions with "it" in place of the longest text that both have, which mostly is what they are about."""
    one, other = one.rstrip(_MARKS), other.rstrip(_MARKS)
    same = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    if same.size < _SUBJECT:
        return one, other
    return (
        f"{one[: same.a]}它{one[same.a + same.size :]}",
        f"{other[: same.b]}它{other[same.b + same.size :]}",
    )


def is_latin(text: str) -> bool:
    """Whether all letters of a text are Latin."""
    return not any(one.isalpha() and not unicodedata.name(one, "").startswith("LATIN") for one in text)
