"""`imprint chats`: the conversations, also those that no page can show."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import confirmed, workspace_of, yes_option
from assistant.cli.output import emit, json_option, print_table, say
from assistant.errors import ConversationError
from assistant.workspace import Workspace
from tuning.data.exporters import CHAT_EXPORTERS, DATASETS

if TYPE_CHECKING:
    from assistant.history.records import ConversationInfo, StoredMessage

_SPEAKERS = {"user": "You", "assistant": "Imprint", "system": "System"}
_FORMS = ("json", "md")
_MOST = 1_000_000  # of all conversations


@click.group(epilog="Example: imprint chats list --search Skerrin")
def chats() -> None:
    """List, show, export and delete conversations."""


@chats.command("list", epilog="Example: imprint chats list --search Skerrin")
@click.option("--search", metavar="WORDS", default="", help="Only those that contain every word.")
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="At most so many.")
@click.option("--deleted", is_flag=True, help="Those that were deleted, and can be restored for 30 days.")
@click.option("--archived/--not-archived", default=None, help="Only those in the archive, or all others.")
@click.option("--tag", metavar="TAG", default="", help="Only those with this tag.")
@json_option
@workspace_of
def list_(
    workspace: Workspace,
    search: str,
    limit: int,
    deleted: bool,
    archived: bool | None,
    tag: str,
    as_json: bool,
) -> None:
    """List the conversations, newest first."""
    store = workspace.store
    found = store.deleted() if deleted else store.list(search, limit=limit, archived=archived, tag=tag)
    if as_json:
        emit({"chats": [_entry(info) for info in found[:limit]]})
    elif not found:
        narrowed = search or deleted or tag or archived is not None
        say("No conversation was found." if narrowed else "No conversation yet.")
    else:
        rows = [
            [str(info.id), info.title, _day(info.updated), str(info.message_count)] for info in found[:limit]
        ]
        print_table(["id", "title", "changed", "messages"], rows, numbers=(0, 3))


@chats.command(epilog="Example: imprint chats show 12")
@click.argument("conversation", type=int, metavar="ID")
@json_option
@workspace_of
def show(workspace: Workspace, conversation: int, as_json: bool) -> None:
    """Print a conversation."""
    found = workspace.store.get(conversation)
    if as_json:
        heading = {"id": found.id, "title": found.title, "created": found.created, "updated": found.updated}
        emit({**heading, "source": found.source, "messages": [_message(one) for one in found.messages]})
        return
    click.echo(f"# {found.title or 'Conversation'}")
    for message in found.messages:
        click.echo(f"\n{_SPEAKERS.get(message.role, message.role)}: {message.content.strip()}")
        if message.correction:
            click.echo(f"Corrected by you: {message.correction}")


@chats.command(epilog="Example: imprint chats export 12 --format md --output chat.md")
@click.argument("conversations", type=int, nargs=-1, metavar="ID…")
@click.option("--all", "every", is_flag=True, help="Export every conversation.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMS, *CHAT_EXPORTERS, DATASETS]),
    default="json",
    show_default=True,
    help="json: with every branch and rating, for `imprint import`; md: to read. To train from, as one file of several "
    "conversations: openai, sharegpt, alpaca; dpo and kto: what was rated and corrected; datasets: a folder.",
)
@click.option(
    "--output",
    metavar="PATH",
    type=click.Path(path_type=Path),
    help="Write this file or folder (default: standard output). One that exists is not replaced.",
)
@json_option
@workspace_of
def export(
    workspace: Workspace,
    conversations: tuple[int, ...],
    every: bool,
    form: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Write conversations as a file."""
    ids = (
        [info.id for info in workspace.store.list(limit=_MOST)]
        if every
        else list(dict.fromkeys(conversations))
    )
    if not ids:
        raise click.UsageError("Which conversations? Give their IDs (see `imprint chats list`), or --all.")
    if form in _FORMS and len(ids) > 1:
        raise click.UsageError(f"--format {form} is one file for each conversation; give one ID.")
    if form == DATASETS and output is None:
        raise click.UsageError("--format datasets is a folder; say which with --output.")
    written = _write_export(workspace, ids, form, output)
    if as_json:
        one = {"id": ids[0]} if len(ids) == 1 else {}
        emit({**one, "ids": ids, "format": form, **written})
    else:
        click.echo(output or written["text"], nl=output is not None)


def _write_export(workspace: Workspace, ids: list[int], form: str, output: Path | None) -> dict[str, Any]:
    """What the JSON says of it: the file, or the text."""
    from assistant.history.exporting import training_file, write_dataset
    from assistant.history.transfer import export as text_of
    from assistant.storage import write_whole

    if form == DATASETS and output is not None:
        return {
            "file": str(output),
            "files": [str(file) for file in write_dataset(workspace.store, ids, output)],
        }
    text = (
        text_of(workspace.store, ids[0], form)
        if form in _FORMS
        else training_file(workspace.store, ids, form)
    )
    if output is None:
        return {"text": text}
    if output.exists():
        raise ConversationError(f"{output} exists already. Choose another name, or remove it first.")
    write_whole(output, text, private=True)
    return {"file": str(output)}


@chats.command(epilog="Example: imprint chats delete 12 13 --yes")
@click.argument("conversations", type=int, nargs=-1, required=True, metavar="ID…")
@yes_option
@json_option
@workspace_of
def delete(workspace: Workspace, conversations: tuple[int, ...], yes: bool, as_json: bool) -> None:
    """Delete conversations, also damaged ones; `imprint chats restore` brings them back for 30 days."""
    store, ids = workspace.store, list(dict.fromkeys(conversations))
    titles = [store.title(one) for one in ids]  # all of them are there, or none is deleted
    if not yes:
        named = ", ".join(f"{one} ({title or 'untitled'})" for one, title in zip(ids, titles, strict=True))
        confirmed(f"Delete {named}?")
    with store.transaction():
        for one in ids:
            store.delete(one)
    _done(as_json, "deleted", ids)


@chats.command(epilog="Example: imprint chats restore 12")
@click.argument("conversations", type=int, nargs=-1, required=True, metavar="ID…")
@json_option
@workspace_of
def restore(workspace: Workspace, conversations: tuple[int, ...], as_json: bool) -> None:
    """Bring deleted conversations back."""
    with workspace.store.transaction():
        for one in conversations:
            workspace.store.restore(one)
    _done(as_json, "restored", conversations)


@chats.command(epilog="Example: imprint chats archive 12 13")
@click.argument("conversations", type=int, nargs=-1, required=True, metavar="ID…")
@click.option("--undo", is_flag=True, help="Take them out of the archive.")
@json_option
@workspace_of
def archive(workspace: Workspace, conversations: tuple[int, ...], undo: bool, as_json: bool) -> None:
    """Take conversations out of the list without deleting them."""
    with workspace.store.transaction():
        for one in conversations:
            workspace.store.labels.archive(one, not undo)
    _done(as_json, "unarchived" if undo else "archived", conversations)


@chats.command(epilog="Example: imprint chats tag 12 --add clinic --remove draft")
@click.argument("conversation", type=int, metavar="ID")
@click.option("--add", metavar="TAG", multiple=True, help="Give it this tag. May be repeated.")
@click.option("--remove", metavar="TAG", multiple=True, help="Take this tag away. May be repeated.")
@json_option
@workspace_of
def tag(
    workspace: Workspace, conversation: int, add: tuple[str, ...], remove: tuple[str, ...], as_json: bool
) -> None:
    """Give a conversation tags, or take some away; without an option, print those that it has."""
    store = workspace.store
    if add or remove:
        kept = [name for name in (*store.get(conversation).tags, *add) if name not in remove]
        store.labels.set_tags(conversation, kept)
    tags = list(store.get(conversation).tags)
    if as_json:
        emit({"id": conversation, "tags": tags})
    else:
        click.echo(", ".join(tags) or "No tags.")


def _done(as_json: bool, word: str, ids: Sequence[int]) -> None:
    if as_json:
        emit({word: list(ids)})
    else:
        click.echo(f"{word.capitalize()}: {', '.join(map(str, ids))}")


def _entry(info: "ConversationInfo") -> dict[str, Any]:
    names = ("id", "title", "created", "updated", "source", "excerpt", "archived")
    fields = {name: getattr(info, name) for name in names}
    return {**fields, "tags": list(info.tags), "messages": info.message_count}


def _message(message: "StoredMessage") -> dict[str, Any]:
    names = ("id", "role", "content", "created", "status", "rating", "correction", "memory", "checkpoint")
    sources = [source.to_dict() for source in message.sources]
    return {**{name: getattr(message, name) for name in names}, "sources": sources}


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M") if seconds else ""
