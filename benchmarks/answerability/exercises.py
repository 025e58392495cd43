"""Pairs of a question and a text, and whether the text answers it: lessons, passages, and open questions.

From the invented documents of `benchmarks/skills/written` and, for passages, the open sets of `benchmarks/skills`.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.skills.open_sets import Paragraph
from benchmarks.skills.written_sets import Pair, Written

_OTHERS = 3  # lessons of the same document that a question is held against
_MOST_PARAGRAPHS = 3


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
    """Every question held against its own lesson in another wording, and against others, mostly of its document."""
    return [
        one
        for document in documents
        for one in _on_lessons(document, rng.choice(documents), rng)
        if one.question not in general
    ] + [_stranger(question, documents, rng) for question in general]


def _on_lessons(document: Written, other: Written, rng: random.Random) -> Iterator[Exercise]:
    asked = [one for one in document.pairs if len(one.wordings) > 1]
    for pair in asked:
        rest = [one for one in asked if one is not pair]
        for question in pair.wordings:
            wording = rng.choice([one for one in pair.wordings if one != question])
            yield Exercise(question, lesson(wording, pair.answer), True)
            for wrong in rng.sample(rest, min(_OTHERS, len(rest))):
                yield Exercise(question, _as_lesson(wrong, rng), False)
        if rng.random() < 0.5:
            yield Exercise(
                rng.choice(pair.wordings), _as_lesson(rng.choice(other.pairs), rng), other is document
            )
    for question in document.unanswerable:
        for wrong in rng.sample(asked, min(_OTHERS + 1, len(asked))):
            yield Exercise(question, _as_lesson(wrong, rng), False)


def _as_lesson(pair: Pair, rng: random.Random) -> str:
    return lesson(rng.choice(pair.wordings), pair.answer)


def _stranger(question: str, documents: Sequence[Written], rng: random.Random) -> Exercise:
    return Exercise(question, _as_lesson(rng.choice(rng.choice(documents).pairs), rng), False)


def on_passages(
    documents: Sequence[Written], general: Sequence[str], rng: random.Random
) -> Iterator[Exercise]:
    """Every fact and every near miss held against some paragraphs of its document."""
    for document in documents:
        for pair in document.pairs:
            for question in rng.sample(pair.wordings, min(2, len(pair.wordings))):
                text = _some_paragraphs(document, pair.sentence if rng.random() < 0.5 else "", rng)
                yield Exercise(question, text, pair.sentence in text)
        for question in document.unanswerable:
            yield Exercise(question, _some_paragraphs(document, "", rng), False)
    for question in general:
        yield Exercise(question, _some_paragraphs(rng.choice(documents), "", rng), False)


def _some_paragraphs(document: Written, holding: str, rng: random.Random) -> str:
    """One to three paragraphs; with `holding` the one with that sentence is among them."""
    known = list(document.paragraphs)
    chosen = rng.sample(known, min(len(known), rng.choice((1, 1, 2, _MOST_PARAGRAPHS))))
    if holding and not any(holding in one for one in chosen):
        chosen[0] = next((one for one in known if holding in one), chosen[0])
    return "\n".join(chosen)


def on_articles(articles: Sequence[Sequence[Paragraph]], rng: random.Random) -> Iterator[Exercise]:
    """Questions of the open sets on their paragraphs; where all are answered, half on another one of the article."""
    for article in articles:
        refusable = any(not one.answers for paragraph in article for one in paragraph.questions)
        for paragraph in article:
            for one in paragraph.questions:
                other = rng.choice(article)
                if refusable or rng.random() < 0.5 or other is paragraph:
                    yield Exercise(one.text, paragraph.text, bool(one.answers))
                else:
                    yield Exercise(one.text, other.text, any(answer in other.text for answer in one.answers))
