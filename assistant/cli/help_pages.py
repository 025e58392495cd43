"""Help in the language of the terminal: headings, texts, defaults, and lines that break where Chinese may break.

It knows no command; what is translated comes from the table of the language.
"""

import copy
import re
from collections.abc import Iterable, Iterator

import click
from rich.cells import cell_len

from assistant.i18n.texts import translated

FIRST_COLUMN, GAP = 30, 2  # as click has them
TYPES = ("INTEGER", "INTEGER RANGE", "FLOAT", "FLOAT RANGE", "TEXT")  # as click names what an option takes
# What click writes around the texts of a command; the translations are sentences of `zh.json`.
CLICK_WRITES = (
    "Usage",
    "Options",
    "Commands",
    "Show this message and exit.",
    "Show the version and exit.",
    "default",
    "required",
    "OPTIONS",
    "COMMAND",
    "ARGS",
    "Error",
    "Try '{}' for help.",
    *TYPES,
)
# Chinese breaks between any two signs, but not before a closing mark or after an opening one.
_PIECE = re.compile(r"\s+|[（“《]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef“”]+)[，。；：、？！）”》…]*")
_EXTRA = re.compile(r"(?P<text>.*?)(?:  \[(?P<extra>[^\]]*)\])?", re.DOTALL)


class SpokenFormatter(click.HelpFormatter):
    """click's formatter with translated headings, which counts what a sign takes on the screen."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line that says how a command is written."""
        super().write_usage(prog, args, prefix or f"{translated('Usage')}：")

    def write_heading(self, heading: str) -> None:
        """The heading of a section."""
        self.write(f"{' ' * self.current_indent}{translated(heading)}：\n")

    def write_text(self, text: str) -> None:
        """Paragraphs of text."""
        indent = " " * self.current_indent
        paragraphs = (
            "\n".join(indent + line for line in wrapped(paragraph, self.width - self.current_indent))
            for paragraph in paragraphs_of(text)
        )
        self.write("\n\n".join(paragraphs) + "\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = FIRST_COLUMN, col_spacing: int = GAP
    ) -> None:
        """Names and what they mean, in two columns."""
        rows = list(rows)
        column = min(max(cell_len(name) for name, _ in rows), col_max) + col_spacing
        indent = " " * (self.current_indent + column)
        for name, meaning in rows:
            lines = list(wrapped(_said_meaning(meaning), self.width - len(indent))) or [""]
            fits = cell_len(name) <= column - col_spacing
            first = " " * (column - cell_len(name)) if fits else f"\n{indent}"
            self.write(f"{' ' * self.current_indent}{name}{first}{lines[0]}".rstrip() + "\n")
            self.write("".join(f"{indent}{line}\n" for line in lines[1:]))


class SpokenContext(click.Context):
    """A context whose help is written by the formatter above."""

    formatter_class = SpokenFormatter


class SpokenUsageError(click.UsageError):
    """Wrong usage, with all that click says around it translated."""

    def show(self, file: object = None) -> None:
        """Print the usage, where help is, and the error on standard error."""
        if self.ctx is not None:
            path = self.ctx.command_path
            click.echo(self.ctx.get_usage(), err=True)
            click.echo(translated(f"Try '{path} --help' for help.") + "\n", err=True)
        click.echo(f"{translated('Error')}：{self.format_message()}", err=True)


def said(command: click.Command) -> click.Command:
    """The command, and those below it, with all of their help translated."""
    spoken = copy.copy(command)
    spoken.context_class = SpokenContext
    spoken.help = "\n\n".join(translated(paragraph) for paragraph in paragraphs_of(command.help or ""))
    spoken.epilog = translated(command.epilog or "")
    spoken.options_metavar = f"[{translated('OPTIONS')}]"
    spoken.params = [_said_option(one) for one in command.params]
    if isinstance(command, click.Group) and isinstance(spoken, click.Group):
        spoken.subcommand_metavar = f"{translated('COMMAND')} [{translated('ARGS')}]..."
        spoken.commands = {name: said(one) for name, one in command.commands.items()}
    return spoken


def paragraphs_of(text: str) -> list[str]:
    """The paragraphs of a docstring, each as one line."""
    return [" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n") if paragraph.strip()]


def wrapped(text: str, width: int) -> Iterator[str]:
    """Lines that take at most `width` cells, where no single word is longer."""
    line = ""
    for piece in _PIECE.findall(text):
        if line and cell_len(line) + cell_len(piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece if line or piece.strip() else ""
    if line.strip():
        yield line.rstrip()


def _said_option(parameter: click.Parameter) -> click.Parameter:
    if not isinstance(parameter, click.Option):
        return parameter
    spoken = copy.copy(parameter)
    spoken.help = translated(parameter.help or "")
    if parameter.metavar is None and (kind := parameter.type.name.upper()) in TYPES:
        spoken.metavar = translated(kind)
    return spoken


def _said_meaning(text: str) -> str:
    """What an option means, and in brackets its default and its range; click's own options are in English here."""
    parts = _EXTRA.fullmatch(text)
    meaning, extra = (parts["text"], parts["extra"]) if parts else (text, None)
    return f"{translated(meaning)}  [{translated(extra)}]" if extra else translated(meaning)
