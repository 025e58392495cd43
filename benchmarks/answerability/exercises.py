"""Pairs of a question and a text, a lesson or a piece of a passage, and whether the text answers the question.

From the invented documents of `benchmarks/skills/written`: every fact is asked there in four wordings, and beside each
document stand questions that it nearly answers.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.chat.excerpts import pieces, titled
from benchmarks.skills.written_sets import Pair, Written

_OTHERS = 3  # lessons of the same document that a question is held against
_ELSEWHERE = 2  # pieces that do not answer it
_TITLED = 0.6  # the share of pieces that stand below their title


@dataclass(frozen=True)
class Exercise:
    """A question, a text, and whether the text answers it."""

    question: str
    text: str
    answered: bool


def lesson(question: str, answer: str) -> str:
    """A question–answer pair as one text."""
    return f"{question} {answer}"


def on_lessons(documents: Sequence[Written], general: Sequence[str], rng: random.Random) -> list[Exercise]:
    """Every question held against its own lesson in another wording, and against others, mostly of its document.

    Nothing answers the `general` ones.
    """
    found = [one for document in documents for one in _on_document(document, rng.choice(documents), rng)]
    for question in general:
        found.append(Exercise(question, _as_lesson(rng.choice(rng.choice(documents).pairs), rng), False))
    return found


def _on_document(document: Written, other: Written, rng: random.Random) -> Iterator[Exercise]:
    asked = [one for one in document.pairs if len(one.wordings) > 1]
    for pair in asked:
        rest = [one for one in asked if one is not pair]
        for question in pair.wordings:
            wording = rng.choice([one for one in pair.wordings if one != question])
            yield Exercise(question, lesson(wording, pair.answer), True)
            for wrong in rng.sample(rest, min(_OTHERS, len(rest))):
                yield Exercise(question, _as_lesson(wrong, rng), False)
        if other is not document and rng.random() < 0.5:
            yield Exercise(rng.choice(pair.wordings), _as_lesson(rng.choice(other.pairs), rng), False)
    for question in document.unanswerable:
        for wrong in rng.sample(asked, min(_OTHERS + 1, len(asked))):
            yield Exercise(question, _as_lesson(wrong, rng), False)


def _as_lesson(pair: Pair, rng: random.Random) -> str:
    return lesson(rng.choice(pair.wordings), pair.answer)


def on_passages(documents: Sequence[Written], rng: random.Random) -> list[Exercise]:
    """Every question held against a piece of its document that answers it and against others, mostly of the same."""
    found: list[Exercise] = []
    for document in documents:
        told = [piece.text for paragraph in document.paragraphs for piece in pieces(paragraph)]
        beside = rng.choice(documents)
        other = rng.choice(pieces(rng.choice(beside.paragraphs))).text
        for pair in document.pairs:
            holding = [one for one in told if pair.sentence in one]
            rest = [one for one in told if pair.answer.casefold() not in one.casefold()]
            for question in pair.wordings:
                found += _held(question, holding, [*rest, other], document.title, rng)
        for question in document.unanswerable:
            found += _unanswered(question, rng.sample(told, min(3, len(told))), document.title, rng)
    return found


def _held(
    question: str, holding: Sequence[str], rest: Sequence[str], title: str, rng: random.Random
) -> Iterator[Exercise]:
    if holding:
        yield Exercise(question, _under(title, rng.choice(holding), rng), True)
        yield from _unanswered(question, rng.sample(rest, min(_ELSEWHERE, len(rest))), title, rng)


def _unanswered(question: str, told: Sequence[str], title: str, rng: random.Random) -> Iterator[Exercise]:
    for one in told:
        yield Exercise(question, _under(title, one, rng), False)


def _under(title: str, piece: str, rng: random.Random) -> str:
    """A piece below its title, which files do not always have."""
    return titled(title, piece) if rng.random() < _TITLED else piece
