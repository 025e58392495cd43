"""An evaluation from its plan to its result: answers, costs, a judge's verdicts. It keeps no state of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from assistant.chat.chat import Chat
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.answers import ScoredAnswer
from assistant.compare.costs import break_even, measure
from assistant.compare.evaluations import EvaluationPlan
from assistant.compare.figures import AnswersByVariant, summarize
from assistant.compare.judge import Judging, judge_answers
from assistant.compare.results import EvaluationResult
from assistant.compare.variant_runner import VariantRunner
from assistant.compare.variants import StoredCheckpoint
from assistant.engines.base import Engine
from assistant.engines.forwarding import answering_engine
from assistant.errors import CompareError

# Questions; after each batch the progress is reported and a stop is heard. llama.cpp answers one after the other,
# whatever it is given; torch is quicker with many at once.
_BATCH_SIZE, _LLAMA_BATCH_SIZE = 16, 2

Phase = Literal["answering", "measuring", "judging"]


class OnProgress(Protocol):
    """Called after each step with the phase, how much of it is done, and the variant that answers."""

    def __call__(self, phase: Phase, done: int, total: int, variant: str = "") -> None: ...


def evaluate(
    plan: EvaluationPlan,
    chat: Chat,
    engine: Engine,
    *,
    cache: AnswerCache | None = None,
    checkpoints: Sequence[StoredCheckpoint] = (),
    judge: Judging | None = None,
    costs: bool = True,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> EvaluationResult:
    """Let every variant of the plan answer every question, and score, time and judge the answers.

    What is in `cache`, and what the judge has said before, is not asked again. `checkpoints` tell what training
    took. Raises AssistantError, KnowledgeError, and CompareError where `stop` was set.
    """
    _require_passages(plan)
    report: Callable[..., None] = on_progress or (lambda *_, **__: None)
    began = time.monotonic()
    answers = _answer_all(plan, VariantRunner(chat, engine, plan.defaults, cache), report, stop)
    seconds = time.monotonic() - began
    result = summarize(plan.name, plan.questions, plan.variants, answers, seconds=seconds)
    if costs:
        report("measuring", 0, len(plan.variants))
        measured = measure(chat, plan.questions, plan.variants, plan.defaults, stop=stop)
        evens = break_even(measured, plan.variants, checkpoints)
        result = replace(result, costs=tuple(measured), break_even=tuple(evens))
    if judge is not None:
        summary = judge_answers(
            judge,
            plan.questions,
            {name: [answer.text for answer in given] for name, given in answers.items()},
            on_judged=lambda done, total: report("judging", done, total),
            stop=stop,
        )
        result = replace(result, judge=summary)
    return result


def _require_passages(plan: EvaluationPlan) -> None:
    if any(one.given for one in plan.variants) and not any(one.passage for one in plan.questions):
        raise CompareError(
            "A variant is given the passage of each question, and no question of this set has one. Build a set "
            "from documents, or take the variant out."
        )


def _answer_all(
    plan: EvaluationPlan,
    runner: VariantRunner,
    report: Callable[..., None],
    stop: threading.Event | None,
) -> AnswersByVariant:
    answers: dict[str, list[ScoredAnswer]] = {}
    done = 0
    for variant in plan.variants:
        given = answers.setdefault(variant.name, [])
        size = _batch_size(runner.engine, variant.checkpoint)
        for start in range(0, len(plan.questions), size):
            if stop is not None and stop.is_set():
                raise CompareError(
                    "The evaluation was stopped before every question was answered; what was answered is kept."
                )
            batch = plan.questions[start : start + size]
            given += runner.answer(variant, batch)
            done += len(batch)
            report("answering", done, plan.total, variant.name)
    return answers


def _batch_size(engine: Engine, checkpoint: str | None) -> int:
    from assistant.engines.llama_engine import LlamaEngine  # heavy

    answering, _ = answering_engine(engine, checkpoint)
    return min(_BATCH_SIZE, _LLAMA_BATCH_SIZE) if isinstance(answering, LlamaEngine) else _BATCH_SIZE
