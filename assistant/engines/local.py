"""The model in this process: one base in memory, checkpoints loaded when first asked for.

It decides whose turn it is and which adapters stay in memory; opening, proving and running them is
`tuning.models.base_model`' work.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch

from assistant.engines.fair_lock import FairLock
from assistant.errors import EngineError, PromptTooLongError
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message
from tuning.errors import CheckpointError, TuningError
from tuning.models.base_model import BaseModel

log = logging.getLogger(__name__)

MAX_ADAPTERS = 6


class LocalEngine:
    """Answers with a base model and any checkpoint that was tuned from it."""

    def __init__(self, base: BaseModel, registry: Registry, max_adapters: int = MAX_ADAPTERS) -> None:
        self._base = base
        self._registry = registry
        self._most_adapters = max_adapters
        self._turns = FairLock()
        self._resident: OrderedDict[str, str] = OrderedDict()  # name -> id of the checkpoint
        self._closed = False
        self.name = base.name
        self.window = base.window

    @property
    def base(self) -> BaseModel:
        """The open model underneath, for what only it can tell (device, dtype, hash)."""
        return self._base

    @property
    def waiting(self) -> int:
        """How many callers wait for the one that runs."""
        return self._turns.waiting

    def checkpoints(self) -> list[str]:
        """Checkpoints tuned from exactly this base."""
        return [found.name for found in self._registry.list() if found.base_sha256 == self._base.sha256]

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """The window, less the positions that a prefix takes; loads the checkpoint. Raises EngineError."""
        if checkpoint is not None and checkpoint not in self._resident:
            with self._turns.take():
                self._ready(checkpoint)
        return self._base.prompt_capacity(checkpoint)

    def identity(self, checkpoint: str | None) -> str | None:
        """The weights, the number format and the checkpoint by its id. Raises EngineError."""
        own = "" if checkpoint is None else self._find(checkpoint).id
        return f"{self._base.sha256}/{self._base.dtype}/{own}"

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with. Raises EngineError."""
        return "" if checkpoint is None else self._find(checkpoint).system_prompt

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
        """The answer in pieces. Raises EngineError, PromptTooLongError."""
        prompt = list(messages)
        with self._turns.take(stop) as my_turn:
            if not my_turn:
                return
            adapter = self._ready(checkpoint)
            room = self._left(prompt, adapter)
            try:
                with self._in_use(checkpoint):
                    yield from self._base.generate(
                        prompt,
                        adapter=adapter,
                        max_new_tokens=min(max_new_tokens, room),
                        temperature=temperature,
                        top_p=top_p,
                        seed=seed,
                        stop=stop,
                    )
            except (TuningError, torch.OutOfMemoryError) as error:
                raise _engine_error(self.name, error) from error

    def complete(
        self,
        batch: Sequence[Sequence[Message]],
        *,
        checkpoint: str | None = None,
        max_new_tokens: int = 64,
    ) -> list[str]:
        """Greedy answers to many prompts. Raises EngineError, PromptTooLongError."""
        prompts = [list(messages) for messages in batch]
        with self._turns.take():
            adapter = self._ready(checkpoint)
            room = min((self._left(prompt, adapter) for prompt in prompts), default=max_new_tokens)
            try:
                return self._base.complete(prompts, adapter=adapter, max_new_tokens=min(max_new_tokens, room))
            except (TuningError, torch.OutOfMemoryError) as error:
                raise _engine_error(self.name, error) from error

    @contextmanager
    def exclusive(self) -> Iterator[Callable[[str | None], str | None]]:
        """Hold the model for one caller; inside, what is given loads a checkpoint and names its adapter."""
        with self._turns.take():
            yield self._ready

    @contextmanager
    def with_checkpoint(self, checkpoint: str | None = None) -> Iterator[BaseModel]:
        """The open base with this checkpoint loaded, for looking at; others wait. Raises EngineError."""
        with self._turns.take():
            self._ready(checkpoint)
            try:
                yield self._base
            except (TuningError, torch.OutOfMemoryError) as error:
                raise _engine_error(self.name, error) from error

    def encode(self, text: str) -> list[int]:
        """Token ids of a bare text."""
        ids: list[int] = self._base.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt with the chat template and the opening of the answer."""
        return len(self._base.chat_ids(list(messages), add_generation_prompt=True))

    def count_text(self, text: str) -> int:
        """Tokens of a bare text."""
        return len(self.encode(text))

    def close(self) -> None:
        """Wait for the running answer, then give the model's memory back."""
        with self._turns.take():
            self._closed = True
            self._resident.clear()
            self._base.close()

    @contextmanager
    def _in_use(self, checkpoint: str | None) -> Iterator[None]:
        """Inside, the checkpoint is neither deleted nor renamed."""
        if checkpoint is None:
            yield
            return
        with self._registry.hold(checkpoint, "an answer is being written with it"):
            yield

    def _left(self, prompt: list[Message], adapter: str | None) -> int:
        """Tokens left for the answer; an answer that cannot even begin is refused."""
        used, room = self.count_tokens(prompt), self._base.prompt_capacity(adapter)
        if used >= room:
            raise PromptTooLongError(
                f"The prompt has {used:,} tokens, and {adapter or self.name} reads {room:,}. "
                "Shorten the question, or choose a model with a larger window.",
                tokens=used,
                window=room,
            )
        return room - used

    def _ready(self, name: str | None) -> str | None:
        """Make the checkpoint resident; only called while holding the turn."""
        if self._closed:
            raise EngineError(f"The model {self.name} was closed meanwhile. Ask again.")
        self._forget_deleted()
        if name is None:
            return None
        checkpoint = self._find(name)
        if self._resident.get(name) not in (None, checkpoint.id):
            self._evict(name)  # another checkpoint under an old name
        if name not in self._resident:
            while len(self._resident) >= self._most_adapters:
                self._evict(next(iter(self._resident)))
            try:
                proof = self._base.load_checkpoint(checkpoint)
            except (TuningError, torch.OutOfMemoryError) as error:
                raise _engine_error(self.name, error) from error
            log.info("checkpoint %s is loaded and active: %s", name, proof)
            self._resident[name] = checkpoint.id
        self._resident.move_to_end(name)
        return name

    def _find(self, name: str) -> Checkpoint:
        try:
            checkpoint = self._registry.get(name)
        except CheckpointError as error:
            raise EngineError(str(error)) from error
        if checkpoint.base_sha256 != self._base.sha256:
            raise EngineError(
                f"Checkpoint {name!r} was tuned from {checkpoint.base}, but {self.name} is open. "
                f"Choose {checkpoint.base} as the model, or another checkpoint."
            )
        return checkpoint

    def _forget_deleted(self) -> None:
        for name in [name for name in self._resident if not self._registry.exists(name)]:
            self._evict(name)

    def _evict(self, name: str) -> None:
        log.info("checkpoint %s leaves memory", name)
        del self._resident[name]
        self._base.unload(name)


def _engine_error(name: str, error: Exception) -> EngineError:
    if isinstance(error, torch.OutOfMemoryError):
        return EngineError(
            f"{name} ran out of memory while answering. Shorten the prompt, choose a smaller model, "
            "or wait for the running tuning job to end."
        )
    return EngineError(str(error))
