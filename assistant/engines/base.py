"""The interface of an engine: it streams text for messages and, if asked, a checkpoint.

`local` runs the model with torch in this process, `llama_engine` with llama.cpp in another, `chosen` is both;
`remote` asks an OpenAI-compatible endpoint. None is imported here: torch takes seconds, and most commands need
no model.
"""

import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from assistant.engines.shapes import Shape
from assistant.errors import AssistantError, UnsupportedOptionError
from tuning.data.examples import Message
from tuning.models.capability import Capability
from tuning.models.stream_end import StreamEnd

MOST_PENALTY, MOST_BIAS, MOST_LOGPROBS = 2.0, 100.0, 20


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
    # Taken from the score of a token for each time that it was written, and once for all times; from -2 to 2.
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    # Added to the scores of tokens, by their ids; from -100 to 100.
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    # Pieces are `Piece`s that know how likely each token was, with so many others in its place; None asks for neither.
    top_logprobs: int | None = None
    # What the answer must look like; None leaves it free.
    shape: Shape | None = None
    # Nothing that was read before is taken up again: what is kept of it was rounded beside other prompts.
    reads_anew: bool = False

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise AssistantError(f"An answer has at least 1 new token; {self.max_new_tokens} were asked for.")
        if not self.temperature >= 0:  # also catches NaN
            raise AssistantError(f"A temperature is 0 or more; {self.temperature} was given.")
        if not 0 < self.top_p <= 1:
            raise AssistantError(f"top_p is above 0 and at most 1; {self.top_p} was given.")
        for name, penalty in (("frequency", self.frequency_penalty), ("presence", self.presence_penalty)):
            _require(f"{name}_penalty", penalty, MOST_PENALTY)
        for token, bias in self.logit_bias.items():
            _require("logit_bias", bias, MOST_BIAS, f" for the token {token}")
        if self.top_logprobs is not None:
            _require("top_logprobs", self.top_logprobs, MOST_LOGPROBS, least=0)

    @property
    def is_plain(self) -> bool:
        """Whether nothing but temperature, top-p and the seed decides the tokens."""
        return not (
            self.frequency_penalty
            or self.presence_penalty
            or self.logit_bias
            or self.top_logprobs is not None
            or self.shape
        )

    def refuse_tokens_from(self, vocabulary: int) -> None:
        """Raises UnsupportedOptionError where a bias is for a token that a model with so many does not have."""
        if unknown := [token for token in self.logit_bias if not 0 <= token < vocabulary]:
            raise UnsupportedOptionError(
                "logit_bias",
                f"logit_bias: there is no token {unknown[0]}; this model has those from 0 to {vocabulary - 1}.",
            )


def _require(option: str, value: float, most: float, of: str = "", least: float | None = None) -> None:
    """Raises UnsupportedOptionError where a value is outside what OpenAI's API allows."""
    lowest = -most if least is None else least
    if not lowest <= value <= most:  # also catches NaN
        raise UnsupportedOptionError(
            option, f"{option} is from {lowest:g} to {most:g}; {value:g} was given{of}."
        )


GREEDY = SamplingParams()


@runtime_checkable
class Engine(Protocol):
    """One model that answers; callers in several threads share it."""

    name: str
    # The context window, in tokens.
    window: int
    # What the model can be asked for.
    capability: Capability
    # Whether it takes tools and the messages about them as OpenAI's API writes them. If not, they are put into words.
    reads_tools: bool

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


@runtime_checkable
class TextEngine(Engine, Protocol):
    """An engine that also goes on with a bare text, without a chat template around it."""

    def continue_text(
        self,
        text: str,
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `stream`, for what follows the text. Raises EngineError."""
        ...
