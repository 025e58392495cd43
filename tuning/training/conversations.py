"""What a run is given: conversations to learn, how many are held out of training, and how much there is to compute.

Nothing is trained here; `plan` needs a tokenizer and no weights.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.errors import ExampleError
from tuning.models.adapters import Adapter
from tuning.models.packing import MULTIPLE, packed_length, prepare, with_system
from tuning.models.template import Template
from tuning.training import methods

_REPLAYED_TOKENS = 30  # of a general prompt and its answer, about
_EXERCISE_TOKENS = 100  # of a context, its question and the answer, about
_REVERSED_SHARE = 0.6  # of the examples name a subject that can be asked for


class TrainingConversation(Protocol):
    """What is read of an example."""

    @property
    def messages(self) -> tuple[Message, ...]: ...
    @property
    def probes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Parent:
    """What a further round continues from."""

    adapter: Adapter
    examples: Sequence[TrainingConversation] = ()  # of the rounds so far: some are asked again at every step


@dataclass(frozen=True)
class Workload:
    """How much a run will compute, at most."""

    steps: int
    tokens: int
    examples: int


def plan(
    base: Template,
    config: TuneConfig,
    examples: Sequence[TrainingConversation],
    earlier: Sequence[TrainingConversation] = (),
) -> Workload:
    """How many steps and tokens a run will take at most."""
    amounts = methods.amounts(config, base.config.hidden_size, len(examples))
    encoded = prepare(base, conversations_of(config, examples), base.window).encoded
    size = amounts.examples_per_step
    steps = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    asked = 1 + _REVERSED_SHARE * amounts.reversals
    beside = _REPLAYED_TOKENS * amounts.replay + _EXERCISE_TOKENS * amounts.reading + MULTIPLE / 2
    if earlier:
        known = prepare(base, conversations_of(config, earlier), base.window).encoded
        share = min(amounts.earlier, len(known)) / max(1, len(known))  # of them, at every step
        beside += share * sum(packed_length([one]) for one in known)
    tokens = round(sum(asked * packed_length(step) + beside for step in steps))
    return Workload(amounts.epochs * len(steps), amounts.epochs * tokens, len(encoded))


def conversations_of(config: TuneConfig, examples: Sequence[TrainingConversation]) -> list[list[Message]]:
    """The examples' messages, with the run's system prompt where they have none of their own."""
    return [with_system(example.messages, config.system_prompt) for example in examples]


def kept_aside(
    base: Template, config: TuneConfig, validation: Sequence[TrainingConversation], window: int
) -> tuple[list[Message], ...]:
    """Validation examples as conversations. Raises ExampleError where none fits the window."""
    prepared = prepare(base, conversations_of(config, validation), window)
    if validation and not prepared.encoded:
        raise ExampleError(
            f"None of the {len(validation)} validation examples fits the model's window of {window} tokens. "
            "Shorten them, or leave them out."
        )
    return prepared.conversations


def split(
    conversations: Sequence[list[Message]], config: TuneConfig
) -> tuple[list[list[Message]], list[list[Message]]]:
    """What is learned, and what is held out to choose the best state by. Raises ExampleError."""
    if not config.validation:
        return list(conversations), []
    if len(conversations) < 2:
        raise ExampleError(
            f"validation={config.validation} keeps examples out of training, and there is only "
            f"{len(conversations)}. Add examples, or set validation to 0."
        )
    count = min(max(1, round(config.validation * len(conversations))), len(conversations) - 1)
    order = list(range(len(conversations)))
    random.Random(f"{config.seed} validation").shuffle(order)
    out = set(order[:count])
    learned = [one for number, one in enumerate(conversations) if number not in out]
    return learned, [one for number, one in enumerate(conversations) if number in out]
