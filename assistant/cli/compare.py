"""`imprint compare`: arms over files of questions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import knowledge_base_option, open_engine, workspace_of
from assistant.cli.output import emit, json_option, print_table, progress, say, seconds_text
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.compare.judge import Judge
    from assistant.compare.questions import Question

_PHASES = {"answering": "Answering as {}", "measuring": "Timing {}", "judging": "Judging{}"}


@click.command(
    epilog="Example: imprint compare --questions questions.jsonl --arms base,rag,halden,halden+rag"
)
@click.option(
    "--questions",
    required=True,
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSONL: {"question": "...", "answers": ["any of these counts"]}; "unknown": true where nobody can '
    'know; "fact", "document", "slice" and "passage" are optional. Or CSV with these columns. Repeatable.',
)
@click.option(
    "--arms",
    default="base,rag",
    show_default=True,
    help="Some of base, rag, base+given, NAME, NAME+rag, and arms that you saved on the Compare page.",
)
@knowledge_base_option
@click.option("-k", type=click.IntRange(1, 50), help="How many passages an arm with documents reads.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many questions.")
@click.option("--fresh", is_flag=True, help="Ask again what was answered in an earlier or interrupted run.")
@click.option(
    "--costs", is_flag=True, help="Also time a few questions alone, and say when training is paid back."
)
@click.option(
    "--judge",
    metavar="MODEL",
    help="A chat model that judges between answers; provider:model, or with --judge-url.",
)
@click.option("--judge-url", metavar="URL", default="", help="The OpenAI-compatible endpoint of the judge.")
@json_option
@workspace_of
def compare(
    workspace: Workspace,
    questions: tuple[Path, ...],
    arms: str,
    kb: str | None,
    k: int | None,
    limit: int | None,
    fresh: bool,
    costs: bool,
    judge: str | None,
    judge_url: str,
    as_json: bool,
) -> None:
    """Let several arms answer the same questions.

    An arm is `base` (the model as it is), `rag` (with documents), a checkpoint's name, NAME+rag, `base+given`
    (the question's own passage: what documents could reach at best), or one that you saved. The figures come
    with intervals and paired tests. Picture, report, CSV and JSON are saved under the home's reports.
    """
    from assistant.chat.turn import AnswerOptions
    from assistant.compare.evaluate import evaluate
    from assistant.compare.evaluations import EvaluationPlan, Evaluations
    from assistant.compare.saved_variants import SavedVariants
    from assistant.compare.variants import parse_variants, require
    from assistant.reports.chart import draw, save
    from assistant.reports.evaluation_html import write_data, write_report

    asked = _questions(questions)[:limit]
    checkpoints = workspace.registry.list()
    chosen = parse_variants(arms, [one.name for one in checkpoints], SavedVariants(workspace.home).list())
    base = kb or workspace.settings.knowledge_base
    common = AnswerOptions(knowledge_base=base, passages=k or workspace.settings.passages)
    judging = _judge(judge, judge_url, workspace.home) if judge else None
    engine = open_engine(workspace)
    if any(arm.documents for arm in chosen):
        require(chosen, [one.name for one in checkpoints], workspace.knowledge_bases(), base)
    plan = EvaluationPlan("", questions[0].name, chosen, tuple(asked), common)
    with progress("Answering", plan.total) as advance:
        result = evaluate(
            workspace.chat,
            engine,
            plan,
            cache=None if fresh else Evaluations(workspace.home).cache(),
            checkpoints=checkpoints,
            judge=judging,
            costs=costs,
            on_progress=lambda phase, done, total, arm="": advance(done, total, _PHASES[phase].format(arm)),
        )
    stem = workspace.home / "reports" / questions[0].stem
    kinds = {arm.name: arm.kind for arm in chosen}
    figure = draw(result["arms"], result["slices"], f"{questions[0].name}: right answers by memory", kinds)
    result["picture"] = save(figure, stem.with_suffix(".png"))
    result["report"] = write_report(result, figure, questions[0].name, stem.with_suffix(".html"))
    result |= write_data(result, stem)
    if as_json:
        emit(result)
    else:
        _show(result)


def _questions(paths: tuple[Path, ...]) -> list["Question"]:
    """The questions of all files, each once; what was repeated is told."""
    from assistant.compare.questions import read_file, read_questions, without_repetitions

    found = [question for path in paths for question in read_questions(path)]
    for path in paths:
        repeated = sum(problem.is_repetition for problem in read_file(path).problems)
        if repeated:
            say(f"{path.name}: {repeated} questions stand there more than once and are asked once.")
    if len(paths) == 1:
        return found
    return list(without_repetitions(enumerate((one.to_dict() for one in found), 1)).questions)


def _judge(model: str, url: str, home: Path) -> "Judge":
    from assistant.compare.judge import Judge, JudgeChoice, open_judge

    choice = JudgeChoice(model, "endpoint" if url else "provider", url)
    return Judge(open_judge(choice), choice.model, home / "evaluations" / "verdicts.jsonl")


def _show(result: dict[str, Any]) -> None:
    from assistant.reports.evaluation_html import break_even_sentence
    from assistant.reports.verdict_text import caution, verdicts

    rows = [_row(name, figures) for name, figures in result["arms"].items()]
    print_table(
        ["arm", "right", "95 % interval", "f1", "exact", "tokens/prompt", "time"],
        rows,
        numbers=(1, 2, 3, 4, 5, 6),
    )
    slices = result["slices"]
    if len(slices) > 1:
        shown = [
            [name, *(f"{figures[arm]['correct']} of {figures[arm]['n']}" for arm in result["arms"])]
            for name, figures in slices.items()
        ]
        print_table(["slice", *result["arms"]], shown, numbers=tuple(range(1, len(result["arms"]) + 1)))
    for said in verdicts(result["pairs"]):
        click.echo(said)
    if careful := caution(result):
        click.echo(careful)
    for even in result.get("break_even", ()):
        click.echo(break_even_sentence(even))
    say(f"Picture: {result['picture']}")
    say(f"Report: {result['report']}")
    say(f"Data: {result['csv']}, {result['json']}")


def _row(name: str, figures: dict[str, Any]) -> list[str]:
    low, high = figures["confidence_interval"]
    return [
        name,
        f"{figures['accuracy']:.1%}",
        f"{low:.0%} – {high:.0%}",
        f"{figures['f1']:.2f}",
        f"{figures['exact_match']:.2f}",
        f"{figures['tokens_per_prompt']:.0f}",
        seconds_text(figures["seconds"]),
    ]
