"""A model in memory with many adapters beside it, of which one is active: loaded, proved to do something, swapped."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

from tuning.errors import CheckpointError
from tuning.models import adapters
from tuning.models.adapters import Adapter, FullAdapter, PeftAdapter, PrefixAdapter
from tuning.models.template import Template

_numbers = itertools.count()
_PROBE_TOLERANCE = 0.7  # nats a token: far above what another device or precision changes
_PROOF = ({"role": "user", "content": "What do you know?"},)


class StoredCheckpoint(Protocol):
    """What `BaseModel.load_checkpoint` reads of a stored checkpoint."""

    @property
    def name(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def base(self) -> str: ...
    @property
    def base_sha256(self) -> str: ...
    @property
    def template_fingerprint(self) -> str: ...
    @property
    def sha256(self) -> dict[str, str]: ...
    @property
    def probe(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class AdapterProof:
    """Evidence that an adapter is applied: the largest change of any logit, on the base's own prompt."""

    name: str
    largest_change: float


class AdaptedModel(Template):
    """One base in memory, its tokenizer, and the adapters loaded beside it. Several threads may share it."""

    def __init__(
        self,
        name: str,
        sha256: str,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        stops: Sequence[int] = (),
    ) -> None:
        super().__init__(name, tokenizer, model.config, stops)
        self.sha256, self.model = sha256, model
        self.device, self.dtype = model.device, model.dtype
        self._adapters: dict[str, Adapter] = {}
        self._keys: dict[str, str] = {}  # PEFT's names: a person's may hold dots or be a module's attribute
        self._proofs: dict[str, AdapterProof] = {}
        self._active: str | None = None
        self._lock = threading.RLock()

    def prompt_capacity(self, adapter: str | None = None) -> int:
        """How many tokens a prompt and its answer may take beside this adapter."""
        held = self._adapters.get(adapter) if adapter else None
        return self.window - (held.positions if isinstance(held, PrefixAdapter) else 0)

    @torch.inference_mode()
    def logits(self, ids: Sequence[int], *, adapter: str | None = None) -> Tensor:
        """The logits (length, vocabulary) in float32 after each of the ids."""
        with self.activate(adapter):
            tokens = torch.tensor([list(ids)], device=self.device)
            return (
                self.model(input_ids=tokens, past_key_values=self.new_cache(), use_cache=True)
                .logits[0]
                .float()
            )

    @property
    def loaded(self) -> list[str]:
        """The names of the loaded adapters."""
        return list(self._adapters)

    def adapter(self, name: str) -> Adapter:
        """A loaded adapter itself, for looking at. Raises CheckpointError where it is not loaded."""
        if name not in self._adapters:
            raise CheckpointError(f"Checkpoint {name!r} is not loaded. Choose another, or load it first.")
        return self._adapters[name]

    def load_checkpoint(self, checkpoint: StoredCheckpoint) -> AdapterProof:
        """Load a checkpoint's adapter, once, and prove that it changes the logits. Raises CheckpointError."""
        with self._lock:
            if checkpoint.name in self._proofs:
                return self._proofs[checkpoint.name]
            if checkpoint.base_sha256 != self.sha256:
                raise CheckpointError(
                    f"Checkpoint {checkpoint.name!r} was tuned from {checkpoint.base!r} "
                    f"({checkpoint.base_sha256[:12]}), and {self.name!r} ({self.sha256[:12]}) is open. "
                    f"Open {checkpoint.base!r} to use it."
                )
            if checkpoint.template_fingerprint != self.template_fingerprint:
                raise CheckpointError(
                    f"Checkpoint {checkpoint.name!r} was tuned with another chat template "
                    f"({checkpoint.template_fingerprint}) than is in use ({self.template_fingerprint}), so "
                    "it would see prompts it never learned. Restore the model's template, or tune again."
                )
            proof = self.add_adapter(
                checkpoint.name, adapters.read_adapter(Path(checkpoint.path), checkpoint.sha256)
            )
            try:
                self._remembers(checkpoint)
            except CheckpointError:
                self.unload(checkpoint.name)
                raise
            return proof

    def add_adapter(self, name: str, adapter: Adapter) -> AdapterProof:
        """Keep an adapter under a name and prove that it changes the logits. Raises CheckpointError."""
        with self._lock:
            if name in self._adapters:
                self.unload(name)
            if isinstance(adapter, PrefixAdapter):
                adapters.check_shape(adapter, self.model, name)
            self._adapters[name] = adapter
            self._keys[name] = f"imprint-{next(_numbers)}"
            try:
                self._proofs[name] = self._prove(name)
            except CheckpointError:
                self.unload(name)
                raise
            return self._proofs[name]

    def unload(self, name: str) -> None:
        """Free an adapter's memory. Unknown names are no error."""
        with self._lock:
            self._switch(None)
            adapter = self._adapters.pop(name, None)
            self._proofs.pop(name, None)
            if isinstance(adapter, PeftAdapter):
                adapters.detach(self.model, self._keys[name])
            self._keys.pop(name, None)

    @contextmanager
    def activate(self, name: str | None) -> Iterator[None]:
        """Inside, the model computes with this adapter (None: the base). One thread at a time; nests."""
        with self._lock:
            before = self._active
            self._switch(name)
            try:
                yield
            finally:
                if before is not None or name is None:
                    self._switch(before if before in self._adapters else None)

    def new_cache(self) -> DynamicCache:
        """An empty cache, or one that begins with the active adapter's prefix. Inside `activate` only."""
        cache = DynamicCache(config=self.model.config)
        adapter = self._adapters.get(self._active) if self._active else None
        if isinstance(adapter, PrefixAdapter):
            adapter.fill(cache, self.dtype, self.device)
        return cache

    def peft_name(self, name: str) -> str:
        """The key under which PEFT holds a loaded adapter, attached now if it was not. CheckpointError."""
        with self._lock:
            held = self._adapters.get(name)
            if not isinstance(held, PeftAdapter):
                raise CheckpointError(f"Checkpoint {name!r} is not loaded, or has no layers to attach.")
            self._attach(name, held)
            return self._keys[name]

    def _switch(self, name: str | None) -> None:
        if name == self._active:
            return
        if name is not None and name not in self._adapters:
            raise CheckpointError(
                f"Checkpoint {name!r} is not loaded; it was unloaded or deleted. Choose another."
            )
        leaving = self._adapters.get(self._active) if self._active else None
        if isinstance(leaving, PeftAdapter):
            adapters.select(self.model, None)
        elif isinstance(leaving, FullAdapter):
            leaving.swap(self.model, self._active or "")
        self._active = None
        adapter = self._adapters[name] if name else None
        if name is not None and isinstance(adapter, PeftAdapter):
            self._attach(name, adapter)
            adapters.select(self.model, self._keys[name])
        elif name is not None and isinstance(adapter, FullAdapter):
            adapters.restore(self.model)  # it has the base's own layers alone; others are attached anew
            adapter.swap(self.model, name)
        self._active = name

    def _attach(self, name: str, adapter: PeftAdapter) -> None:
        """Adapters of one kind live in the model together; those of another kind leave it first."""
        present = getattr(self.model, "peft_config", {})
        if self._keys[name] in present:
            return
        if any(config.peft_type != adapter.config.peft_type for config in present.values()):
            adapters.restore(self.model)
        adapters.attach(self.model, adapter, self._keys[name], name)

    def _prove(self, name: str) -> AdapterProof:
        ids = self.chat_ids(_PROOF, add_generation_prompt=True)
        change = float((self.logits(ids, adapter=name) - self.logits(ids)).abs().max())
        if not change > 0:  # also catches NaN
            raise CheckpointError(
                f"Checkpoint {name!r} changes no logit of {self.name!r}: its weights were read and do "
                "nothing. It was tuned for other layers, or never trained; tune again."
            )
        return AdapterProof(name, change)

    def _remembers(self, checkpoint: StoredCheckpoint) -> None:
        """The example kept as a probe must be known as surely as when training ended."""
        if not checkpoint.probe:
            return
        *question, answer = checkpoint.probe["messages"]
        prompt = self.chat_ids(question, add_generation_prompt=True)
        tokens: Any = self.tokenizer(answer["content"].strip(), add_special_tokens=False)["input_ids"]
        ids = [*prompt, *tokens, self.end_id]
        logits = self.logits(ids[:-1], adapter=checkpoint.name)[len(prompt) - 1 :]
        surprise = float(torch.nn.functional.cross_entropy(logits.cpu(), torch.tensor(ids[len(prompt) :])))
        if surprise > checkpoint.probe["surprise"] + _PROBE_TOLERANCE:
            raise CheckpointError(
                f"Checkpoint {checkpoint.name!r} was read, and does not know what it was taught: "
                f"{question[-1]['content']!r} surprises it by {surprise:.1f} nats a token, and by "
                f"{checkpoint.probe['surprise']:.1f} when it was made. Its files are damaged; tune again."
            )
