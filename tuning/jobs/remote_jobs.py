"""Jobs that a service does: what is refused before anything is sent, and what is known of their cost. Sends nothing."""

from collections.abc import Callable, Sequence
from dataclasses import fields

from tuning.checkpoints.registry import Registry
from tuning.checkpoints.remote_model import RemoteModel, remote_model
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.data.preferences import ReadPreferences
from tuning.errors import CheckpointError, ExampleError, MethodError
from tuning.jobs.estimates import Estimate
from tuning.remote.outgoing import outgoing
from tuning.remote.service import check_service

KEY_VARIABLE = "TUNING_SERVICE_KEY"  # of a worker alone
USED = (
    "name",
    "parent",
    "base",
    "seed",
    "epochs",
    "examples_per_step",
    "system_prompt",
)  # of a configuration
_UNKNOWN = "the service says when it is done and what it costs; neither is known before"


def check(
    config: TuneConfig,
    lessons: Sequence[Example] | ReadPreferences,
    registry: Registry,
    key_of: Callable[[str], str],
) -> None:
    """Raise where the service cannot be asked, or was not agreed to, or an option would have no effect there."""
    if isinstance(lessons, ReadPreferences):
        raise MethodError(f"{config.method!r} learns from examples, and preferences were given. Choose dpo.")
    if not lessons:
        raise ExampleError("There is nothing to learn: no example was given.")
    if not config.send_to:
        raise MethodError(
            f"{config.method!r} sends the examples to a service. Say which may have them: send_to is empty."
        )
    _refuse_unused(config)
    check_service(config.send_to, key_of(config.send_to))
    parent_of(config, registry)


def _refuse_unused(config: TuneConfig) -> None:
    """What is for trainings on this machine; `device` is left as it is set for these."""
    plain = TuneConfig()
    for field in fields(TuneConfig):
        given = getattr(config, field.name)
        if field.name not in (*USED, "method", "send_to", "device") and given != getattr(plain, field.name):
            raise MethodError(
                f"{field.name} is {given!r}, and a service trains in a way of its own: leave it out. "
                f"It is told {', '.join(USED)}."
            )


def parent_of(config: TuneConfig, registry: Registry) -> RemoteModel | None:
    """The tuned model that the job goes on from. Raises CheckpointError where the service does not have it."""
    if config.parent is None:
        return None
    parent = registry.get(config.parent)
    found = remote_model(parent)
    if found is None or found.url != config.send_to:
        raise CheckpointError(
            f"{config.parent!r} is not kept by {config.send_to}, which can go on from models of its own alone. "
            "Choose one of those, or start without a parent."
        )
    return found


def estimate(config: TuneConfig, lessons: Sequence[Example] | ReadPreferences) -> Estimate:
    """The tokens of one pass; the rest is for the service to know."""
    examples = [] if isinstance(lessons, ReadPreferences) else lessons
    tokens = outgoing(config.send_to or "", config.base, examples, config.system_prompt).tokens
    return Estimate(seconds=0.0, bytes=0, tokens=tokens, steps=0, basis=_UNKNOWN)


def environment(config: TuneConfig, key_of: Callable[[str], str]) -> dict[str, str]:
    """What the worker of such a job has in its environment beside the usual; nothing for any other."""
    return {KEY_VARIABLE: key_of(config.send_to)} if config.send_to else {}
