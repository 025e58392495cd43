"""Arms over questions, as `imprint compare` runs them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import CompareError

if TYPE_CHECKING:
    from assistant.compare.questions import Question
    from assistant.compare.results import EvaluationResult
    from assistant.workspace import Workspace


def compare(
    workspace: "Workspace",
    questions: str | Path | Sequence[Mapping[str, Any]],
    arms: str | Sequence[str],
    knowledge_base: str | None,
    passages: int | None,
    progress: Callable[[int, int], None] | None,
) -> "EvaluationResult":
    """Let the arms answer the questions. Raises AssistantError before anything is asked where one cannot answer."""
    from assistant.chat.turn import AnswerOptions  # heavy: LangChain, SciPy
    from assistant.compare.evaluations import EvaluationPlan, Evaluations
    from assistant.compare.runner import evaluate
    from assistant.compare.saved_variants import SavedVariants
    from assistant.compare.variants import parse_variants, require

    asked = _questions(questions)
    checkpoints = workspace.registry.list()
    names = [one.name for one in checkpoints]
    text = arms if isinstance(arms, str) else ",".join(arms)
    chosen = parse_variants(text, names, SavedVariants(workspace.home).list())
    base = knowledge_base or workspace.settings.knowledge_base
    if any(variant.documents for variant in chosen):
        require(chosen, names, workspace.knowledge_bases(), base)
    defaults = AnswerOptions(knowledge_base=base, passages=passages or workspace.settings.passages)
    plan = EvaluationPlan("", "comparison", chosen, tuple(asked), defaults)

    def report(phase: str, done: int, total: int, variant: str = "") -> None:
        if progress is not None:
            progress(done, total)

    cache = Evaluations(workspace.home).answer_cache()
    return evaluate(
        plan, workspace.chat, workspace.engine(), cache=cache, checkpoints=checkpoints, costs=False,
        on_progress=report,
    )  # fmt: skip


def _questions(given: str | Path | Sequence[Mapping[str, Any]]) -> "list[Question]":
    from assistant.compare.questions import read_questions, without_repetitions

    if isinstance(given, str | Path):
        return read_questions(Path(given))
    found = without_repetitions(enumerate((dict(one) for one in given), 1))
    wrong = next((problem for problem in found.problems if not problem.is_repetition), None)
    if wrong is not None:
        raise CompareError(f"Question {wrong.line}: {wrong.what}")
    if not found.questions:
        raise CompareError("There is nothing to compare on: no question was given.")
    return list(found.questions)
