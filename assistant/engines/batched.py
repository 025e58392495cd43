"""Continuous batching on the local engine: one thread writes all running answers, a token of each per step.

It is an `Engine` itself, so that a chat over it needs no other code. Adapters that cannot share a batch
(AdaLoRA, IA3, full weights) run in batches of their own, interleaved token by token.
"""

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import torch

from assistant.engines import torch_choice
from assistant.engines.base import GREEDY, SamplingParams
from assistant.engines.local import LocalEngine
from assistant.errors import AssistantError, EngineError
from tuning.data.examples import Message
from tuning.errors import TuningError
from tuning.models.batch import Batch, BatchRow, can_share
from tuning.models.choice import Choice
from tuning.models.stream_end import StreamEnd

LoadCheckpoint = Callable[[str | None], str | None]


@dataclass(eq=False)
class _Request:
    """One caller's request."""

    messages: list[Message]
    params: SamplingParams
    checkpoint: str | None
    # Set by the caller; it may share the event with others.
    stop: threading.Event | None
    # What chooses its tokens, where more than temperature and top-p does.
    choice: Choice | None = None
    # Set where the caller stopped reading.
    abandoned: threading.Event = field(default_factory=threading.Event)
    # Pieces of text, then how it ended, or the error that ended it.
    out: "queue.SimpleQueue[str | StreamEnd | BaseException]" = field(default_factory=queue.SimpleQueue)

    @property
    def is_cancelled(self) -> bool:
        """Whether nobody wants the rest of the answer."""
        return self.abandoned.is_set() or (self.stop is not None and self.stop.is_set())

    def send(self, row: BatchRow, piece: str) -> None:
        """Hand over what a row wrote, and its end once it has ended."""
        if piece:
            self.out.put(torch_choice.with_token(piece, self.choice))
        if row.ended:
            self.out.put(row.end)


_Running = dict[BatchRow, tuple[_Request, Batch]]


class BatchedEngine:
    """A local engine that answers its callers at the same time."""

    reads_tools = False

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._waiting: list[_Request] = []
        self._is_running = False
        self.name = engine.name
        self.window = engine.window
        self.capability = engine.capability

    def checkpoints(self) -> list[str]:
        """As the local engine's."""
        return self._engine.checkpoints()

    def label(self, checkpoint: str | None) -> str:
        """As the local engine's."""
        return self._engine.label(checkpoint)

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """As the local engine's. Where it has to load the checkpoint, it waits for the running answers."""
        return self._engine.prompt_capacity(checkpoint)

    def identity(self, checkpoint: str | None) -> str | None:
        """As the local engine's."""
        return self._engine.identity(checkpoint)

    def system_prompt(self, checkpoint: str | None) -> str:
        """As the local engine's."""
        return self._engine.system_prompt(checkpoint)

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `Engine.stream`, in one batch with the other callers. Raises EngineError."""
        request = _Request(list(messages), params, checkpoint, stop)
        with self._lock:
            self._waiting.append(request)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="batched-answers", daemon=True).start()
        return (yield from torch_choice.shaped(self._answer(request), params, None))

    def complete(
        self, batch: Sequence[Sequence[Message]], *, checkpoint: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        """As the local engine's."""
        return self._engine.complete(batch, checkpoint=checkpoint, max_new_tokens=max_new_tokens)

    def encode(self, text: str) -> list[int]:
        """As the local engine's."""
        return self._engine.encode(text)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """As the local engine's."""
        return self._engine.count_tokens(messages)

    def count_text(self, text: str) -> int:
        """As the local engine's."""
        return self._engine.count_text(text)

    def close(self) -> None:
        """Nothing to free: the local engine owns the model."""

    def _answer(self, request: _Request) -> Generator[str, None, StreamEnd]:
        """What the generating thread writes."""
        try:
            while isinstance(item := request.out.get(), str):
                yield item
        finally:
            request.abandoned.set()
        if isinstance(item, BaseException):
            raise item
        return item

    # ---- the generating thread

    def _run(self) -> None:
        """Generate until no request is left; the local engine is held meanwhile."""
        running: _Running = {}
        try:
            with self._engine.exclusive() as load:
                self._generate(running, load)
        except BaseException as error:
            with self._lock:
                left, self._waiting, self._is_running = self._waiting, [], False
            for request in [*left, *(request for request, _ in running.values())]:
                request.out.put(_engine_error(error))

    def _generate(self, running: _Running, load: LoadCheckpoint) -> None:
        shared = Batch(self._engine.base)
        while (admitted := self._admit(may_end=not running)) is not None:
            for request in admitted:
                self._prefill(request, shared, load, running)
            self._drop_cancelled(running)
            self._decode(running)

    def _admit(self, may_end: bool) -> list[_Request] | None:
        """The requests since the last step; None ends the thread, where there are none and it may end."""
        with self._lock:
            admitted, self._waiting = self._waiting, []
            if not admitted and may_end:
                self._is_running = False
                return None
            return admitted

    def _prefill(self, request: _Request, shared: Batch, load: LoadCheckpoint, running: _Running) -> None:
        """Read a prompt; its row joins the shared batch, or one of its own."""
        if request.is_cancelled:
            request.out.put(StreamEnd("stop", 0))
            return
        try:
            adapter = load(request.checkpoint)
            batch = shared if can_share(self._engine.base, adapter) else Batch(self._engine.base)
            request.choice = torch_choice.choice_of(self._engine.base, request.params)
            sampling = torch_choice.sampling(request.params, request.choice)
            row, piece = batch.join(request.messages, adapter=adapter, **sampling)
        except BaseException as error:
            request.out.put(_engine_error(error))
            return
        request.send(row, piece)
        if not row.ended:
            running[row] = (request, batch)

    def _drop_cancelled(self, running: _Running) -> None:
        for row, (request, batch) in list(running.items()):
            if request.is_cancelled:
                request.send(row, batch.leave(row))
                del running[row]

    def _decode(self, running: _Running) -> None:
        """One token for each row of each batch."""
        for batch in {id(batch): batch for _, batch in running.values()}.values():
            try:
                written = batch.step()
            except BaseException as error:
                for row in batch.rows:
                    running.pop(row)[0].out.put(_engine_error(error))
                continue
            for row, piece in written:
                running[row][0].send(row, piece)
                if row.ended:
                    del running[row]


def _engine_error(error: BaseException) -> BaseException:
    """The error that the caller gets."""
    if isinstance(error, AssistantError):
        return error
    if isinstance(error, TuningError | torch.OutOfMemoryError):
        return EngineError(str(error))
    return EngineError(f"The batch of answers failed ({type(error).__name__}: {error}).")
