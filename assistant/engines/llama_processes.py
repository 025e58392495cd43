"""llama.cpp's process over time: which adapters it was started with, another one for another adapter or after a fault.

llama.cpp takes adapters only when it starts. The process before stays until its last answer is written.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from assistant.engines import llama_proof
from assistant.engines.llama_prompts import LlamaPrompts
from assistant.engines.llama_server import LlamaServer, ServerSettings
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.errors import CheckpointError
from tuning.models.gguf_adapter import gguf_adapter
from tuning.models.gguf_base import GgufBase

log = logging.getLogger(__name__)

SLOTS = 8  # answers at once
MAX_ADAPTERS = 6
_MOST_CONTEXT = 32_768  # tokens: its memory is taken when the model is opened
_LEAST_CONTEXT = 2_048
_CONTEXT_SHARE = 0.25  # of the free memory
_PROMPTS_SHARE = 0.02  # of all memory, for prompts that were read and may come again
_MOST_ENDS, _ENDS_SECONDS = 3, 120.0


@dataclass(eq=False)
class Running:
    """A process with the adapters that it was started with."""

    server: LlamaServer
    adapters: Sequence[Checkpoint]  # in llama.cpp's order
    users: int = 0
    is_retired: bool = False
    proved: set[str] = field(default_factory=set)  # ids of checkpoints

    def lora(self, checkpoint: Checkpoint | None) -> list[dict[str, Any]]:
        """What a request says of the adapters: one of them, or none."""
        own = checkpoint.id if checkpoint else None
        return [{"id": place, "scale": float(one.id == own)} for place, one in enumerate(self.adapters)]

    def has(self, checkpoint: Checkpoint) -> bool:
        """Whether it was started with this adapter."""
        return any(one.id == checkpoint.id for one in self.adapters)

    def predict(self, ids: Sequence[int], checkpoint: Checkpoint | None) -> llama_proof.Likelihoods:
        """How likely tokens are after the ids. Raises EngineError."""
        body = llama_proof.request(ids, self.lora(checkpoint))
        return llama_proof.likelihoods(self.server.post("/completion", body))


class LlamaProcesses:
    """The process of one base. Threads may share it."""

    def __init__(self, base: GgufBase) -> None:
        """Start it. Raises EngineError."""
        self._base = base
        self.context = _context(base)
        self.prompts = LlamaPrompts(base, self._ask)
        self._lock = threading.RLock()
        self._ends: deque[float] = deque(maxlen=_MOST_ENDS)
        self._is_closed = False
        self._running = self._start([])
        ids = self.prompts.ids(llama_proof.PROOF)
        self._likelihoods = self._running.predict(ids, None)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._running.server.pid

    @property
    def may_start(self) -> bool:
        """Whether the process did not end too often of late."""
        return len(self._ends) < _MOST_ENDS or time.monotonic() - self._ends[0] > _ENDS_SECONDS

    @contextmanager
    def use(self, checkpoint: Checkpoint | None) -> Iterator[Running]:
        """A process that has this checkpoint; inside, it is not ended. Raises EngineError."""
        with self._lock:
            running = self._ready(checkpoint)
            running.users += 1
        try:
            yield running
        finally:
            with self._lock:
                running.users -= 1
                self._close_unused(running)

    def close(self) -> None:
        """End the process, and the answers that it writes."""
        with self._lock:
            self._is_closed = True
            self._running.server.close()

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.use(None) as running:
            return running.server.post(path, body)

    def _ready(self, checkpoint: Checkpoint | None) -> Running:
        """The process, alive and with the checkpoint's adapter. Call it holding the lock."""
        if self._is_closed:
            raise EngineError(f"The model {self._base.name} was closed meanwhile. Ask again.")
        if not self._running.server.is_alive:
            self._restart()
        if checkpoint is not None and checkpoint.id not in self._running.proved:
            self._load(checkpoint)
        return self._running

    def _restart(self) -> None:
        if not self.may_start:
            raise EngineError(
                f"The process of {self._base.name} ended {_MOST_ENDS} times within {_ENDS_SECONDS:.0f} seconds. "
                "Set the engine to torch in the settings, or choose another model."
            )
        log.warning("the process of %s has ended; it is started again", self._base.name)
        self._ends.append(time.monotonic())
        self._replace([one for one in self._running.adapters if one.path.is_dir()])

    def _load(self, checkpoint: Checkpoint) -> None:
        """Start the process with one adapter more, and prove it. Raises EngineError."""
        if checkpoint.template_fingerprint != self.prompts.fingerprint:
            raise EngineError(
                f"Checkpoint {checkpoint.name!r} was tuned with another chat template "
                f"({checkpoint.template_fingerprint}) than is in use ({self.prompts.fingerprint}), so "
                "it would see prompts it never learned. Restore the model's template, or tune again."
            )
        if not self._running.has(checkpoint):
            there = [one for one in self._running.adapters if one.path.is_dir()]
            self._replace([*there, checkpoint][-MAX_ADAPTERS:])
        running = self._running

        def predict(ids: Sequence[int], with_adapter: bool) -> llama_proof.Likelihoods:
            return running.predict(ids, checkpoint if with_adapter else None)

        change = llama_proof.prove(checkpoint, self.prompts, predict, self._likelihoods, self._base.name)
        log.info("checkpoint %s is loaded and active in llama.cpp: %.2f nats", checkpoint.name, change)
        running.proved.add(checkpoint.id)

    def _replace(self, adapters: Sequence[Checkpoint]) -> None:
        """Another process in the place of the present one, which ends when its last answer has."""
        old, self._running = self._running, self._start(adapters)
        old.is_retired = True
        self._close_unused(old)

    def _close_unused(self, running: Running) -> None:
        if running.is_retired and not running.users:
            running.server.close()

    def _start(self, adapters: Sequence[Checkpoint]) -> Running:
        try:
            files = [str(gguf_adapter(one.path, one.sha256, self._base.header)) for one in adapters]
        except CheckpointError as error:
            raise EngineError(str(error)) from error
        settings = ServerSettings(
            model=str(self._base.path),
            adapters=files,
            context=self.context,
            slots=SLOTS,
            threads=_threads(),
            cache_mib=int(psutil.virtual_memory().total * _PROMPTS_SHARE) >> 20,
        )
        return Running(LlamaServer(self._base.name, settings), adapters)


def _context(base: GgufBase) -> int:
    """Tokens of all answers together for which there is memory."""
    room = int(psutil.virtual_memory().available * _CONTEXT_SHARE) // max(base.token_cache_bytes, 1)
    return max(_LEAST_CONTEXT, min(base.window, room, _MOST_CONTEXT))


def _threads() -> int:
    """The cores that this process may use, each counted once."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(own, psutil.cpu_count(logical=False) or own))
