"""`imprint preferences`: what was voted, corrected and rated in this home, to list, export and import."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import workspace_of
from assistant.cli.output import busy, emit, json_option, print_table, say
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.preferences.collect import CollectedPreferences

_FORMS = ("trl", "plain", "kto", "hh", "openai")  # the keys of FORMATS, which the help must not import
_SHOWN = 10  # of what was left out; --json lists all
_TITLES = {
    "blind": "blind votes",
    "side_by_side": "votes side by side",
    "correction": "corrections",
    "regeneration": "regenerated answers, one liked and one not",
    "imported": "imported from files",
    "judge": "verdicts of a judge",
    "thumb": "thumbs",
    "both_bad": "answers of which both were bad",
}


@click.group(epilog="Example: imprint preferences list")
def preferences() -> None:
    """List, export and import what people prefer.

    `imprint tune --votes --method dpo` learns from them.
    """


@preferences.command("list", epilog="Example: imprint preferences list --json")
@json_option
@workspace_of
def list_(workspace: Workspace, as_json: bool) -> None:
    """Count the preferences of this home by where they come from, and say what is left out."""
    found = collected(workspace)
    if as_json:
        emit(_document(found))
        return
    if not found.counts:
        say("No preference yet. Vote in a blind trial, correct an answer, or rate one.")
    else:
        rows = [[_TITLES[kind], str(count)] for kind, count in found.counts.items()]
        print_table(["from", "preferences"], rows, numbers=(1,))
    for one in found.left_out[:_SHOWN]:
        say(f"left out: {one.source}: {one.why}")
    if len(found.left_out) > _SHOWN:
        say(f"and {len(found.left_out) - _SHOWN:,} more; --json lists all.")


@preferences.command(epilog="Example: imprint preferences export votes.jsonl --format openai")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMS),
    default="trl",
    show_default=True,
    help="trl: messages, as TRL reads them; plain: texts; kto: judgements; hh: transcripts; openai.",
)
@click.option("--with-judge", is_flag=True, help="Also the verdicts of models that judged evaluations.")
@json_option
@workspace_of
def export(workspace: Workspace, file: Path, form: str, with_judge: bool, as_json: bool) -> None:
    """Write the preferences as a JSONL file. One that exists is not replaced."""
    from assistant.preferences.collect import BY_PEOPLE, SOURCES
    from assistant.preferences.files import export as write

    count = write(collected(workspace), SOURCES if with_judge else BY_PEOPLE, form, file)
    if as_json:
        emit({"file": str(file), "format": form, "preferences": count})
    else:
        click.echo(f"{file}: {count:,} preferences")


@preferences.command("import", epilog="Example: imprint preferences import votes.jsonl")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
@json_option
@workspace_of
def import_(workspace: Workspace, file: Path, as_json: bool) -> None:
    """Keep the preferences of a file of any common format beside those of this home, each once."""
    from assistant.preferences.files import import_preferences

    with busy("Reading…"):
        found = import_preferences(workspace.preferences, file)
    left_out = [{"place": one.place, "reason": one.reason} for one in found.left_out]
    if as_json:
        counts = {"pairs": found.pairs, "judgements": found.judgements, "new": found.new}
        emit({"file": str(file), **counts, "left_out": left_out})
        return
    click.echo(f"{file}: {found.pairs:,} pairs, {found.judgements:,} judgements, {found.new:,} new")
    for one in left_out[:_SHOWN]:
        say(f"left out: {one['place']}: {one['reason']}")
    if len(left_out) > _SHOWN:
        say(f"and {len(left_out) - _SHOWN:,} more; --json lists all.")


def collected(workspace: Workspace) -> "CollectedPreferences":
    """All preferences of the home."""
    from assistant.arena.trials import BlindTrials
    from assistant.compare.evaluations import Evaluations
    from assistant.preferences.collect import collect

    trials = BlindTrials(workspace.settings.conversations_path)
    return collect(workspace.store, workspace.preferences, trials, Evaluations(workspace.home))


def _document(found: "CollectedPreferences") -> dict[str, Any]:
    from assistant.preferences.collect import ENOUGH_PAIRS

    return {
        "counts": found.counts,
        "enough": len(found.pairs) >= ENOUGH_PAIRS,
        "pairs": [{"from": one.kind, **one.item.to_dict()} for one in found.pairs],
        "judgements": [{"from": one.kind, **one.item.to_dict()} for one in found.judgements],
        "left_out": [{"text": one.text, "place": one.source, "reason": one.why} for one in found.left_out],
    }
