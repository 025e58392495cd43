"""One process of llama.cpp with what a checkpoint adds to the base: a low-rank adapter, a prefix, or nothing.

A prefix is restored into a slot before each answer, as if its positions were tokens that had been read; in the request,
as many tokens of no meaning stand in their place.
"""

import queue
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assistant.engines import llama_proof
from assistant.engines.llama_server import LlamaServer, ServerSettings
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.errors import CheckpointError
from tuning.models.gguf_adapter import PAIRS_TURNED, gguf_adapter, is_prefix
from tuning.models.gguf_base import GgufBase
from tuning.models.llama_state import read_prefix, with_prefix

_STATE = "prefix.state"
_NO_MEANING = 0  # a token: what is restored stands in its place


@dataclass(eq=False)
class Running:
    """A process, and how requests to it name its adapter."""

    server: LlamaServer
    has_adapter: bool = False
    positions: int = 0  # of a prefix
    users: int = 0
    is_retired: bool = False
    _free: "queue.SimpleQueue[int]" = field(default_factory=queue.SimpleQueue)  # slots for a prefix

    @contextmanager
    def prepared(self, body: dict[str, Any], *, adapted: bool = True) -> Iterator[dict[str, Any]]:
        """A request's body as this process takes it; what it needs is kept for it inside."""
        if self.has_adapter:
            yield {**body, "lora": [{"id": 0, "scale": float(adapted)}]}
        elif self.positions and adapted:
            slot = self._free.get()
            try:
                self.server.post(f"/slots/{slot}?action=restore", {"filename": _STATE})
                ids = [_NO_MEANING] * self.positions + body["prompt"]
                yield {**body, "prompt": ids, "id_slot": slot, "cache_prompt": True}
            finally:
                self._free.put(slot)
        else:
            yield body

    def predict(self, ids: Sequence[int], *, adapted: bool) -> llama_proof.Likelihoods:
        """How likely the likeliest tokens are after the ids. Raises EngineError."""
        with self.prepared(llama_proof.request(ids), adapted=adapted) as body:
            return llama_proof.likelihoods(self.server.post("/completion", body))


def start_with(checkpoint: Checkpoint, base: GgufBase, settings: ServerSettings) -> Running:
    """A process that answers with a checkpoint. Raises EngineError."""
    try:
        if is_prefix(checkpoint.path):
            return _with_prefix(checkpoint, base, settings)
        adapter = gguf_adapter(checkpoint.path, checkpoint.sha256, base.header)
    except CheckpointError as error:
        raise EngineError(str(error)) from error
    return Running(LlamaServer(base.name, replace(settings, adapters=[str(adapter)])), has_adapter=True)


def _with_prefix(checkpoint: Checkpoint, base: GgufBase, settings: ServerSettings) -> Running:
    layers = read_prefix(checkpoint.path, checkpoint.sha256, base.header)
    positions = layers[0].shape[2]
    folder = tempfile.TemporaryDirectory(prefix="imprint-")
    server = LlamaServer(base.name, replace(settings, states=folder.name + "/"), folder.cleanup)
    try:
        path = Path(folder.name) / _STATE
        body = {"prompt": [_NO_MEANING] * positions, "n_predict": 1, "id_slot": 0}
        server.post("/completion", body)
        server.post("/slots/0?action=save", {"filename": _STATE})
        turned = base.header.architecture in PAIRS_TURNED
        path.write_bytes(with_prefix(path.read_bytes(), layers, pairs_turned=turned))
    except BaseException:
        server.close()
        raise
    running = Running(server, positions=positions)
    for slot in range(settings.slots):
        running._free.put(slot)
    return running
