"""The language of the command line: IMPRINT_LANGUAGE, else that of the terminal; help and refusals said in it.

What commands print as JSON, names and states are the same in every language.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from assistant.i18n.texts import FALLBACK, LANGUAGE_NAMES, language, translated, use_language

# What click says of wrong usage; the translations are patterns of `zh.json`.
CLICK_SAYS = (
    "No such option: {}",
    "No such option '{}'.",
    "No such option '{}'. Did you mean '{}'?",
    "No such command '{}'.",
    "No such command '{}'. Did you mean '{}'?",
    "Missing argument '{}'.",
    "Missing option '{}'.",
    "Missing command.",
    "Got unexpected extra argument ({})",
    "Got unexpected extra arguments ({})",
    "Option '{}' requires an argument.",
    "Option '{}' requires {} arguments.",
    "Invalid value for '{}': {}",
    "Path '{}' does not exist.",
    "File '{}' does not exist.",
    "'{}' is not one of {}.",
    "'{}' is not a valid integer.",
    "{} is not in the range {}.",
)


def terminal_language() -> str:
    """`IMPRINT_LANGUAGE` where it names a language, else what the locale's variables say, by their precedence."""
    chosen = os.environ.get("IMPRINT_LANGUAGE", "").strip()
    if chosen in LANGUAGE_NAMES:
        return chosen
    said = next((found for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (found := os.environ.get(name))), "")
    return "zh" if said.lower().startswith("zh") else FALLBACK


@contextmanager
def spoken() -> Iterator[None]:
    """Inside, texts and errors are in the language of the terminal."""
    before = language()
    use_language(terminal_language())
    try:
        yield
    finally:
        use_language(before)


@contextmanager
def refusals() -> Iterator[None]:
    """Wrong usage inside is said in the language of the terminal; its exit status stays."""
    try:
        yield
    except click.UsageError as error:
        if language() == FALLBACK:
            raise
        from assistant.cli.help_pages import SpokenUsageError  # heavy: rich

        raise SpokenUsageError(translated(error.format_message()), error.ctx) from error


def said(command: click.Command) -> click.Command:
    """The command with its help in the language of the terminal."""
    if language() == FALLBACK:
        return command
    from assistant.cli import help_pages  # heavy: rich; English help needs none of it

    return help_pages.said(command)
