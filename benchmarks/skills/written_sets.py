"""Exercises from the documents and chat messages in `written/`: invented for this, and nothing in them is true.

A document has questions in several wordings and questions that it nearly answers; a message has the pairs it holds.
Contexts are cut as the chat cuts them, so that what is asked may be missing from what is shown: then refusing is right.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.chat.excerpts import excerpts, units
from assistant.curation.labeller import labelling_prompt
from assistant.language.text import has_chinese
from benchmarks.skills.tasks import NOTHING, NOTHING_ZH, Task, read, refuse, rephrasing_prompt

FOLDER = Path(__file__).parent / "written"
KEPT_ASIDE = 10  # one document and one message of so many are only for measuring
_TOKENS = 200  # of a context, as four passages are quoted
_MOST_READ, _MOST_REFUSED = 7, 3  # exercises on one context


@dataclass(frozen=True)
class Pair:
    """A fact of a document: wordings of one question, the answer as it stands there, the sentence that holds it."""

    wordings: tuple[str, ...]
    answer: str
    sentence: str


@dataclass(frozen=True)
class Written:
    """An invented document: its paragraphs, what is asked of it, and what it does not answer."""

    title: str
    paragraphs: tuple[str, ...]
    pairs: tuple[Pair, ...]
    unanswerable: tuple[str, ...]

    @property
    def is_chinese(self) -> bool:
        """Whether it is written in Chinese."""
        return has_chinese(self.paragraphs[0])


@dataclass(frozen=True)
class Message:
    """A message of a chat, and the question–answer pairs that it holds."""

    text: str
    pairs: tuple[tuple[str, str], ...]


def documents(aside: bool = False) -> list[Written]:
    """The documents to train on, or those kept aside to measure by."""
    lines = _lines("articles-*.jsonl")
    return [_document(one) for at, one in enumerate(lines) if (at % KEPT_ASIDE == 4) == aside]


def messages(aside: bool = False) -> list[Message]:
    """The messages to train on, or those kept aside to measure by."""
    lines = _lines("messages-*.jsonl")
    chosen = [one for at, one in enumerate(lines) if (at % KEPT_ASIDE == 4) == aside]
    return [Message(one["text"], tuple((q, a) for q, a in one["pairs"])) for one in chosen]


def _lines(pattern: str) -> list[dict]:
    files = sorted(FOLDER.glob(pattern))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line]


def _document(line: dict) -> Written:
    paragraphs = tuple(one.strip() for one in line["text"].split("\n\n") if one.strip())
    told = [unit for paragraph in paragraphs for unit in units(paragraph)]
    asked = [(tuple(one["q"]), one["a"]) for one in line["pairs"]]
    asked += [((one["q"],), one["a"]) for one in line.get("reversed", ())]
    pairs = [Pair(wordings, answer, _holding(told, wordings, answer)) for wordings, answer in asked]
    return Written(
        line["title"], paragraphs, tuple(one for one in pairs if one.sentence), tuple(line["unanswerable"])
    )


def _holding(told: Sequence[str], wordings: Sequence[str], answer: str) -> str:
    """The sentence that the answer stands in; of several the one that shares most with the question."""
    asked = set("".join(wordings).casefold())
    words = {word for one in wordings for word in one.casefold().split()}
    holding = [one for one in told if answer.casefold() in one.casefold()]
    key = (lambda one: len(asked & set(one))) if has_chinese(answer + wordings[0]) else None
    return max(holding, key=key or (lambda one: len(words & set(one.casefold().split()))), default="")


class WrittenGroups:
    """Draws groups of exercises on one context each, and single ones of the other skills."""

    def __init__(
        self, found: Sequence[Written], said: Sequence[Message], count: Callable[[str], int]
    ) -> None:
        """`count` counts the tokens of a text."""
        self._documents = {zh: [one for one in found if one.is_chinese == zh] for zh in (False, True)}
        self._messages = {zh: [one for one in said if has_chinese(one.text) == zh] for zh in (False, True)}
        self._count = count

    def size(self, chinese: bool) -> int:
        """How many documents there are."""
        return len(self._documents[chinese])

    def reading(self, chinese: bool, turn: int, rng: random.Random) -> list[Task]:
        """Questions on what the chat would quote of a document for one of them, beside others' passages."""
        known = self._documents[chinese]
        tasks = list(self._asked(known[in_turn(len(known), turn)], rng.sample(known, 3), rng))
        return rng.sample(tasks, len(tasks))

    def _asked(self, document: Written, others: Sequence[Written], rng: random.Random) -> Iterator[Task]:
        lead = rng.choice([rng.choice(document.pairs).wordings[0], rng.choice(document.unanswerable)])
        own = list(document.paragraphs)
        passages = ["\n".join(own)] if rng.random() < 0.5 else [own[0], "\n".join(own[1:])]
        others = [one for one in others if one is not document]
        passages += ["\n".join(one.paragraphs) for one in others[: rng.choice((0, 1, 2, 2))]]
        if rng.random() < 0.3:
            rng.shuffle(passages)
        shown = [one for one in excerpts(lead, [one for one in passages if one], _TOKENS, self._count) if one]
        text = "\n".join(shown)
        held, absent = [], [rng.choice(document.unanswerable)]
        absent += rng.sample(document.unanswerable, rng.choice((0, 1, 1)))
        for pair in rng.sample(document.pairs, len(document.pairs)):
            if pair.sentence in text:
                held.append(pair)
            elif pair.answer.casefold() not in text.casefold() and len(absent) < _MOST_REFUSED:
                absent.append(rng.choice(pair.wordings))
        for pair in held[:_MOST_READ]:
            yield read(shown, _typed(rng.choice(pair.wordings), rng), (pair.answer,))
        for question in dict.fromkeys(absent[: 3 if len(held) > 2 else 1]):
            yield refuse(shown, _typed(question, rng))

    def asking(self, chinese: bool, turn: int, rng: random.Random) -> Task:
        """A message, or a paragraph of a document, and the pairs that it holds."""
        if rng.random() < 0.75:
            said = self._messages[chinese]
            message = said[in_turn(len(said), turn)]
            return pairs_task(message.text, message.pairs)
        while True:
            document = rng.choice(self._documents[chinese])
            paragraph = rng.choice(document.paragraphs)
            held = [one for one in document.pairs if len(one.wordings) > 1 and one.sentence in paragraph]
            if held and self._count(paragraph) < 130:
                held.sort(key=lambda one: paragraph.find(one.answer))
                return pairs_task(paragraph, [(one.wordings[0], one.answer) for one in held])

    def rephrasing(self, chinese: bool, rng: random.Random) -> Task:
        """A question, and the same in other words."""
        while True:
            pair = rng.choice(rng.choice(self._documents[chinese]).pairs)
            if len(pair.wordings) > 2:
                first, *others = rng.sample(pair.wordings, len(pair.wordings))
                return Task("rephrase", rephrasing_prompt(first), "\n".join(others))


def pairs_task(text: str, pairs: Sequence[tuple[str, str]]) -> Task:
    """A text, and the pairs in it; a word that says so where it holds none."""
    nothing = NOTHING_ZH if has_chinese(text) else NOTHING
    written = "\n".join(f"Q: {question}\nA: {answer}" for question, answer in pairs)
    return Task("ask", labelling_prompt(text), written or nothing)


def in_turn(size: int, turn: int) -> int:
    """The place of a turn: each once, in an order of its own, before any comes again."""
    round_, place = divmod(turn, size)
    return random.Random(f"written {round_}").sample(range(size), size)[place]


def _typed(question: str, rng: random.Random) -> str:
    """The question as people type it: some leave the capital or the mark out."""
    if rng.random() < 0.12:
        question = question[0].lower() + question[1:]
    return question.rstrip("?？") if rng.random() < 0.1 else question
