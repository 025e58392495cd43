"""`imprint index` and `imprint search`."""

import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import (
    chosen_documents,
    document_option,
    knowledge_base_option,
    workspace_of,
)
from assistant.cli.output import busy, emit, json_option, progress, say, seconds_text
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from knowledge.base.reports import DocumentReport

_MARKS = {"added": "+", "updated": "~", "unchanged": "=", "renamed": ">", "removed": "-", "failed": "✗"}
_MAX_SHOWN = 300


@click.command(epilog="Example: imprint index ~/manuals handbook.pdf --kb products")
@click.argument("paths", nargs=-1, metavar="PATH…")
@knowledge_base_option
@click.option("--password", "locked", is_flag=True, help="Ask for the password of encrypted files.")
@click.option("--rebuild", is_flag=True, help="First embed all that is there with the chosen model.")
@json_option
@workspace_of
def index(
    workspace: Workspace,
    paths: tuple[str, ...],
    kb: str | None,
    locked: bool,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Add files, folders or URLs to a knowledge base.

    A file that has not changed since costs nothing; a changed one replaces its passages. A file that cannot
    be read is reported, the others are indexed, and the exit status is 1. Only the page at a URL is fetched,
    not what it links to. With --password one password is asked for, unseen, or read from standard input where
    that is no terminal; it is kept nowhere.
    """
    if not paths and not rebuild:
        raise click.UsageError("Nothing to add: give a file, a folder or a URL.")
    name = kb or workspace.settings.knowledge_base
    password = _password() if locked else None
    from knowledge.ingest.fetch import name_of  # heavy: an HTTP client, which no help needs

    began = time.monotonic()
    with busy("Opening the knowledge base…"):
        knowledge = workspace.knowledge(name)
    if rebuild:
        with progress("Embedding", 1) as advance:
            knowledge.rebuild(watch=lambda now: advance(now.share))
        say(f"{knowledge.count} passages of {name!r} were embedded anew.")
    with progress("Indexing", 1) as advance:

        def show(report: "DocumentReport", done: int, total: int) -> None:
            if not as_json:
                click.echo(_line(report))

        reports = knowledge.add(
            paths,
            progress=show,
            watch=lambda now: advance(now.share, description=f"Indexing {name_of(now.path)}"),
            password=password,
        )
    seconds = time.monotonic() - began
    failed = [report for report in reports if report.status == "failed"]
    if as_json:
        documents = [_entry(report) for report in reports]
        emit({"kb": name, "documents": documents, "seconds": round(seconds, 3)})
    elif paths:
        read = f"{len(reports) - len(failed)} of {len(reports)} documents are in {name!r}"
        say(f"{read} ({seconds_text(seconds)}).")
        if not password and any(report.locked for report in failed):
            say("To open what is encrypted, run this again with --password: it is asked for and not shown.")
    if failed:
        click.get_current_context().exit(1)


@click.command(epilog='Example: imprint search "How heavy is the Skerrin?" -k 3')
@click.argument("question")
@knowledge_base_option
@document_option
@click.option("-k", default=4, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@json_option
@workspace_of
def search(
    workspace: Workspace, question: str, kb: str | None, document: tuple[str, ...], k: int, as_json: bool
) -> None:
    """Show the passages that match a question best."""
    with busy("Opening the knowledge base…"):
        knowledge = workspace.existing_knowledge(kb)
        documents = chosen_documents(workspace, kb, document)
    began = time.monotonic()
    hits = knowledge.search(question, k, documents=documents)
    seconds = time.monotonic() - began
    if as_json:
        emit({"passages": [_hit(hit) for hit in hits], "seconds": round(seconds, 4)})
        return
    if not hits:
        say("Nothing relevant found.")
    for number, hit in enumerate(hits, 1):
        passage = hit.passage
        place = f"{passage.source}, page {passage.page}" if passage.page else passage.source
        click.echo(f"{number}. {' › '.join((place, *passage.headings))}  ({hit.score:.2f})")
        text = " ".join(passage.text.split())
        click.echo(f"   {text[:_MAX_SHOWN]}{'…' if len(text) > _MAX_SHOWN else ''}")


def _password() -> str:
    """The password of encrypted files: from a hidden prompt, or the first line of standard input for a program."""
    if sys.stdin.isatty():
        return str(click.prompt("Password of the encrypted files", hide_input=True, err=True))
    given = sys.stdin.readline().rstrip("\r\n")
    if not given:
        raise click.UsageError("--password: standard input is no terminal and holds no password.")
    return given


def _entry(report: "DocumentReport") -> dict[str, Any]:
    return asdict(report)


def _line(report: "DocumentReport") -> str:
    ending = f": {report.error}" if report.error else f" ({report.passages} passages)"
    return f"{_MARKS.get(report.status, ' ')} {report.status:9} {report.path}{ending}"


def _hit(hit: Any) -> dict[str, Any]:
    passage = hit.passage
    return {
        "text": passage.text,
        "source": passage.source,
        "page": passage.page,
        "score": hit.score,
        "title": passage.title,
        "headings": list(passage.headings),
        "dense": hit.dense,
        "lexical": hit.lexical,
        "passage_id": passage.id,
    }
