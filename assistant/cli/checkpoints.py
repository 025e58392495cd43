"""`imprint checkpoints` and `export`."""

from pathlib import Path
from typing import Any

import click

from assistant.cli.options import confirmed, workspace_of, yes_option
from assistant.cli.output import busy, emit, json_option, print_table, say
from assistant.workspace import Workspace
from tuning.checkpoints.export_formats import EXPORT_FORMATS
from tuning.checkpoints.notes import STATES, counts
from tuning.errors import CheckpointError


@click.group(invoke_without_command=True, epilog="Example: imprint checkpoints --json")
@json_option
@workspace_of
@click.pass_context
def checkpoints(context: click.Context, workspace: Workspace, as_json: bool) -> None:
    """List checkpoints and what each knows; delete or rename one."""
    if context.invoked_subcommand is None:
        _list(workspace, as_json)


@checkpoints.command(epilog="Example: imprint checkpoints delete halden --yes")
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@yes_option
@json_option
@workspace_of
def delete(workspace: Workspace, names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete checkpoints for good; not while something uses one, or another was trained from it."""
    registry = workspace.registry
    known = {one.name for one in registry.list()} | {one.name for one in registry.broken()}
    for name in names:
        if name not in known:
            registry.get(name)  # says which there are
            raise CheckpointError(f"There is no checkpoint of exactly the name {name!r}.")
    if not yes:
        confirmed(f"Delete {', '.join(names)} for good?")
    for name in dict.fromkeys(names):
        registry.delete(name)
        if not as_json:
            click.echo(f"Deleted: {name}")
    if as_json:
        emit({"deleted": list(dict.fromkeys(names))})


@checkpoints.command(epilog="Example: imprint checkpoints rename halden halden-2024")
@click.argument("name")
@click.argument("new_name", metavar="NEW-NAME")
@json_option
@workspace_of
def rename(workspace: Workspace, name: str, new_name: str, as_json: bool) -> None:
    """Give a checkpoint another name; what was trained from it keeps knowing it."""
    renamed = workspace.registry.rename(name, new_name)
    if as_json:
        emit({"checkpoint": renamed.name, "was": name})
    else:
        click.echo(f"{name} is now {renamed.name}.")


@click.command(epilog="Example: imprint export halden --format gguf --output ./out")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(EXPORT_FORMATS),
    default="peft",
    show_default=True,
    help="peft: the adapter alone; peft-with-base: with the very base; vllm: a LoRA with its template; merged: a "
    "model folder; gguf, gguf-q8_0, gguf-q4_k_m: one file of 16, 8 or 4 bit; gguf-lora: the adapter for llama.cpp; "
    "ollama: with its Modelfile. Which method goes into which: docs/export.md.",
)
@click.option(
    "--output",
    required=True,
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to write into.",
)
@json_option
@workspace_of
def export(workspace: Workspace, name: str, form: str, output: Path, as_json: bool) -> None:
    """Write a checkpoint for other programs."""
    from tuning.checkpoints.export import export as write  # heavy: torch

    with busy(f"Writing {name} as {form}…"):
        files = write(workspace.registry.get(name), form, output, workspace.home)
    if as_json:
        emit({"checkpoint": name, "format": form, "files": files})
    else:
        for file in files:
            click.echo(file)


def _list(workspace: Workspace, as_json: bool) -> None:
    found = workspace.registry.list()
    for broken in workspace.registry.broken():
        say(f"{broken.name}: {broken.reason}")
    if as_json:
        emit({"checkpoints": [_entry(checkpoint) for checkpoint in found]})
    elif not found:
        say("No checkpoint yet. Make one with `imprint tune`.")
    else:
        rows = [
            [one.name, one.method, one.base, one.parent or "", _known(one.evaluation), _held(one)]
            for one in found
        ]
        print_table(["checkpoint", "method", "base", "parent", "knows", "facts"], rows)


def _entry(checkpoint: Any) -> dict[str, Any]:
    return {
        "name": checkpoint.name,
        "method": checkpoint.method,
        "base": checkpoint.base,
        "parent": checkpoint.parent,
        "created": checkpoint.created,
        "evaluation": checkpoint.evaluation,
        "metrics": checkpoint.metrics,
        "examples": checkpoint.examples_count,
        "note": checkpoint.note,
        "bytes": checkpoint.size_bytes,
        "facts": counts(checkpoint),
    }


def _held(checkpoint: Any) -> str:
    """Facts by where they are now: "held 20, noted 2"."""
    found = counts(checkpoint)
    return ", ".join(f"{state} {found[state]}" for state in reversed(STATES) if found[state])


def _known(evaluation: dict[str, Any]) -> str:
    figures = evaluation.get("rephrased") or evaluation.get("recall") or {}
    return f"{figures['after']:.0%} of {figures['n']}" if {"after", "n"} <= figures.keys() else ""
