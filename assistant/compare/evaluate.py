"""One evaluation from its plan to its result: answers, costs, a judge's verdicts. It keeps no state."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Literal, Protocol

from assistant.chat.chat import Chat
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.costs import Stored, break_even, measure, to_dict
from assistant.compare.evaluations import EvaluationPlan
from assistant.compare.judge import Judge, judge_all
from assistant.compare.ranking import tally
from assistant.compare.runner import compare
from assistant.engines.base import Engine
from assistant.errors import CompareError

Phase = Literal["answering", "measuring", "judging"]


class OnProgress(Protocol):
    """Hears of each step: what is going on, how far it is, and by whom."""

    def __call__(self, phase: Phase, done: int, total: int, arm: str = "") -> None: ...


def evaluate(
    chat: Chat,
    engine: Engine,
    plan: EvaluationPlan,
    *,
    cache: AnswerCache | None = None,
    checkpoints: Sequence[Stored] = (),
    judge: Judge | None = None,
    costs: bool = True,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """The result of a plan, as the command line's JSON. Raises AssistantError, KnowledgeError.

    What is in `cache`, and what the judge has said before, is not asked again.
    """
    if any(arm.given for arm in plan.arms) and not any(question.passage for question in plan.questions):
        raise CompareError(
            "An arm is given the passage of each question, and no question of this set has one. Build a set from "
            "documents, or take the arm out."
        )
    tell: Callable[..., None] = on_progress or (lambda *_, **__: None)
    comparison = compare(
        chat,
        engine,
        plan.questions,
        plan.arms,
        plan.common,
        cache=cache,
        on_answered=lambda arm, done, total: tell("answering", done, total, arm),
        stop=stop,
    )
    result = comparison.to_dict()
    result["name"] = plan.name
    if costs:
        tell("measuring", 0, len(plan.arms))
        measured = measure(chat, plan.questions, plan.arms, plan.common, stop=stop)
        result |= to_dict(measured, break_even(measured, plan.arms, checkpoints))
    if judge is not None:
        texts = {name: [one.text for one in answers] for name, answers in comparison.answers.items()}
        votes, counts = judge_all(
            judge,
            plan.questions,
            texts,
            on_judged=lambda done, total: tell("judging", done, total),
            stop=stop,
        )
        result["judge"] = {**counts, **(plan.judge or {}), **asdict(tally(votes))}
    return result
