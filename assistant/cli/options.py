"""What several commands share: their options, the workspace, opening the model with a progress display."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.cli.output import busy
from assistant.engines.stage import Stage
from assistant.errors import AssistantError
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from assistant.engines.base import Engine

F = TypeVar("F", bound=Callable[..., Any])

_STAGES: dict[Stage, str] = {
    "importing": "Starting…",
    "converting": "Preparing the model (only this once, about half a minute)…",
    "opening": "Opening the model…",
}

workspace_of = click.make_pass_decorator(Workspace)


def knowledge_base_option(function: F) -> F:
    """Add --kb; None means the one chosen in the settings."""
    return click.option("--kb", metavar="NAME", help="The knowledge base (default: the chosen one).")(
        function
    )


def document_option(function: F) -> F:
    """Add --document, which may be repeated; none means all of them."""
    return click.option(
        "--document", metavar="NAME", multiple=True, help="Look only in this document. May be repeated."
    )(function)


def yes_option(function: F) -> F:
    """Add --yes, which answers the question that is asked before."""
    return click.option("--yes", is_flag=True, help="Do not ask.")(function)


def confirmed(question: str, otherwise: str = "Nothing was deleted") -> None:
    """Ask on standard error; anything but yes ends the command with status 1."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise AssistantError(f"{otherwise}: that was not confirmed. With --yes nothing is asked.")


def chosen_documents(workspace: Workspace, kb: str | None, names: Sequence[str]) -> list[str] | None:
    """The ids of the documents of these names; None for no names. Raises AssistantError."""
    if not names:
        return None
    # Not at the top: the help of a command needs no HTTP client.
    from assistant.documents.listing import find_documents

    return [info.id for info in find_documents(workspace.existing_knowledge(kb).documents(), names)]


def open_engine(workspace: Workspace) -> "Engine":
    """The engine; while it is opened, standard error says what takes so long."""
    if workspace.engine_state == "ready":
        return workspace.engine()
    with busy(_STAGES["importing"]) as update:
        return workspace.engine(lambda stage: update(_STAGES[stage]))


class SeveralValues(click.Command):
    """A command whose repeatable options take several values: `--examples a b` means `--examples a --examples b`."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Repeat the option's name before each further value."""
        names = {
            name
            for parameter in self.params
            if isinstance(parameter, click.Option) and parameter.multiple
            for name in parameter.opts
        }
        return super().parse_args(context, _repeated(args, names))


def _repeated(args: list[str], names: set[str]) -> list[str]:
    repeated: list[str] = []
    current: str | None = None
    values = 0
    for position, arg in enumerate(args):
        if arg == "--":
            return [*repeated, *args[position:]]
        if arg in names:
            current, values = arg, 0
        elif arg.startswith("-") and len(arg) > 1:
            current = None
        elif current is not None:
            if values:
                repeated.append(current)
            values += 1
        repeated.append(arg)
    return repeated
