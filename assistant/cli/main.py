"""The `imprint` command: a thin layer over the workspace.

Nothing heavy is imported before a command needs it. Exit status: 0 done, 1 failed, with one line on standard
error, 2 wrong usage.
"""

import logging
import os
import sys
import traceback
from typing import Any

import click

from assistant.cli import (
    ask,
    chats,
    checkpoints,
    compare,
    documents,
    home,
    imports,
    jobs,
    mcp,
    models,
    notes,
    preferences,
    serve,
    setup,
    tune,
)
from assistant.cli.language import refusals, said, spoken
from assistant.errors import AssistantError, sentence_of
from assistant.home.swap import finish_restore
from assistant.home.use import SERVERS, SWAP_SECONDS, forget_earlier_marks, use_home
from assistant.i18n.texts import translated
from assistant.workspace import Workspace
from knowledge.errors import KnowledgeError
from tuning.errors import TuningError, reason_of
from tuning.process import restrict_new_files

# They must run where settings or databases are damaged, or need no home at all.
_WITHOUT_WORKSPACE = {"backup", "doctor"}
_WITHOUT_HOME = {"restore", "setup"}
NO_END = -1.0  # as FileLock has it


class Failure(click.ClickException):
    """A failure as one line: what was asked, what was found, what to do."""

    def show(self, file: Any = None) -> None:
        """Print it on standard error, in the language of the terminal."""
        click.echo(f"imprint: {translated(' '.join(self.message.split()))}", err=True)


class Commands(click.Group):
    """The commands in the order of the loop, with every known error as one line."""

    def list_commands(self, context: click.Context) -> list[str]:
        """As they were added."""
        return list(self.commands)

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line in the language of the terminal."""
        with spoken():
            return click.Group.main(said(self), *args, **options)

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """The context of the options before the command."""
        with refusals():
            return super().make_context(*args, **options)

    def invoke(self, context: click.Context) -> Any:
        """Run a command; every error becomes a Failure, an unknown one with its traceback in the log."""
        try:
            with refusals():
                return super().invoke(context)
        except (AssistantError, TuningError, KnowledgeError) as error:
            raise Failure(str(error)) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            raise Failure(sentence_of(error)) from error
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            raise Failure(_unexpected(error)) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Everything is kept in IMPRINT_HOME. `imprint COMMAND --help` shows an example of each.",
)
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is going on.")
@click.version_option(package_name="imprint")
@click.pass_context
def imprint(context: click.Context, verbose: bool) -> None:
    """An assistant with two kinds of memory: documents in the prompt, and what fine-tuning keeps."""
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(name)s: %(message)s")
    if context.obj is None:
        _open_home(context, str(context.invoked_subcommand))


def _open_home(context: click.Context, command: str) -> None:
    """Whatever a command does, it finds one content of the home, and a restore waits for it."""
    if command in _WITHOUT_HOME:
        return
    from assistant.settings import home_folder  # heavy: pydantic

    home = home_folder()
    forget_earlier_marks(home)
    patience = NO_END if command in SERVERS else SWAP_SECONDS
    context.with_resource(use_home(home, command, patience_seconds=patience))
    finish_restore(home)
    if command not in _WITHOUT_WORKSPACE:
        context.obj = Workspace()
        context.call_on_close(context.obj.close)


for command in (
    serve.app,
    documents.index,
    documents.search,
    ask.ask,
    tune.tune,
    jobs.jobs,
    jobs.cancel,
    jobs.resume,
    checkpoints.checkpoints,
    notes.notes,
    preferences.preferences,
    compare.compare,
    imports.import_,
    chats.chats,
    checkpoints.export,
    models.models,
    serve.serve,
    mcp.mcp,
    home.backup,
    home.restore,
    home.doctor,
    setup.setup,
):
    imprint.add_command(command)


def main() -> None:
    """Entry point of the `imprint` command."""
    restrict_new_files()
    # Before torch and numpy are imported: busy waiting stalls both, and every other process on the same cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    imprint(prog_name="imprint")


def _unexpected(error: Exception) -> str:
    logging.getLogger(__name__).info("%s", "".join(traceback.format_exception(error)))
    return f"something unexpected went wrong: {reason_of(error).rstrip('.')}. With -v it says more."
