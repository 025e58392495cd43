"""What `imprint tune` learns from preferences: its options, what it reads, what it says at the end."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.cli.output import say
from assistant.errors import NothingToLearnError
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from tuning.data.preferences import ReadPreferences

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_METHOD = "dpo"
_OPTIONS = (
    click.option(
        "--preferences",
        multiple=True,
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE…",
        help="Files of preferences, for --method dpo, kto, orpo, reward, ppo or grpo.",
    ),
    click.option(
        "--votes",
        is_flag=True,
        help="Learn from what was voted, corrected and rated in this home: see `imprint preferences`.",
    ),
    click.option("--with-judge", is_flag=True, help="Of --votes: also the verdicts of models that judged."),
    click.option("--reward", metavar="NAME", help="The reward model that scores answers, for ppo and grpo."),
    click.option(
        "--beta",
        type=click.FloatRange(min=0, min_open=True),
        help="How closely the model is held to the one before.",
    ),
    click.option(
        "--loss",
        type=click.Choice(["sigmoid", "ipo", "length-normalised"]),
        default="sigmoid",
        show_default=True,
        help="The form of dpo.",
    ),
    click.option(
        "--label-smoothing",
        type=click.FloatRange(0, 0.5, max_open=True),
        default=0.0,
        metavar="SHARE",
        help="Of dpo: the share of the votes that may be the wrong way round.",
    ),
)


def preference_options(function: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_lessons(
    workspace: Workspace, files: Sequence[Path], *, votes: bool, with_judge: bool
) -> "ReadPreferences":
    """What files and this home hold; what is left out is said. Raises ExampleError, NothingToLearnError."""
    from tuning.data.preferences import ReadPreferences, read_preferences

    found = [read_preferences(file) for file in files]
    for file, read in zip(files, found, strict=True):
        for one in read.complaints:
            say(f"{file}: left out: {one.place}: {one.reason}")
    if votes:
        found.append(_voted(workspace, with_judge))
    pairs = tuple(pair for read in found for pair in read.pairs)
    judgements = tuple(one for read in found for one in read.judgements)
    if not pairs and not judgements:
        raise NothingToLearnError(
            "Nothing to learn from: nobody has voted, corrected or rated an answer in this home yet. Vote in a blind "
            "trial, correct an answer, or give --preferences FILE."
        )
    return ReadPreferences(pairs, judgements)


def _voted(workspace: Workspace, with_judge: bool) -> "ReadPreferences":
    from assistant.cli.preferences import collected
    from assistant.preferences.collect import BY_PEOPLE, SOURCES
    from tuning.data.preferences import ReadPreferences

    found, kinds = collected(workspace), SOURCES if with_judge else BY_PEOPLE
    if found.left_out:
        say(f"Left out: {len(found.left_out):,} preferences; `imprint preferences list` says why.")
    return ReadPreferences(tuple(found.pairs_from(kinds)), tuple(found.judgements_from(kinds)))


def options_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a tuning configuration that these options set."""
    return {name: options[name] for name in ("reward", "beta", "loss", "label_smoothing")}


def show(report: Mapping[str, Any]) -> None:
    """What a run over preferences changed, by those kept aside."""
    pairs = report.get("pairs") or {}
    if pairs.get("n"):
        change = f"{pairs['before']:.0%} → {pairs['after']:.0%}"
        click.echo(f"  prefers what people preferred: {change} of {pairs['n']} pairs kept aside")
    won = report.get("win_rate") or {}
    if won.get("n"):
        click.echo(
            f"  new answers against those before, by {won['reward']}: {won['after']:.0%} of {won['n']} won"
        )
    if "changed" in report:
        click.echo(f"  answers that changed: {report['changed']} of {len(report['answers'])}")
