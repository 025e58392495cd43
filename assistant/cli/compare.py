"""`imprint compare`: variants over files of questions."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.options import knowledge_base_option, open_engine, workspace_of
from assistant.cli.output import emit, json_option, print_table, progress, say, seconds_text
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.compare.judge import Judging
    from assistant.compare.questions import Question
    from assistant.compare.results import EvaluationResult, VariantFigures
    from assistant.reports.evaluation_files import EvaluationFiles

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
    "--variants",
    "variants",
    default="base,rag",
    show_default=True,
    help="Some of base, rag, base+given, NAME, NAME+rag, each also with +notes, and variants that you saved.",
)
@knowledge_base_option
@click.option("-k", type=click.IntRange(1, 50), help="How many passages a variant with documents reads.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many questions.")
@click.option("--fresh", is_flag=True, help="Ask again what was answered in an earlier or interrupted run.")
@click.option(
    "--costs", is_flag=True, help="Also time a few questions alone, and say when training is paid back."
)
@click.option(
    "--judge",
    metavar="MODEL",
    help="A model that judges between answers: provider:model, one at --judge-url, or reward:NAME of a reward model.",
)
@click.option("--judge-url", metavar="URL", default="", help="The OpenAI-compatible endpoint of the judge.")
@json_option
@workspace_of
def compare(
    workspace: Workspace,
    questions: tuple[Path, ...],
    variants: str,
    kb: str | None,
    k: int | None,
    limit: int | None,
    fresh: bool,
    costs: bool,
    judge: str | None,
    judge_url: str,
    as_json: bool,
) -> None:
    """Let several variants answer the same questions.

    A variant is `base` (the model as it is), `rag` (with documents), a checkpoint's name, NAME+rag, `base+given`
    (the question's own passage: what documents could reach at best), or one that you saved; with +notes behind
    it, notes are quoted. The figures come with intervals and paired tests. Picture, report, CSV and JSON are
    saved under the home's reports.
    """
    from assistant.chat.turn import AnswerOptions
    from assistant.compare.evaluations import EvaluationPlan, Evaluations
    from assistant.compare.runner import evaluate
    from assistant.compare.saved_variants import SavedVariants
    from assistant.compare.variants import parse_variants, require
    from assistant.reports.evaluation_files import write_files

    asked = _questions(questions)[:limit]
    checkpoints = workspace.registry.answering()
    names = [one.name for one in checkpoints]
    chosen = parse_variants(variants, names, SavedVariants(workspace.home).list())
    base = kb or workspace.settings.knowledge_base
    evaluations = Evaluations(workspace.home)
    asked_judge = _judge(workspace, judge, judge_url, evaluations.verdicts_path) if judge else None
    engine = open_engine(workspace)
    if any(variant.documents for variant in chosen):
        require(chosen, names, workspace.knowledge_bases(), base)
    defaults = AnswerOptions(knowledge_base=base, passages=k or workspace.settings.passages)
    plan = EvaluationPlan("", questions[0].name, chosen, tuple(asked), defaults)
    with progress("Answering", plan.total) as advance:
        result = evaluate(
            plan,
            workspace.chat,
            engine,
            cache=None if fresh else evaluations.answer_cache(),
            checkpoints=checkpoints,
            judge=asked_judge,
            costs=costs,
            on_progress=lambda phase, done, total, variant="": advance(
                done, total, _PHASES[phase].format(variant)
            ),
        )
    # Not `with_suffix`: what follows the last dot of a stem such as eval.v1 is part of the name.
    files = write_files(result, workspace.home / "reports", questions[0].stem)
    if as_json:
        emit({**result.to_dict(), **asdict(files)})
    else:
        _show(result, files)


def _questions(paths: tuple[Path, ...]) -> list["Question"]:
    """The questions of all files, each once; repetitions are reported."""
    from assistant.compare.questions import read_file, read_questions, without_repetitions

    found = [question for path in paths for question in read_questions(path)]
    for path in paths:
        repeated = sum(problem.is_repetition for problem in read_file(path).problems)
        if repeated:
            say(f"{path.name}: {repeated} questions stand there more than once and are asked once.")
    if len(paths) == 1:
        return found
    return list(without_repetitions(enumerate((one.to_dict() for one in found), 1)).questions)


def _judge(workspace: Workspace, model: str, url: str, verdicts: Path) -> "Judging":
    from assistant.compare.judge import JudgeChoice
    from assistant.compare.reward_judge import PREFIX, open_judge

    choice = JudgeChoice(model, "endpoint" if url else "provider", url)
    if not url and model.startswith(PREFIX):
        choice = JudgeChoice(model.removeprefix(PREFIX), "reward")
    return open_judge(workspace.local_engine, workspace.registry, choice, verdicts)


def _show(result: "EvaluationResult", files: "EvaluationFiles") -> None:
    from assistant.reports.verdict_text import break_even_sentence, caution, verdicts

    names = list(result.variants)
    rows = [_row(name, figures) for name, figures in result.variants.items()]
    headings = ["variant", "right", "95 % interval", "f1", "exact", "tokens/prompt", "time"]
    print_table(headings, rows, numbers=(1, 2, 3, 4, 5, 6))
    if len(result.slices) > 1:
        rows = [
            [label, *(f"{figures[name].correct} of {figures[name].n}" for name in names)]
            for label, figures in result.slices.items()
        ]
        print_table(["slice", *names], rows, numbers=tuple(range(1, len(names) + 1)))
    for sentence in verdicts(result.pairs):
        click.echo(sentence)
    if limits := caution(result):
        click.echo(limits)
    for even in result.break_even:
        click.echo(break_even_sentence(even))
    say(f"Picture: {files.picture}")
    say(f"Report: {files.report}")
    say(f"Data: {files.csv}, {files.json}")


def _row(name: str, figures: "VariantFigures") -> list[str]:
    low, high = figures.confidence_interval.low, figures.confidence_interval.high
    return [
        name,
        f"{figures.accuracy:.1%}",
        f"{low:.0%} – {high:.0%}",
        f"{figures.f1:.2f}",
        f"{figures.exact_match:.2f}",
        f"{figures.tokens_per_prompt:.0f}",
        seconds_text(figures.seconds),
    ]
