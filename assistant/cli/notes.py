"""`imprint notes`: what is remembered at once, and what checkpoints keep beside their weights."""

from typing import Any

import click

from assistant.cli.options import confirmed, workspace_of, yes_option
from assistant.cli.output import emit, json_option, print_table, say
from assistant.notes.consolidation import Consolidation
from assistant.workspace import Workspace
from tuning.checkpoints.notes import notes_of, remove_note
from tuning.data.examples import Example

_checkpoint_option = click.option(
    "--checkpoint", metavar="NAME", help="The notes of this checkpoint: what it was taught and does not hold."
)


@click.group(invoke_without_command=True, epilog="Example: imprint notes --checkpoint halden")
@_checkpoint_option
@json_option
@workspace_of
@click.pass_context
def notes(context: click.Context, workspace: Workspace, as_json: bool, checkpoint: str | None) -> None:
    """List what is remembered as a note; add or delete one.

    A note is quoted from the next question on; `imprint tune --notes` teaches the notes to a checkpoint.
    """
    if context.invoked_subcommand is not None:
        return
    found = notes_of(workspace.registry.get(checkpoint)) if checkpoint else workspace.notes.home.list()
    if as_json:
        emit({"notes": [_entry(note) for note in found]})
    elif not found:
        say(
            "No notes yet."
            if checkpoint is None
            else f"{checkpoint!r} has no notes: it holds what was asked."
        )
    else:
        rows = [[note.key[:8], note.question, note.answer] for note in found]
        print_table(["id", "question", "answer"], rows)


@notes.command(epilog='Example: imprint notes add "How heavy is the Skerrin?" "640 grams."')
@click.argument("question")
@click.argument("answer")
@json_option
@workspace_of
def add(workspace: Workspace, question: str, answer: str, as_json: bool) -> None:
    """Remember an answer from now on; a note to the same question is replaced."""
    note = workspace.notes.home.add(question, answer, "added by hand")
    if as_json:
        emit(_entry(note))
    else:
        click.echo(f"Noted: {note.key[:8]}")


@notes.command(epilog="Example: imprint notes teach")
@json_option
@workspace_of
def teach(workspace: Workspace, as_json: bool) -> None:
    """Start a job on the notes that are new since the last one; for a timer of the system.

    Each round continues from the last checkpoint that passed. `imprint jobs` shows how far it is.
    """
    job = Consolidation(workspace).start()
    if as_json:
        emit({"job": job.id if job else None, "checkpoint": job.name if job else None})
    elif job is None:
        say("Nothing to teach: no note is new, or a job is underway.")
    else:
        click.echo(f"Job {job.id}: the notes become the checkpoint {job.name!r}.")


@notes.command(epilog="Example: imprint notes delete 3f2a91c0 --yes")
@click.argument("ids", nargs=-1, required=True, metavar="ID…")
@_checkpoint_option
@yes_option
@json_option
@workspace_of
def delete(
    workspace: Workspace, ids: tuple[str, ...], checkpoint: str | None, yes: bool, as_json: bool
) -> None:
    """Delete notes for good."""
    if not yes:
        confirmed(f"Delete the notes {', '.join(ids)} for good?")
    gone = []
    for one in dict.fromkeys(ids):
        note = (
            remove_note(workspace.registry.get(checkpoint), one)
            if checkpoint
            else workspace.notes.home.remove(one)
        )
        gone.append(_entry(note))
        if not as_json:
            click.echo(f"Deleted: {note.question}")
    if as_json:
        emit({"deleted": gone})


def _entry(note: Example) -> dict[str, Any]:
    return {"id": note.key[:8], "question": note.question, "answer": note.answer, "source": note.source}
