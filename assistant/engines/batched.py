"""Several questions at once on the local engine: one thread writes all answers, a token of each at a time.

It looks like an engine, so that a chat over it needs to know nothing. Adapters that cannot stand in one batch
(AdaLoRA, IA3, full weights) take turns with it, token by token.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from assistant.engines.local import LocalEngine
from assistant.errors import AssistantError, EngineError
from tuning.data.examples import Message
from tuning.errors import TuningError
from tuning.models.batch import Batch, BatchRow, can_share

_POLL_SECONDS = 0.05

Ready = Callable[[str | None], str | None]


@dataclass(eq=False)
class _Request:
    """An answer that somebody waits for."""

    messages: list[Message]
    checkpoint: str | None
    options: dict[str, Any]
    stop: threading.Event
    # Pieces of text; None at the end, an error where it failed.
    out: "queue.SimpleQueue[str | BaseException | None]" = field(default_factory=queue.SimpleQueue)


class BatchedEngine:
    """A local engine whose answers are written at the same time."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._arrived: list[_Request] = []
        self._is_driven = False
        self.name = engine.name
        self.window = engine.window

    def checkpoints(self) -> list[str]:
        """As the engine's own."""
        return self._engine.checkpoints()

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """As the engine's own. Ask it first: while answers are written, loading waits for their end."""
        return self._engine.prompt_capacity(checkpoint)

    def identity(self, checkpoint: str | None) -> str | None:
        """As the engine's own."""
        return self._engine.identity(checkpoint)

    def system_prompt(self, checkpoint: str | None) -> str:
        """As the engine's own."""
        return self._engine.system_prompt(checkpoint)

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
        """The answer in pieces, beside those of everybody else who asks here. Raises EngineError."""
        options = {
            "max_new_tokens": max_new_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "seed": seed,
        }
        request = _Request(list(messages), checkpoint, options, stop or threading.Event())
        with self._lock:
            self._arrived.append(request)
            if not self._is_driven:
                self._is_driven = True
                threading.Thread(target=self._drive, name="answers-together", daemon=True).start()
        try:
            while (piece := request.out.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            request.stop.set()  # the reader left

    def complete(
        self, batch: Sequence[Sequence[Message]], *, checkpoint: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        """As the engine's own."""
        return self._engine.complete(batch, checkpoint=checkpoint, max_new_tokens=max_new_tokens)

    def encode(self, text: str) -> list[int]:
        """As the engine's own."""
        return self._engine.encode(text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """As the engine's own."""
        return self._engine.count_tokens(messages)

    def count_text(self, text: str) -> int:
        """As the engine's own."""
        return self._engine.count_text(text)

    def close(self) -> None:
        """Nothing of its own to give back."""

    # ---- the thread that writes

    def _drive(self) -> None:
        """Write until nobody waits any more; the engine is held meanwhile."""
        going: dict[BatchRow, tuple[_Request, Batch]] = {}
        try:
            with self._engine.exclusive() as ready:
                self._write(going, ready)
        except BaseException as error:
            with self._lock:
                left, self._arrived, self._is_driven = self._arrived, [], False
            for request in [*left, *(request for request, _ in going.values())]:
                request.out.put(_told(error))

    def _write(self, going: dict[BatchRow, tuple[_Request, Batch]], ready: Ready) -> None:
        shared = Batch(self._engine.base)
        while (arrived := self._take_arrived(nothing_else=not going)) is not None:
            for request in arrived:
                self._begin(request, shared, ready, going)
            self._step(going)

    def _take_arrived(self, nothing_else: bool) -> list[_Request] | None:
        with self._lock:
            arrived, self._arrived = self._arrived, []
            if not arrived and nothing_else:
                self._is_driven = False
                return None
            return arrived

    def _begin(
        self, request: _Request, shared: Batch, ready: Ready, going: dict[BatchRow, tuple[_Request, Batch]]
    ) -> None:
        if request.stop.is_set():
            request.out.put(None)
            return
        try:
            adapter = ready(request.checkpoint)
            batch = shared if can_share(self._engine.base, adapter) else Batch(self._engine.base)
            row, piece = batch.join(request.messages, adapter=adapter, **request.options)
        except BaseException as error:
            request.out.put(_told(error))
            return
        if piece:
            request.out.put(piece)
        if row.ended:
            request.out.put(None)
        else:
            going[row] = (request, batch)

    def _step(self, going: dict[BatchRow, tuple[_Request, Batch]]) -> None:
        for row, (request, batch) in list(going.items()):
            if request.stop.is_set():
                if piece := batch.leave(row):
                    request.out.put(piece)
                request.out.put(None)
                del going[row]
        for batch in {id(batch): batch for _, batch in going.values()}.values():
            try:
                written = batch.step()
            except BaseException as error:
                for row in batch.rows:
                    going.pop(row)[0].out.put(_told(error))
                continue
            for row, piece in written:
                request = going[row][0]
                if piece:
                    request.out.put(piece)
                if row.ended:
                    request.out.put(None)
                    del going[row]


def _told(error: BaseException) -> BaseException:
    """What is raised where somebody waits."""
    if isinstance(error, AssistantError):
        return error
    if isinstance(error, TuningError | torch.OutOfMemoryError):
        return EngineError(str(error))
    return EngineError(f"The answers could not be written together ({type(error).__name__}: {error}).")
