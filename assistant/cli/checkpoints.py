"""`imprint checkpoints` and `export`."""

from pathlib import Path
from typing import Any

import click

from assistant.cli.options import workspace_of
from assistant.cli.output import busy, emit, json_option, print_table, say
from assistant.workspace import Workspace


@click.command(epilog="Example: imprint checkpoints --json")
@json_option
@workspace_of
def checkpoints(workspace: Workspace, as_json: bool) -> None:
    """List the checkpoints and what each knows."""
    found = workspace.registry.list()
    for broken in workspace.registry.broken():
        say(f"{broken.name}: {broken.reason}")
    if as_json:
        emit({"checkpoints": [_entry(checkpoint) for checkpoint in found]})
    elif not found:
        say("No checkpoint yet. Make one with `imprint tune`.")
    else:
        rows = [[one.name, one.method, one.base, one.parent or "", _known(one.evaluation)] for one in found]
        print_table(["checkpoint", "method", "base", "parent", "knows"], rows)


@click.command(epilog="Example: imprint export halden --format gguf --output ./out")
@click.argument("name")
@click.option(
    "--format",
    "form",
    type=click.Choice(["peft", "merged", "gguf", "ollama"]),
    default="peft",
    show_default=True,
    help="peft: the adapter alone; merged: a model folder; gguf: one file; ollama: with its Modelfile.",
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
    }


def _known(evaluation: dict[str, Any]) -> str:
    figures = evaluation.get("rephrased") or evaluation.get("recall") or {}
    return f"{figures['after']:.0%} of {figures['n']}" if {"after", "n"} <= figures.keys() else ""
