"""The engine of one home: opened once, when it is first needed, whatever thread asks first."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from assistant.background import start_thread
from assistant.engines.stage import OnStage, Stage
from assistant.errors import AssistantError

if TYPE_CHECKING:
    from assistant.engines.base import Engine

log = logging.getLogger(__name__)

EngineState = Literal["cold", "loading", "ready", "failed"]


class OpenEngine:
    """The engine, or how far its opening is: `stage` while it is underway, `error` after it failed."""

    def __init__(self, open_engine: "Callable[[OnStage], Engine]", engine: "Engine | None" = None) -> None:
        """`open_engine` raises AssistantError; `engine` is one that is open already."""
        self._open, self._engine = open_engine, engine
        self._opening = threading.Lock()
        self.stage: Stage | None = None
        self.error = ""

    @property
    def state(self) -> EngineState:
        """Whether there is an engine to ask."""
        if self._engine is not None:
            return "ready"
        if self.stage is not None:
            return "loading"
        return "failed" if self.error else "cold"

    def get(self, on_stage: OnStage | None = None) -> "Engine":
        """The engine, opened on the first call; `on_stage` is called with each step. Raises AssistantError."""
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = self._opened(on_stage)
        return self._engine

    def preload(self) -> None:
        """Begin to open it in the background; `get` waits for the same opening."""
        if self._engine is None and not self._opening.locked():
            start_thread("open-model", self._open_quietly)

    def replace(self, engine: "Engine | None") -> None:
        """Take another engine, or none, and close the one before."""
        with self._opening:
            before, self._engine = self._engine, engine
        if before is not None:
            before.close()

    def _open_quietly(self) -> None:
        try:
            self.get()
        except AssistantError as error:  # kept in `error` for whoever can show it
            log.warning("the model could not be opened: %s", error)

    def _opened(self, on_stage: OnStage | None) -> "Engine":
        def report(stage: Stage) -> None:
            self.stage = stage
            if on_stage is not None:
                on_stage(stage)

        self.error = ""
        try:
            return self._open(report)
        except AssistantError as error:
            self.error = str(error)
            raise
        finally:
            self.stage = None
