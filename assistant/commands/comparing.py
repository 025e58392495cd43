"""`imprint compare`: arms over a file of questions."""

from pathlib import Path
from typing import Any

import click

from assistant.commands.options import knowledge_base_option, open_engine, workspace_of
from assistant.commands.output import emit, json_option, print_table, progress, say, seconds_text
from assistant.workspace import Workspace


@click.command(
    epilog="Example: imprint compare --questions questions.jsonl --arms base,rag,halden,halden+rag"
)
@click.option(
    "--questions",
    required=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='JSONL: {"question": "...", "answers": ["any of these counts"]}; "fact" and "slice" are optional.',
)
@click.option("--arms", default="base,rag", show_default=True, help="Some of base, rag, NAME, NAME+rag.")
@knowledge_base_option
@click.option("-k", type=click.IntRange(1, 50), help="How many passages an arm with documents reads.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many questions.")
@click.option("--fresh", is_flag=True, help="Ask again what was answered in an earlier or interrupted run.")
@json_option
@workspace_of
def compare(
    workspace: Workspace,
    questions: Path,
    arms: str,
    kb: str | None,
    k: int | None,
    limit: int | None,
    fresh: bool,
    as_json: bool,
) -> None:
    """Let several arms answer the same questions.

    An arm is `base` (the model as it is), `rag` (with documents), a checkpoint's name, or NAME+rag. The
    figures come with intervals and paired tests. A picture is saved under the home's reports.
    """
    from assistant.answer_cache import AnswerCache
    from assistant.arms import parse_arms, read_questions
    from assistant.chat import How
    from assistant.compare import compare as run
    from assistant.picture import draw, save
    from assistant.report import write_report

    asked = read_questions(questions)[:limit]
    chosen = parse_arms(arms, [checkpoint.name for checkpoint in workspace.registry.list()])
    common = How(
        knowledge_base=kb or workspace.settings.knowledge_base, passages=k or workspace.settings.passages
    )
    reports = workspace.home / "reports"
    engine = open_engine(workspace)
    with progress("Answering", len(asked) * len(chosen)) as advance:
        comparison = run(
            workspace.chat,
            engine,
            asked,
            chosen,
            common,
            cache=None if fresh else AnswerCache(reports / "answers.jsonl"),
            on_answered=lambda arm, done, total: advance(done, total, f"Answering as {arm}"),
        )
    result = comparison.to_dict()
    figure = draw(result["arms"], result["slices"], f"{questions.name}: right answers by memory")
    result["picture"] = save(figure, reports / f"{questions.stem}.png")
    result["report"] = write_report(result, figure, questions.name, reports / f"{questions.stem}.html")
    if as_json:
        emit(result)
    else:
        _show(result)


def _show(result: dict[str, Any]) -> None:
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
    for pair in result["pairs"]:
        first, second = pair["arms"]
        low, high = pair["confidence_interval"]
        click.echo(
            f"{first} − {second}: {pair['difference']:+.1%} ({low:+.1%} to {high:+.1%}), "
            f"p = {pair['p_value_holm']:.3g} (McNemar, Holm)"
        )
    say(f"Picture: {result['picture']}")
    say(f"Report: {result['report']}")


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
