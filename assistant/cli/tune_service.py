"""What `imprint tune --method openai` asks before anything is sent: where the examples go, and what goes."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assistant.cli.options import confirmed
from assistant.cli.output import say
from assistant.errors import AssistantError
from assistant.workspace import Workspace
from tuning.checkpoints.manifest import REMOTE
from tuning.remote.outgoing import outgoing

if TYPE_CHECKING:
    from tuning.config import TuneConfig
    from tuning.data.examples import Example
    from tuning.jobs.jobs import Lessons

F = TypeVar("F", bound=Callable[..., Any])


def service_options(function: F) -> F:
    """Add the option to a command."""
    return click.option(
        "--send-to",
        metavar="URL",
        help="Of --method openai: the service that may have the examples (default: the one of the settings).",
    )(function)


def address_of(workspace: Workspace, options: dict[str, Any]) -> dict[str, Any]:
    """The fields `send_to` and `base` of a job for a service. Raises AssistantError where one is not known."""
    from assistant.engines.services import service_of  # heavy, and only for a service

    service = service_of(workspace.settings)
    url = options["send_to"] or (service.url if service else None)
    if url is None:
        raise AssistantError(
            "A fine-tuning service is needed, and none is set. Give --send-to URL (OpenAI's is "
            "https://api.openai.com/v1), or set IMPRINT_FINE_TUNING_URL and IMPRINT_FINE_TUNING_KEY."
        )
    known = service.model if service and service.url == url else ""
    parent = workspace.registry.get(options["parent"]).base if options["parent"] else ""
    base = options["base"] or parent or known
    if not base:
        raise AssistantError(
            f"Which model {url} is to tune is not said. Give --base with its name there, or set "
            "IMPRINT_FINE_TUNING_MODEL."
        )
    return {"send_to": url, "base": base}


def ask_to_send(config: "TuneConfig", lessons: "Lessons", *, yes: bool) -> None:
    """Show what would leave this machine, and go on only where that is wanted. Raises AssistantError."""
    assert config.method == REMOTE and config.send_to
    examples: Sequence[Example] = list(lessons)  # type: ignore[arg-type]
    sent = outgoing(config.send_to, config.base, examples, config.system_prompt)
    passes = f", {config.epochs} times" if config.epochs else ", as often as the service goes over them"
    say(f"This leaves the machine, to {sent.url}:")
    say(f"  {sent.examples} examples, {sent.bytes:,} bytes, about {sent.tokens:,} tokens{passes}")
    for question in sent.questions:
        say(f"  such as: {' '.join(question.split())[:100]}")
    say(f"The service tunes its {sent.model!r} on them, at its own price, which is not known here.")
    if not yes:
        confirmed(f"Send the examples to {sent.host}?", "Nothing was sent")
