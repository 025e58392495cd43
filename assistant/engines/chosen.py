"""The two local engines as one: llama.cpp for the base and the checkpoints that it can take, torch for the others.

Torch's engine is opened when something first needs it. What each of them does is in `llama_engine` and `local`.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from assistant.engines.base import Engine
from assistant.engines.forwarding import ForwardingEngine
from assistant.engines.llama_engine import LlamaEngine
from assistant.errors import EngineError

if TYPE_CHECKING:  # torch takes seconds to import
    from assistant.engines.local import LocalEngine

log = logging.getLogger(__name__)


class ChosenEngine(ForwardingEngine):
    """Answers with llama.cpp where it can, else with torch."""

    chats_alone = "model: {name} is answered with torch, which goes on with chats alone. Ask it in a chat."

    def __init__(
        self,
        llama: LlamaEngine,
        open_torch: "Callable[[], LocalEngine]",
        share: "Callable[[LocalEngine], Engine] | None" = None,
    ) -> None:
        """`share` makes of torch's engine one that answers several callers in one batch."""
        super().__init__(llama)
        self._llama, self._open_torch, self._share = llama, open_torch, share
        self._opening = threading.Lock()
        self._torch: LocalEngine | None = None
        self._torch_for_answers: Engine | None = None
        self._refused: set[str | None] = set()  # identities of checkpoints that llama.cpp could not load

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

    def engine_for(self, checkpoint: str | None) -> tuple[Engine, str | None]:
        """The engine that answers with a checkpoint, and the checkpoint. Raises EngineError."""
        return self._llama if self._is_for_llama(checkpoint) else self._with_torch(), checkpoint

    def _is_for_llama(self, checkpoint: str | None) -> bool:
        """Whether llama.cpp has loaded a checkpoint; one that it refused is not tried again."""
        if checkpoint is None:
            return True
        if self._llama.why_not(checkpoint) or (identity := self._llama.identity(checkpoint)) in self._refused:
            return False
        try:
            self._llama.prompt_capacity(checkpoint)
        except EngineError as error:
            log.warning("checkpoint %s is answered with torch: %s", checkpoint, error)
            self._refused.add(identity)
            return False
        return True

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
