"""`imprint tune`: fine-tune a checkpoint on the command line."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.jobs import follow, seconds_of
from assistant.cli.models import fetch_model
from assistant.cli.options import SeveralValues, workspace_of
from assistant.cli.output import busy, emit, json_option, say, seconds_text
from assistant.cli.tune_examples import Given, read_examples
from assistant.cli.tune_preferences import DEFAULT_METHOD, options_of, preference_options, read_lessons
from assistant.cli.tune_preferences import show as show_preferences
from assistant.cli.tune_service import address_of, ask_to_send, service_options
from assistant.errors import AssistantError
from assistant.i18n.texts import t
from assistant.workspace import Workspace
from tuning.checkpoints.manifest import REMOTE

if TYPE_CHECKING:
    from tuning.jobs.folder import Job
    from tuning.jobs.jobs import Lessons

# part of an evaluation -> what was asked in it
_PARTS = {
    "recall": "asked as it was taught",
    "rephrased": "asked in other words",
    "retention": "general questions",
    "reading": "asked of a text put before it",
}


@click.command(
    cls=SeveralValues,
    epilog="Example: imprint tune --examples chats.jsonl --method p-tuning-v2 --name halden",
)
@click.option(
    "--examples",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE…",
    help="Files with conversations to learn, in any format that `imprint import` reads.",
)
@click.option("--conversation", multiple=True, type=int, metavar="ID…", help="Conversations to learn from.")
@click.option(
    "--document",
    multiple=True,
    metavar="NAME…",
    help="Documents of the knowledge base --kb whose statements are learned.",
)
@click.option(
    "--with-model",
    is_flag=True,
    help="Let models write examples, too: of --conversation a tuned reader and the chosen model where it is capable, "
    "of --document the chosen model. Kept is what the text holds.",
)
@click.option("--kb", metavar="NAME", help="The knowledge base of --document (default: the chosen one).")
@click.option(
    "--notes", "from_notes", is_flag=True, help="Learn the notes of this home: see `imprint notes`."
)
@click.option(
    "--missing",
    metavar="NAME",
    help="Teach again what this checkpoint was taught and does not hold; it is the --parent then.",
)
@preference_options
@click.option(
    "--method",
    help="How to tune: lora (the default), p-tuning-v2 and others; dpo (the default), kto, orpo, reward, ppo or "
    "grpo for preferences; openai lets a service do it.",
)
@service_options
@click.option("--name", help="The checkpoint's name.")
@click.option("--parent", metavar="NAME", help="Go on from this checkpoint.")
@click.option(
    "--base",
    metavar="MODEL",
    help="The model to tune (default: the chosen one); see `imprint models --help`.",
)
@click.option(
    "--strength",
    type=click.Choice(["gentle", "normal", "strong"]),
    default="normal",
    show_default=True,
    help="How much is spent on learning against how much is protected.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Makes a run repeatable."
)
@click.option("--system", metavar="TEXT", default="", help="The system prompt to learn under.")
@click.option(
    "--validation",
    type=click.FloatRange(0, 1, max_open=True),
    default=0.0,
    metavar="SHARE",
    help="The share of the examples kept out of training, to keep the state that knows them best.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many train together: one a GPU.",
)
@click.option(
    "--strategy",
    default="ddp",
    show_default=True,
    metavar="NAME|FILE",
    help="How several share the work: ddp (each holds the whole base), fsdp or deepspeed "
    "(the base is shared out), or an Accelerate configuration file.",
)
@click.option("--yes", is_flag=True, help="Do not ask before a --base is downloaded, or examples are sent.")
@click.option("--no-wait", is_flag=True, help="Start the job and return at once.")
@json_option
@workspace_of
def tune(
    workspace: Workspace,
    examples: tuple[Path, ...],
    conversation: tuple[int, ...],
    document: tuple[str, ...],
    with_model: bool,
    from_notes: bool,
    missing: str | None,
    preferences: tuple[Path, ...],
    votes: bool,
    with_judge: bool,
    yes: bool,
    no_wait: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Fine-tune a checkpoint on conversations.

    It is a job in a process of its own, and the bar follows it until it ends. Ctrl-C stops following, not the
    job: see `imprint jobs` and `imprint cancel`.
    """
    taught, preferred = examples or conversation or document or from_notes or missing, preferences or votes
    if not taught and not preferred:
        raise click.UsageError(
            "Nothing to learn from: give --examples FILE, --conversation ID, --document NAME, --notes, "
            "--missing NAME, --preferences FILE or --votes."
        )
    if taught and preferred:
        raise click.UsageError("A job learns from examples or from preferences: give one of the two.")
    options["parent"] = options["parent"] or missing
    options["method"] = options["method"] or (DEFAULT_METHOD if preferred else "lora")
    if options["base"] and options["method"] != REMOTE:
        fetch_model(workspace, options["base"], yes=yes, to_tune=True)
    lessons: Lessons
    if preferred:
        with busy("Reading the preferences…"):
            lessons = read_lessons(workspace, preferences, votes=votes, with_judge=with_judge)
    else:
        with busy("Reading the examples…"):
            given = Given(
                examples, conversation, document, options["kb"], from_notes, missing, with_model=with_model
            )
            lessons = read_examples(workspace, given, options["parent"])
    job = _submit(workspace, lessons, options, yes=yes)
    kind = "preferences" if preferred else "examples"
    say(f"Job {job.id}: {len(lessons)} {kind}, {job.method}; {_expected(job)}")
    followed = not no_wait
    if followed:
        job, followed = follow(workspace, job)
    if as_json:
        emit(_record(job))
    elif followed:
        _show(job)
    else:
        say(f"Job {job.id} goes on without you. See `imprint jobs`; stop it with `imprint cancel {job.id}`.")
    if followed and job.status != "succeeded":
        click.get_current_context().exit(1)


def _expected(job: "Job") -> str:
    """What it will take, in words."""
    if job.method == REMOTE:
        return f"{job.estimate['basis']}."
    time_text, memory_text = seconds_text(job.estimate["seconds"]), f"{job.estimate['bytes'] / 1e9:.1f} GB"
    rough = (
        " That is a rough guess: this machine was too busy to time it." if job.estimate.get("rough") else ""
    )
    return f"about {time_text} and {memory_text}.{rough}"


def _submit(workspace: Workspace, lessons: "Lessons", options: dict[str, Any], *, yes: bool) -> "Job":
    """Start the job, after its speed is known here, or after a person agreed to what is sent."""
    from tuning.config import TuneConfig

    config = TuneConfig(
        method=options["method"],
        name=options["name"],
        parent=options["parent"],
        base=options["base"] or workspace.settings.base_model,
        strength=options["strength"],
        seed=options["seed"],
        validation=options["validation"],
        processes=options["processes"],
        strategy=options["strategy"],
        system_prompt=options["system"],
        device=workspace.settings.device,
        **options_of(options),
    )
    if config.method == REMOTE:
        config = replace(config, **address_of(workspace, options))
        workspace.jobs.check(config, lessons)
        ask_to_send(config, lessons, yes=yes)
    elif options["send_to"]:
        raise click.UsageError("--send-to is for --method openai; the others train on this machine.")
    else:
        with busy("Timing a few steps, where this machine has trained nothing like it…"):
            workspace.jobs.calibrate(config, lessons)
    return workspace.jobs.submit(config, lessons)


def _record(job: "Job") -> dict[str, Any]:
    return {
        "checkpoint": job.checkpoint,
        "status": job.status,
        "steps": job.step,
        "seconds": seconds_of(job),
        "tokens_per_second": job.tokens_per_second,
        "estimate": job.estimate,
        "evaluation": job.evaluation,
        "job": job.id,
        "method": job.method,
        "error": job.error,
    }


def _show(job: "Job") -> None:
    if job.status != "succeeded":
        raise AssistantError(f"Job {job.id} {job.status}{f': {job.error}' if job.error else '.'}")
    took = seconds_text(seconds_of(job) or 0)
    if job.method != REMOTE:
        took = f"{took} (estimated: {seconds_text(job.estimate['seconds'])})"
    click.echo(f"Checkpoint {job.checkpoint} after {job.step} steps in {took}.")
    show_preferences(job.evaluation.get("preferences") or {})
    for part, meaning in _PARTS.items():
        figures = job.evaluation.get(part) or {}
        if {"before", "after", "n"} <= figures.keys():
            change = f"{figures['before']:.0%} → {figures['after']:.0%}"
            click.echo(f"  {meaning}: {change} of {figures['n']} right")
    verdict = job.evaluation.get("verdict") or {}
    for problem in verdict.get("problems", ()):
        say(f"Warning: {t(f'verdict.{problem}'.replace(' ', '_'))}")
    if verdict.get("suggestion"):
        say(t(f"verdict.try.{verdict['suggestion']}".replace(" ", "_")))
    if job.method == "reward":
        say(f"It scores answers: imprint tune --votes --method grpo --reward {job.checkpoint}")
    else:
        say(f"Use it: imprint ask … --checkpoint {job.checkpoint}")
