"""Arms side by side: over a file of questions, with figures and their worth, or streaming on one question."""

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np

from assistant.answer_cache import AnswerCache
from assistant.arms import Arm, Question
from assistant.chat import Chat, ChatEvent, How, Source, Turn
from assistant.engines import Engine, Message
from assistant.errors import CompareError
from assistant.statistics import bootstrap_mean, holm, paired
from tuning.scoring import exact_match, f1, is_correct

log = logging.getLogger(__name__)

MAX_NEW_TOKENS = 48
MOST_SIDE_BY_SIDE = 4
_AT_ONCE = 16
OnAnswered = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Answered:
    """One arm's answer to one question."""

    text: str
    correct: bool
    f1: float
    exact_match: float
    prompt_tokens: int
    seconds: float
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Every arm's answer to every question; the figures are computed from them."""

    questions: tuple[Question, ...]
    arms: tuple[Arm, ...]
    # arm name -> answers in the order of the questions
    answers: dict[str, tuple[Answered, ...]]
    seconds: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)

    def figures(self, arm: str, chosen: Sequence[int] | None = None) -> dict[str, Any]:
        """An arm's figures over all or the chosen questions."""
        places = range(len(self.questions)) if chosen is None else chosen
        answers = [self.answers[arm][place] for place in places]
        clusters = [self._cluster(place) for place in places]
        interval = bootstrap_mean([float(answer.correct) for answer in answers], clusters)
        return {
            "accuracy": _mean([answer.correct for answer in answers]),
            "f1": _mean([answer.f1 for answer in answers]),
            "exact_match": _mean([answer.exact_match for answer in answers]),
            "confidence_interval": [interval.low, interval.high],
            "tokens_per_prompt": _mean([answer.prompt_tokens for answer in answers]),
            "seconds": sum(answer.seconds for answer in answers),
            "correct": sum(answer.correct for answer in answers),
            "n": len(answers),
        }

    def slices(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Slice name -> arm -> figures, where the questions have a "slice"."""
        names = dict.fromkeys(
            str(question.about["slice"]) for question in self.questions if "slice" in question.about
        )
        return {
            name: {
                arm.name: self.figures(
                    arm.name,
                    [
                        place
                        for place, question in enumerate(self.questions)
                        if str(question.about.get("slice")) == name
                    ],
                )
                for arm in self.arms
            }
            for name in names
        }

    def pairs(self) -> list[dict[str, Any]]:
        """Every two arms: exact McNemar test, adjusted by Holm, and the difference with its interval."""
        clusters = [self._cluster(place) for place in range(len(self.questions))]
        tested = [
            (first.name, second.name, paired(self._correct(first.name), self._correct(second.name), clusters))
            for first, second in combinations(self.arms, 2)
        ]
        adjusted = holm([test.p_value for _, _, test in tested])
        return [
            {
                "arms": [first, second],
                "difference": test.difference,
                "confidence_interval": [test.interval.low, test.interval.high],
                "only_first": test.only_first,
                "only_second": test.only_second,
                "p_value": test.p_value,
                "p_value_holm": p_holm,
            }
            for (first, second, test), p_holm in zip(tested, adjusted, strict=True)
        ]

    def rows(self) -> list[dict[str, Any]]:
        """One line a question with every arm's answer."""
        return [
            {
                "question": question.text,
                "expected": list(question.answers),
                **question.about,
                "answers": {arm.name: self.answers[arm.name][place].text for arm in self.arms},
                "correct": {arm.name: self.answers[arm.name][place].correct for arm in self.arms},
            }
            for place, question in enumerate(self.questions)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as the command line's JSON."""
        return {
            "arms": {arm.name: self.figures(arm.name) for arm in self.arms},
            "pairs": self.pairs(),
            "slices": self.slices(),
            "rows": self.rows(),
            "seconds": self.seconds,
            **self.about,
        }

    def _correct(self, arm: str) -> list[bool]:
        return [answer.correct for answer in self.answers[arm]]

    def _cluster(self, place: int) -> Hashable:
        """Questions about one fact stand or fall together."""
        fact = self.questions[place].about.get("fact")
        return place if fact is None else str(fact)


def compare(
    chat: Chat,
    engine: Engine,
    questions: Sequence[Question],
    arms: Sequence[Arm],
    common: How,
    *,
    cache: AnswerCache | None = None,
    on_answered: OnAnswered | None = None,
    stop: threading.Event | None = None,
) -> Comparison:
    """Let every arm answer every question, each on its own, greedily. Raises CompareError, AssistantError.

    Answers in `cache` are not asked again. `on_answered(arm, done, total)` hears of each batch. An answer has
    at most MAX_NEW_TOKENS tokens.
    """
    began = time.monotonic()
    common = replace(common, temperature=0.0, max_new_tokens=min(common.max_new_tokens, MAX_NEW_TOKENS))
    retrieved, writer = _Retrieved(chat), _Writer(engine, cache)
    answers: dict[str, tuple[Answered, ...]] = {}
    total = len(questions) * len(arms)
    for arm in arms:
        found: list[Answered] = []
        for start in range(0, len(questions), _AT_ONCE):
            if stop is not None and stop.is_set():
                raise CompareError("The comparison was stopped before every question was answered.")
            found += _answer(chat, questions[start : start + _AT_ONCE], arm.how(common), retrieved, writer)
            if on_answered is not None:
                on_answered(arm.name, len(questions) * len(answers) + len(found), total)
        answers[arm.name] = tuple(found)
    return Comparison(tuple(questions), tuple(arms), answers, time.monotonic() - began)


class _Retrieved:
    """Passages of a question and the seconds they took: looked up once, charged to every arm."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._known: dict[str, tuple[tuple[Source, ...], float]] = {}

    def __call__(self, question: str, how: How) -> tuple[tuple[Source, ...], float]:
        if not how.uses_documents:
            return (), 0.0
        if question not in self._known:
            began = time.monotonic()
            passages = self._chat.retrieve(question, how)
            self._known[question] = (passages, time.monotonic() - began)
        return self._known[question]


class _Writer:
    """Texts for prompts, each with its seconds: from the cache, or from the engine and then kept."""

    def __init__(self, engine: Engine, cache: AnswerCache | None) -> None:
        self._engine = engine
        self._cache = cache

    def __call__(self, prompts: Sequence[Sequence[Message]], how: How) -> list[tuple[str, float]]:
        identity = self._engine.identity(how.checkpoint) if self._cache is not None else None
        if self._cache is None or identity is None:
            return self._write(prompts, how)
        keys = [self._cache.key(identity, prompt, how.max_new_tokens) for prompt in prompts]
        missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if not self._cache.get(key)}
        if missing:
            self._cache.add(dict(zip(missing, self._write(list(missing.values()), how), strict=True)))
        return [self._cache.get(key) or ("", 0.0) for key in keys]

    def _write(self, prompts: Sequence[Sequence[Message]], how: How) -> list[tuple[str, float]]:
        began = time.monotonic()
        texts = self._engine.complete(prompts, checkpoint=how.checkpoint, max_new_tokens=how.max_new_tokens)
        each = (time.monotonic() - began) / len(prompts)
        return [(text, each) for text in texts]


def _answer(
    chat: Chat, questions: Sequence[Question], how: How, retrieved: _Retrieved, writer: _Writer
) -> list[Answered]:
    looked_up = [retrieved(question.text, how) for question in questions]
    budgets = [
        chat.budget(Turn(question=question.text, passages=passages), how)
        for question, (passages, _) in zip(questions, looked_up, strict=True)
    ]
    written = writer([budget.messages for budget in budgets], how)
    return [
        Answered(
            text=text,
            correct=is_correct(text, question.answers),
            f1=f1(text, question.answers),
            exact_match=exact_match(text, question.answers),
            prompt_tokens=budget.total,
            seconds=writing + seconds,
            sources=passages[: len(budget.passages)],
        )
        for (text, writing), question, budget, (passages, seconds) in zip(
            written, questions, budgets, looked_up, strict=True
        )
    ]


def side_by_side(
    chat: Chat, question: str, arms: Sequence[Arm], common: How, *, stop: threading.Event | None = None
) -> Iterator[tuple[Arm, ChatEvent]]:
    """One question to several arms, one after the other since they share a model; events as in `Chat.ask`."""
    if not 2 <= len(arms) <= MOST_SIDE_BY_SIDE:
        raise CompareError(f"Side by side are two to {MOST_SIDE_BY_SIDE} arms, and {len(arms)} were chosen.")
    for arm in arms:
        if stop is not None and stop.is_set():
            return
        for event in chat.ask(question, arm.how(common), stop=stop):
            yield arm, event


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
