"""What commands write: results to standard output, everything else to standard error.

With --json, standard output is one JSON document: whatever a library prints meanwhile goes to standard error.
"""

import contextlib
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
_STDOUT = "imprint.stdout"


def json_option(function: F) -> F:
    """Add --json to a command; it is given as `as_json`."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        callback=_keep_stdout_clean,
        help="Print one JSON document on standard output and nothing else.",
    )(function)


def emit(document: dict[str, Any]) -> None:
    """Print the JSON document of a command."""
    stdout = click.get_current_context().meta.get(_STDOUT, sys.stdout)
    text = json.dumps(_plain(document), ensure_ascii=False, indent=2, allow_nan=False)
    click.echo(text, file=stdout)


def say(text: str) -> None:
    """Print a message that is no result on standard error."""
    click.echo(text, err=True)


class ProgressCallback(Protocol):
    """Sets how much is done, and where they change, the total and the description."""

    def __call__(self, done: float, total: float | None = None, description: str | None = None) -> None: ...


@contextlib.contextmanager
def progress(description: str, total: float) -> Iterator[ProgressCallback]:
    """A progress bar with the time left on standard error; yields the function that advances it."""
    # Imported here, since `imprint --help` needs none of it.
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(description, total=total)

        def advance(done: float, total: float | None = None, description: str | None = None) -> None:
            bar.update(task, completed=done, total=total, description=description)

        yield advance


@contextlib.contextmanager
def busy(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error while something takes long; yields the function that changes its text."""
    from rich.console import Console

    with Console(stderr=True).status(text) as status:
        yield status.update


def print_table(headings: list[str], rows: list[list[str]], numbers: tuple[int, ...] = ()) -> None:
    """A table on standard output; the columns in `numbers` are right-aligned."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column, heading in enumerate(headings):
        table.add_column(heading, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)


def seconds_text(seconds: float) -> str:
    """A duration in seconds, minutes or hours."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _keep_stdout_clean(context: click.Context, parameter: click.Parameter, value: bool) -> bool:
    is_asked = value or bool(context.parent and context.parent.params.get("as_json"))
    if is_asked and _STDOUT not in context.meta:  # `meta` is shared with the group that a command belongs to
        context.meta[_STDOUT] = sys.stdout
        context.with_resource(contextlib.redirect_stdout(sys.stderr))
    return is_asked


def _plain(value: Any) -> Any:
    """What JSON can hold: paths as text, tuples as lists, and null for NaN and infinity."""
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
