"""Arms are asked: all questions of a set, in batches and resumable, or one question, streaming.

What the answers are worth is `comparison.py`'s work.
"""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, TurnState
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.questions import Question
from assistant.compare.results import Answered, Comparison, mark
from assistant.compare.variants import Variant
from assistant.engines.base import Engine
from assistant.errors import CompareError
from assistant.history.sources import Source
from tuning.data.examples import Message

MAX_NEW_TOKENS = 48
_AT_ONCE = 16
OnAnswered = Callable[[str, int, int], None]


def compare(
    chat: Chat,
    engine: Engine,
    questions: Sequence[Question],
    arms: Sequence[Variant],
    common: AnswerOptions,
    *,
    cache: AnswerCache | None = None,
    on_answered: OnAnswered | None = None,
    stop: threading.Event | None = None,
) -> Comparison:
    """Let every arm answer every question, each on its own. Raises CompareError, AssistantError.

    Answers in `cache` are not asked again. `on_answered(arm, done, total)` hears of each batch. An arm
    without sampling of its own answers greedily, with at most MAX_NEW_TOKENS tokens.
    """
    began = time.monotonic()
    asking = VariantRunner(chat, engine, common, cache)
    answers: dict[str, tuple[Answered, ...]] = {}
    total = len(questions) * len(arms)
    for arm in arms:
        found: list[Answered] = []
        for start in range(0, len(questions), _AT_ONCE):
            if stop is not None and stop.is_set():
                raise CompareError(
                    "The comparison was stopped before every question was answered; what was answered is kept."
                )
            found += asking(arm, questions[start : start + _AT_ONCE])
            if on_answered is not None:
                on_answered(arm.name, len(questions) * len(answers) + len(found), total)
        answers[arm.name] = tuple(found)
    return Comparison(tuple(questions), tuple(arms), answers, time.monotonic() - began)


class VariantRunner:
    """Asks arms the same questions under the same conditions, and looks each question up only once."""

    def __init__(
        self,
        chat: Chat,
        engine: Engine,
        common: AnswerOptions,
        cache: AnswerCache | None = None,
        *,
        max_tokens: int = MAX_NEW_TOKENS,
    ) -> None:
        self._chat = chat
        self._common = replace(common, temperature=0.0, max_new_tokens=min(common.max_new_tokens, max_tokens))
        self._retrieved, self._writer = _Retrieved(chat), _Writer(engine, cache)

    def __call__(self, arm: Variant, questions: Sequence[Question]) -> list[Answered]:
        """The arm's answers, in the order of the questions. Raises AssistantError, KnowledgeError."""
        hows = [arm.how(self._common, question.passage) for question in questions]
        looked_up = [self._retrieved(q.text, how) for q, how in zip(questions, hows, strict=True)]
        budgets = [
            self._chat.budget(TurnState(question=question.text, passages=passages), how)
            for question, how, (passages, _) in zip(questions, hows, looked_up, strict=True)
        ]
        written = self._writer([budget.messages for budget in budgets], hows[0])
        return [
            mark(
                question,
                text,
                prompt_tokens=budget.total,
                seconds=writing + seconds,
                sources=passages[: len(budget.passages)],
            )
            for (text, writing), question, budget, (passages, seconds) in zip(
                written, questions, budgets, looked_up, strict=True
            )
        ]


class _Retrieved:
    """Passages of a question and the seconds they took: looked up once, charged to every arm."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._known: dict[Hashable, tuple[tuple[Source, ...], float]] = {}

    def __call__(self, question: str, how: AnswerOptions) -> tuple[tuple[Source, ...], float]:
        if not how.reads_passages:
            return (), 0.0
        key = (question, how.given, how.knowledge_base, how.documents, how.passages)
        if key not in self._known:
            began = time.monotonic()
            passages = self._chat.retrieve(question, how)
            self._known[key] = (passages, time.monotonic() - began)
        return self._known[key]


class _Writer:
    """Texts for prompts, each with its seconds: from the cache, or from the engine and then kept."""

    def __init__(self, engine: Engine, cache: AnswerCache | None) -> None:
        self._engine = engine
        self._cache = cache

    def __call__(self, prompts: Sequence[Sequence[Message]], how: AnswerOptions) -> list[tuple[str, float]]:
        identity = self._engine.identity(how.checkpoint) if self._cache is not None else None
        if self._cache is None or identity is None:
            return self._write(prompts, how)
        if how.temperature > 0:
            identity = f"{identity}/{how.temperature}/{how.top_p}/{how.seed or 0}"
        keys = [self._cache.key(identity, prompt, how.max_new_tokens) for prompt in prompts]
        missing = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if not self._cache.get(key)}
        if missing:
            self._cache.add(dict(zip(missing, self._write(list(missing.values()), how), strict=True)))
        return [self._cache.get(key) or ("", 0.0) for key in keys]

    def _write(self, prompts: Sequence[Sequence[Message]], how: AnswerOptions) -> list[tuple[str, float]]:
        began = time.monotonic()
        if how.temperature > 0:
            texts = [self._sample(prompt, how) for prompt in prompts]
        else:
            texts = self._engine.complete(
                prompts, checkpoint=how.checkpoint, max_new_tokens=how.max_new_tokens
            )
        each = (time.monotonic() - began) / len(prompts)
        return [(text, each) for text in texts]

    def _sample(self, prompt: Sequence[Message], how: AnswerOptions) -> str:
        """One sampled answer; the same seed gives the same."""
        return "".join(
            self._engine.stream(prompt, replace(how.sampling, seed=how.seed or 0), checkpoint=how.checkpoint)
        )
