"""What an engine is: something that streams text for messages and, if asked, a checkpoint.

`local` runs the model in this process, `remote` asks an OpenAI-compatible endpoint. Neither is imported
here, because opening torch takes seconds and most commands need no model.
"""

import threading
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from tuning.data.examples import Message


@runtime_checkable
class Engine(Protocol):
    """One model that answers; callers share it and wait for their turn."""

    name: str
    window: int

    def checkpoints(self) -> list[str]:
        """The names of the checkpoints that this engine can answer with."""
        ...

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """Tokens that a prompt and its answer may take beside a checkpoint. Raises EngineError."""
        ...

    def identity(self, checkpoint: str | None) -> str | None:
        """What decides a greedy answer beside the prompt; None where unknown. Raises EngineError."""
        ...

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with; "" where there is none. Raises EngineError."""
        ...

    def stream(
        self,
        messages: Sequence[Message],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[str]:
        """The answer in pieces; setting `stop` ends it early. Raises EngineError."""
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
        """Token ids of a text. Raises EngineError where the tokenizer is out of reach."""
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt, with the chat template and the opening of the answer."""
        ...

    def count_text(self, text: str) -> int:
        """Tokens of a bare text."""
        ...

    def close(self) -> None:
        """Give the memory back."""
        ...
