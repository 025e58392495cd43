"""Exercises from SQuAD 2.0, CMRC 2018 and XQuAD: several questions on one excerpt, some of which it does not answer.

The files are read from a folder, never fetched and never committed; whole articles are kept aside to measure by.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.language.text import has_chinese, sentences
from benchmarks.skills.tasks import Task, read, refuse

FILES = ("squad-v2-dev.json", "cmrc2018_dev.json", "xquad.zh.json")
ASIDE = {"Warsaw", "Harvard_University", "Immune_system", "Force"}  # articles to measure by
_ASIDE_EVERY = 9  # of the articles of CMRC, which are one paragraph each
_MOST = 190  # characters of an excerpt count as this many tokens at most; see `_length`


@dataclass(frozen=True)
class Question:
    """A question with its answers; without any, nothing in the article answers it."""

    text: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of an article with its questions."""

    title: str
    text: str
    questions: tuple[Question, ...]


def read_paragraphs(folder: Path, aside: bool) -> list[list[Paragraph]]:
    """The articles of every file, as paragraphs: those to train on, or those kept aside."""
    articles = []
    for file in FILES:
        found = json.loads((folder / file).read_text(encoding="utf-8"))["data"]
        chosen = [one for at, one in enumerate(found) if _is_aside(one, at) == aside]
        articles += [[_paragraph(article, one) for one in article["paragraphs"]] for article in chosen]
    return articles


def _is_aside(article: dict[str, Any], number: int) -> bool:
    title = article.get("title", "")
    return title in ASIDE or (len(article["paragraphs"]) == 1 and number % _ASIDE_EVERY == 4)


def _paragraph(article: dict[str, Any], paragraph: dict[str, Any]) -> Paragraph:
    questions = tuple(
        Question(
            one["question"].strip(),
            tuple(sorted(filter(None, {answer["text"].strip() for answer in one["answers"]}), key=len)),
        )
        for one in paragraph["qas"]
    )
    return Paragraph(article.get("title", ""), paragraph["context"], questions)


class OpenGroups:
    """Draws groups of exercises on one excerpt each."""

    def __init__(self, articles: Sequence[Sequence[Paragraph]]) -> None:
        self._pools = {
            chinese: [one for one in articles if has_chinese(one[0].text) == chinese]
            for chinese in (False, True)
        }
        self._singles = [one[0] for one in self._pools[True] if len(one) == 1]

    def draw(self, chinese: bool, size: int, rng: random.Random) -> list[Task]:
        """So many exercises at most; at least one, of which about two in seven are to be refused."""
        while True:
            article = rng.choice(self._pools[chinese])
            paragraph = rng.choice(article)
            beside = rng.choice(article if len(article) > 1 else self._singles)
            passages, shown = _excerpt(paragraph, beside, chinese, rng)
            tasks = list(_tasks(passages, shown, paragraph, beside, rng))[:size]
            if tasks:
                return rng.sample(tasks, len(tasks))


def _tasks(
    passages: list[str], shown: str, paragraph: Paragraph, beside: Paragraph, rng: random.Random
) -> Iterator[Task]:
    """Exercises in random order: what is answered, then what is not, so that the latter stay the fewer."""
    held = [one for one in paragraph.questions if any(answer in shown for answer in one.answers)]
    absent = [one for one in paragraph.questions if not one.answers]
    if not absent and beside is not paragraph:
        absent = [one for one in beside.questions if not any(answer in shown for answer in one.answers)]
    held, absent = rng.sample(held, len(held)), rng.sample(absent, len(absent))
    for one in held[:4]:
        yield read(passages, one.text, [answer for answer in one.answers if answer in shown])
    for one in absent[: rng.choice((1, 1, 2)) if held else 1]:
        yield refuse(passages, one.text)


def _excerpt(
    paragraph: Paragraph, beside: Paragraph, chinese: bool, rng: random.Random
) -> tuple[list[str], str]:
    """Neighbouring sentences of the paragraph and a few of another, and the text that is shown."""
    own = _window(sentences(paragraph.text), _MOST - rng.randint(20, 80), chinese, rng)
    passages = [own]
    if rng.random() < 0.7 and beside is not paragraph:
        passages.append(_window(sentences(beside.text), rng.randint(25, 70), chinese, rng))
        rng.shuffle(passages)
    return passages, "\n".join(passages)


def _window(lines: Sequence[str], most: int, chinese: bool, rng: random.Random) -> str:
    """Neighbouring sentences from a random place on, about so many tokens long."""
    start = rng.randrange(len(lines)) if sum(_length(one, chinese) for one in lines) > most else 0
    kept, room = [lines[start]], most - _length(lines[start], chinese)
    for line in lines[start + 1 :]:
        room -= _length(line, chinese)
        if room < 0:
            break
        kept.append(line)
    return ("" if chinese else " ").join(kept)


def _length(text: str, chinese: bool) -> float:
    """About how many tokens a text has for the default model."""
    return len(text) * (1.4 if chinese else 0.24)


def about_tokens(text: str) -> int:
    """About how many tokens a text has for the default model, by its language."""
    return round(_length(text, has_chinese(text)))


def asking(articles: Sequence[Sequence[Paragraph]], prompt: Any, rng: random.Random) -> Task:
    """A sentence or two of a paragraph, and the questions on it as pairs."""
    while True:
        paragraph = rng.choice(rng.choice(articles))
        chinese = has_chinese(paragraph.text)
        text = _window(sentences(paragraph.text), rng.randint(25, 70), chinese, rng)
        held = [
            (one.text, answer) for one in paragraph.questions for answer in one.answers[:1] if answer in text
        ]
        if held and _length(text, chinese) < 150:
            chosen = rng.sample(held, min(3, len(held)))
            chosen.sort(key=lambda pair: text.index(pair[1]))
            return Task(
                "ask", prompt(text), "\n".join(f"Q: {asked}\nA: {answer}" for asked, answer in chosen)
            )
