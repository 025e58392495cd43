"""The interface of an engine: it streams text for messages and, if asked, a checkpoint.

`local` runs the model with torch in this process, `llama_engine` with llama.cpp in another, `chosen` is both;
`remote` asks an OpenAI-compatible endpoint. None is imported here: torch takes seconds, and most commands need
no model.
"""

import threading
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from assistant.errors import AssistantError
from tuning.data.examples import Message
from tuning.models.capability import Capability
from tuning.models.stream_end import StreamEnd


@dataclass(frozen=True)
class SamplingParams:
    """How the tokens of an answer are chosen, and how many there may be. Raises AssistantError."""

    max_new_tokens: int = 256
    # 0 is greedy decoding.
    temperature: float = 0.0
    # Nucleus sampling: only the likeliest tokens that together reach this probability; 1 keeps all.
    top_p: float = 1.0
    # The same seed gives the same answer; None draws a new one each time.
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise AssistantError(f"An answer has at least 1 new token; {self.max_new_tokens} were asked for.")
        if not self.temperature >= 0:  # also catches NaN
            raise AssistantError(f"A temperature is 0 or more; {self.temperature} was given.")
        if not 0 < self.top_p <= 1:
            raise AssistantError(f"top_p is above 0 and at most 1; {self.top_p} was given.")


GREEDY = SamplingParams()


@runtime_checkable
class Engine(Protocol):
    """One model that answers; callers in several threads share it."""

    name: str
    # The context window, in tokens.
    window: int
    # What the model can be asked for.
    capability: Capability

    def checkpoints(self) -> list[str]:
        """The names of the checkpoints that this engine can answer with."""
        ...

    def label(self, checkpoint: str | None) -> str:
        """What computes an answer and how exactly, as it is shown on it: "llama.cpp · 4 bit". Raises EngineError."""
        ...

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """Tokens that a prompt and its answer may take beside a checkpoint. Raises EngineError."""
        ...

    def identity(self, checkpoint: str | None) -> str | None:
        """A cache key: what decides a greedy answer beside the prompt, or None where that is unknown.

        Raises EngineError.
        """
        ...

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with; "" where there is none. Raises EngineError."""
        ...

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """Yield the answer in pieces and return how it ended. Raises EngineError.

        Setting `stop` ends it early; so does closing the generator, which frees the model for others.
        """
        ...

    def complete(
        self,
        batch: Sequence[Sequence[Message]],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 64,
    ) -> list[str]:
        """Greedy answers to many prompts, in their order. Raises EngineError."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of a bare text. Raises EngineError where the tokenizer is not available."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, with the chat template and the generation prompt."""
        ...

    def count_text(self, text: str) -> int:
        """Tokens of a bare text."""
        ...

    def close(self) -> None:
        """Free the memory or the connections."""
        ...
