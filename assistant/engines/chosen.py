"""The two local engines as one: llama.cpp for the base and the checkpoints that it can take, torch for the others.

Torch's engine is opened when something first needs it. What each of them does is in `llama_engine` and `local`.
"""

import logging
import threading
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from assistant.engines.base import GREEDY, Engine, SamplingParams
from assistant.engines.llama_engine import LlamaEngine
from assistant.errors import EngineError, UnsupportedOptionError
from tuning.data.examples import Message
from tuning.models.stream_end import StreamEnd

if TYPE_CHECKING:  # torch takes seconds to import
    from assistant.engines.local import LocalEngine

log = logging.getLogger(__name__)


class ChosenEngine:
    """Answers with llama.cpp where it can, else with torch."""

    reads_tools = False

    def __init__(
        self,
        llama: LlamaEngine,
        open_torch: "Callable[[], LocalEngine]",
        share: "Callable[[LocalEngine], Engine] | None" = None,
    ) -> None:
        """`share` makes of torch's engine one that answers several callers in one batch."""
        self._llama, self._open_torch, self._share = llama, open_torch, share
        self._opening = threading.Lock()
        self._torch: LocalEngine | None = None
        self._torch_for_answers: Engine | None = None
        self._refused: set[str | None] = set()  # identities of checkpoints that llama.cpp could not load
        self.name = llama.name
        self.window = llama.window
        self.capability = llama.capability

    @property
    def torch(self) -> "LocalEngine":
        """Torch's engine, opened on the first call. Raises EngineError."""
        with self._opening:
            if self._torch is None:
                self._torch = self._open_torch()
            return self._torch

    def sharing(self, share: "Callable[[LocalEngine], Engine]") -> "ChosenEngine":
        """The same engines, torch's with several answers in one batch; closing it closes nothing."""
        return ChosenEngine(self._llama, lambda: self.torch, share)

    def engine_for(self, checkpoint: str | None) -> Engine:
        """The engine that answers with a checkpoint. Raises EngineError."""
        if checkpoint is None:
            return self._llama
        if self._llama.why_not(checkpoint):
            return self._with_torch()
        identity = self._llama.identity(checkpoint)
        if identity in self._refused:
            return self._with_torch()
        try:
            self._llama.prompt_capacity(checkpoint)
        except EngineError as error:
            log.warning("checkpoint %s is answered with torch: %s", checkpoint, error)
            self._refused.add(identity)
            return self._with_torch()
        return self._llama

    def checkpoints(self) -> list[str]:
        """Checkpoints tuned from exactly this base."""
        return self._llama.checkpoints()

    def label(self, checkpoint: str | None) -> str:
        """As the engine's that answers."""
        return self.engine_for(checkpoint).label(checkpoint)

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """As the engine's that answers."""
        return self.engine_for(checkpoint).prompt_capacity(checkpoint)

    def identity(self, checkpoint: str | None) -> str | None:
        """As the engine's that answers."""
        return self.engine_for(checkpoint).identity(checkpoint)

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with."""
        return self._llama.system_prompt(checkpoint)

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `Engine.stream`."""
        engine = self.engine_for(checkpoint)
        return (yield from engine.stream(messages, params, checkpoint=checkpoint, stop=stop))

    def continue_text(
        self,
        text: str,
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `TextEngine.continue_text`. Raises UnsupportedOptionError for a checkpoint that torch answers with."""
        engine = self.engine_for(checkpoint)
        if not isinstance(engine, LlamaEngine):
            raise UnsupportedOptionError(
                "model",
                f"model: {checkpoint!r} is answered with torch, which goes on with chats alone. Ask it in a chat.",
            )
        return (yield from engine.continue_text(text, params, checkpoint=checkpoint, stop=stop))

    def complete(
        self, batch: Sequence[Sequence[Message]], *, checkpoint: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        """As `Engine.complete`."""
        engine = self.engine_for(checkpoint)
        return engine.complete(batch, checkpoint=checkpoint, max_new_tokens=max_new_tokens)

    def encode(self, text: str) -> list[int]:
        """Token ids of a bare text."""
        return self._llama.encode(text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt with the chat template and the generation prompt."""
        return self._llama.count_tokens(messages)

    def count_text(self, text: str) -> int:
        """Tokens of a bare text."""
        return self._llama.count_text(text)

    def close(self) -> None:
        """End llama.cpp's process, and free torch's model."""
        if self._share is not None:
            return  # they are another's
        self._llama.close()
        with self._opening:
            if self._torch is not None:
                self._torch.close()

    def _with_torch(self) -> Engine:
        if self._share is None:
            return self.torch
        opened = self.torch
        with self._opening:
            if self._torch_for_answers is None:
                self._torch_for_answers = self._share(opened)
            return self._torch_for_answers
