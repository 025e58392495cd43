"""Several engines as one: the checkpoint decides which of them answers."""

import threading
from collections.abc import Generator, Sequence
from typing import ClassVar

from assistant.engines.base import GREEDY, Engine, SamplingParams, TextEngine
from assistant.errors import UnsupportedOptionError
from tuning.data.examples import Message
from tuning.models.stream_end import StreamEnd


def answering_engine(engine: Engine, checkpoint: str | None) -> tuple[Engine, str | None]:
    """The engine behind all that forward, and what it is asked for as a checkpoint. Raises EngineError."""
    while isinstance(engine, ForwardingEngine):
        engine, checkpoint = engine.engine_for(checkpoint)
    return engine, checkpoint


class ForwardingEngine:
    """Forwards what is asked to the engine that `engine_for` names; the first one counts the tokens.

    `chats_alone` says why the others do not go on with a bare text, for {name}.
    """

    chats_alone: ClassVar[str]

    def __init__(self, first: Engine) -> None:
        self.first = first
        self.name, self.window, self.capability = first.name, first.window, first.capability
        self.reads_tools = first.reads_tools

    def engine_for(self, checkpoint: str | None) -> tuple[Engine, str | None]:
        """The engine that answers, and what it is asked for as a checkpoint. Raises EngineError."""
        raise NotImplementedError

    def checkpoints(self) -> list[str]:
        """Those of the first engine."""
        return self.first.checkpoints()

    def label(self, checkpoint: str | None) -> str:
        """As the engine's that answers."""
        engine, asked = self.engine_for(checkpoint)
        return engine.label(asked)

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """As the engine's that answers."""
        engine, asked = self.engine_for(checkpoint)
        return engine.prompt_capacity(asked)

    def identity(self, checkpoint: str | None) -> str | None:
        """As the engine's that answers."""
        engine, asked = self.engine_for(checkpoint)
        return engine.identity(asked)

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with."""
        return self.first.system_prompt(checkpoint)

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `Engine.stream`."""
        engine, asked = self.engine_for(checkpoint)
        return (yield from engine.stream(messages, params, checkpoint=asked, stop=stop))

    def continue_text(
        self,
        text: str,
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `TextEngine.continue_text`. Raises UnsupportedOptionError where the engine that answers cannot."""
        engine, asked = self.engine_for(checkpoint)
        if not isinstance(engine, TextEngine):
            raise UnsupportedOptionError("model", self.chats_alone.format(name=repr(checkpoint or self.name)))
        return (yield from engine.continue_text(text, params, checkpoint=asked, stop=stop))

    def complete(
        self, batch: Sequence[Sequence[Message]], *, checkpoint: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        """As `Engine.complete`."""
        engine, asked = self.engine_for(checkpoint)
        return engine.complete(batch, checkpoint=asked, max_new_tokens=max_new_tokens)

    def encode(self, text: str) -> list[int]:
        """Token ids of a bare text, by the first engine."""
        return self.first.encode(text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt with the chat template and the generation prompt, by the first engine."""
        return self.first.count_tokens(messages)

    def count_text(self, text: str) -> int:
        """Tokens of a bare text, by the first engine."""
        return self.first.count_text(text)
