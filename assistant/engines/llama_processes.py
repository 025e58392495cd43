"""llama.cpp's processes for one base: one without an adapter, and one for each checkpoint that is in use.

llama.cpp takes adapters only when it starts, and writes answers with different ones in turn, each to its end; so each
has a process of its own. They share the pages of the model's file; the one that was unused for longest makes room.
"""

import logging
import os
import threading
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from assistant.engines import llama_proof
from assistant.engines.llama_prompts import LlamaPrompts
from assistant.engines.llama_running import Running, start_with
from assistant.engines.llama_server import LlamaServer, ServerSettings
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.models.gguf_base import GgufBase

log = logging.getLogger(__name__)

SLOTS = 12  # answers at once with one checkpoint
MAX_PROCESSES = 4
_BATCH = 256
_MOST_CONTEXT = 32_768  # tokens: its memory is taken when the model is opened
_LEAST_CONTEXT = 2_048
_CONTEXT_SHARE = 0.25  # of the free memory
_PROMPTS_SHARE = 0.02  # of all memory, for prompts that were read and may come again
_MOST_ENDS, _ENDS_SECONDS = 3, 120.0


class LlamaProcesses:
    """The processes of one base. Threads may share them."""

    def __init__(self, base: GgufBase) -> None:
        """Start the one without an adapter. Raises EngineError."""
        self._base = base
        self.context = _context(base)
        self.prompts = LlamaPrompts(base, self._ask)
        self._lock = threading.Lock()
        self._starting: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._running: OrderedDict[str, Running] = OrderedDict()  # by id, the last used at the end
        self._ends: deque[float] = deque(maxlen=_MOST_ENDS)
        self._is_closed = False
        with self.use(None) as running:
            self._likelihoods = running.predict(self.prompts.ids(llama_proof.PROOF), adapted=False)

    @property
    def may_start(self) -> bool:
        """Whether the processes did not end too often of late."""
        return len(self._ends) < _MOST_ENDS or time.monotonic() - self._ends[0] > _ENDS_SECONDS

    def pid(self, checkpoint: Checkpoint | None = None) -> int:
        """The number of the process with this checkpoint. Raises EngineError."""
        with self.use(checkpoint) as running:
            return running.server.pid

    @contextmanager
    def use(self, checkpoint: Checkpoint | None) -> Iterator[Running]:
        """A process that has this checkpoint; inside, it is not ended. Raises EngineError."""
        running = self._taken(checkpoint)
        try:
            yield running
        finally:
            with self._lock:
                running.users -= 1
                _close_unused(running)

    def close(self) -> None:
        """End the processes, and the answers that they write."""
        with self._lock:
            self._is_closed = True
            for running in self._running.values():
                running.server.close()

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        with self.use(None) as running:
            return running.server.post(path, body)

    def _taken(self, checkpoint: Checkpoint | None) -> Running:
        """A living process with this checkpoint, started where there is none, with one user more."""
        key = checkpoint.id if checkpoint else ""
        with self._starting[key]:
            with self._lock:
                self._refuse_closed()
                found = self._running.get(key)
                if found is not None and found.server.is_alive:
                    self._running.move_to_end(key)
                    found.users += 1
                    return found
                if found is not None:
                    self._note_end(self._running.pop(key))
                self._refuse_to_start()
                self._make_room()
            started = self._start(checkpoint)
            with self._lock:
                if self._is_closed:
                    started.server.close()
                self._refuse_closed()
                self._running[key] = started
                started.users += 1
            return started

    def _refuse_closed(self) -> None:
        if self._is_closed:
            raise EngineError(f"The model {self._base.name} was closed meanwhile. Ask again.")

    def _note_end(self, ended: Running) -> None:
        """Remember that a process ended by itself."""
        log.warning("the process of %s has ended; it is started again", self._base.name)
        self._ends.append(time.monotonic())
        ended.is_retired = True
        _close_unused(ended)

    def _refuse_to_start(self) -> None:
        if not self.may_start:
            raise EngineError(
                f"The process of {self._base.name} ended {_MOST_ENDS} times within {_ENDS_SECONDS:.0f} seconds. "
                "Set the engine to torch in the settings, or choose another model."
            )

    def _make_room(self) -> None:
        """Retire checkpoints that were unused for longest, until there is room for one process more."""
        for key in list(self._running):
            if len(self._running) < self._most_processes():
                return
            if key:  # the base stays: it makes the token ids
                retired = self._running.pop(key)
                retired.is_retired = True
                _close_unused(retired)

    def _most_processes(self) -> int:
        """How many there may be: each takes about the memory of the model's file and of its context."""
        size = self._base.path.stat().st_size + self.context * self._base.token_cache_bytes
        room = int(psutil.virtual_memory().available / 2 / size)
        return min(MAX_PROCESSES, max(2, len(self._running) + room))

    def _start(self, checkpoint: Checkpoint | None) -> Running:
        settings = ServerSettings(
            model=str(self._base.path),
            adapters=[],
            context=self.context,
            slots=SLOTS,
            batch=_BATCH,
            threads=_threads(),
            cache_mib=int(psutil.virtual_memory().total * _PROMPTS_SHARE) >> 20,
        )
        if checkpoint is None:
            return Running(LlamaServer(self._base.name, settings))
        self._refuse_other_prompts(checkpoint)
        running = start_with(checkpoint, self._base, settings)
        try:
            change = llama_proof.prove(
                checkpoint, self.prompts, running.predict, self._likelihoods, self._base.name
            )
        except BaseException:
            running.server.close()
            raise
        log.info("checkpoint %s is loaded and active in llama.cpp: %.2f nats", checkpoint.name, change)
        return running

    def _refuse_other_prompts(self, checkpoint: Checkpoint) -> None:
        if checkpoint.template_fingerprint != self.prompts.fingerprint:
            raise EngineError(
                f"Checkpoint {checkpoint.name!r} was tuned with another chat template "
                f"({checkpoint.template_fingerprint}) than is in use ({self.prompts.fingerprint}), so "
                "it would see prompts it never learned. Restore the model's template, or tune again."
            )


def _close_unused(running: Running) -> None:
    if running.is_retired and not running.users:
        running.server.close()


def _context(base: GgufBase) -> int:
    """Tokens of all answers together for which there is memory."""
    room = int(psutil.virtual_memory().available * _CONTEXT_SHARE) // max(base.token_cache_bytes, 1)
    return max(_LEAST_CONTEXT, min(base.window, room, _MOST_CONTEXT))


def _threads() -> int:
    """The cores that this process may use, each counted once; `OMP_NUM_THREADS` limits them, as it does torch's."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    most = int(said) if said.isdigit() else own
    return max(1, min(own, most, psutil.cpu_count(logical=False) or own))
