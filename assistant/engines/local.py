"""The model in this process: one base in memory, checkpoints loaded when first asked for.

It serialises the callers and decides which adapters stay in memory; opening, verifying and running them is
the work of `tuning.models.base_model`.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch

from assistant.engines import torch_choice
from assistant.engines.base import GREEDY, SamplingParams
from assistant.engines.fair_lock import FairLock
from assistant.engines.finding import find_checkpoint
from assistant.engines.prompt_length import ids_that_fit
from assistant.errors import EngineError
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message
from tuning.errors import TuningError
from tuning.models.base_model import BaseModel
from tuning.models.capability import capability
from tuning.models.stream_end import StreamEnd

log = logging.getLogger(__name__)

MAX_ADAPTERS = 6


class LocalEngine:
    """Answers with a base model and any checkpoint that was tuned from it."""

    reads_tools = False

    def __init__(self, base: BaseModel, registry: Registry, max_adapters: int = MAX_ADAPTERS) -> None:
        self._base = base
        self._registry = registry
        self._max_adapters = max_adapters
        self._turns = FairLock()
        self._resident: OrderedDict[str, str] = OrderedDict()  # name -> id of the checkpoint
        self._closed = False
        self.name = base.name
        self.window = base.window
        self.capability = capability(
            base.model.num_parameters(), instructed=bool(base.tokenizer.chat_template)
        )

    @property
    def base(self) -> BaseModel:
        """The open model underneath: its device, dtype, hash, tokenizer."""
        return self._base

    @property
    def waiting(self) -> int:
        """How many callers wait behind the running one."""
        return self._turns.waiting

    def checkpoints(self) -> list[str]:
        """Checkpoints tuned from exactly this base."""
        return [found.name for found in self._registry.answering() if found.base_sha256 == self._base.sha256]

    def label(self, checkpoint: str | None) -> str:
        """torch, and the bits of a weight."""
        return f"torch · {8 * self._base.dtype.itemsize} bit"

    def prompt_capacity(self, checkpoint: str | None) -> int:
        """The window, less the positions that a prefix takes; loads the checkpoint. Raises EngineError."""
        if checkpoint is not None and checkpoint not in self._resident:
            with self._turns.take():
                self._load(checkpoint)
        return self._base.prompt_capacity(checkpoint)

    def identity(self, checkpoint: str | None) -> str | None:
        """The hash of the base, the dtype and the id of the checkpoint. Raises EngineError."""
        own = "" if checkpoint is None else self._find(checkpoint).id
        return f"{self._base.sha256}/{self._base.dtype}/{own}"

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with. Raises EngineError."""
        return "" if checkpoint is None else self._find(checkpoint).system_prompt

    def stream(
        self,
        messages: Sequence[Message],
        params: SamplingParams = GREEDY,
        *,
        checkpoint: str | None = None,
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """As `Engine.stream`. Raises EngineError, PromptTooLongError."""
        prompt = list(messages)
        with self._turns.take(stop) as my_turn:
            if not my_turn:
                return StreamEnd("stop", 0)
            adapter = self._load(checkpoint)
            room = self._room_for_answer(prompt, adapter)
            limited = replace(params, max_new_tokens=min(params.max_new_tokens, room))
            choice = torch_choice.choice_of(self._base, limited)
            try:
                with self._in_use(checkpoint):
                    answer = self._base.generate(
                        prompt, adapter=adapter, stop=stop, **torch_choice.sampling(limited, choice)
                    )
                    return (yield from torch_choice.shaped(answer, limited, choice))
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
            adapter = self._load(checkpoint)
            room = min((self._room_for_answer(prompt, adapter) for prompt in prompts), default=max_new_tokens)
            try:
                return self._base.complete(prompts, adapter=adapter, max_new_tokens=min(max_new_tokens, room))
            except (TuningError, torch.OutOfMemoryError) as error:
                raise _engine_error(self.name, error) from error

    @contextmanager
    def exclusive(self) -> Iterator[Callable[[str | None], str | None]]:
        """Hold the model for one caller. Yields a function that loads a checkpoint and gives its adapter's name."""
        with self._turns.take():
            yield self._load

    @contextmanager
    def with_checkpoint(self, checkpoint: str | None = None) -> Iterator[BaseModel]:
        """The open base with this checkpoint loaded, for inspection; other callers wait. Raises EngineError."""
        with self._turns.take():
            self._load(checkpoint)
            try:
                yield self._base
            except (TuningError, torch.OutOfMemoryError) as error:
                raise _engine_error(self.name, error) from error

    def encode(self, text: str) -> list[int]:
        """Token ids of a bare text."""
        ids: list[int] = self._base.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens of a prompt with the chat template and the generation prompt."""
        return len(self._base.chat_ids(list(messages), add_generation_prompt=True))

    def count_text(self, text: str) -> int:
        """Tokens of a bare text."""
        return len(self.encode(text))

    def close(self) -> None:
        """Wait for the running answer, then free the model's memory."""
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

    def _room_for_answer(self, prompt: list[Message], adapter: str | None) -> int:
        """Tokens left for the answer. Raises PromptTooLongError where there is none."""
        room = self._base.prompt_capacity(adapter)
        text = self._base.chat_text(prompt, add_generation_prompt=True)
        return room - len(ids_that_fit(self.encode, text, room, adapter or self.name))

    def _load(self, name: str | None) -> str | None:
        """Load the checkpoint unless it is in memory; gives its adapter's name. Call it holding the lock."""
        if self._closed:
            raise EngineError(f"The model {self.name} was closed meanwhile. Ask again.")
        self._forget_deleted()
        if name is None:
            return None
        checkpoint = self._find(name)
        if self._resident.get(name) not in (None, checkpoint.id):
            self._evict(name)  # another checkpoint under an old name
        if name not in self._resident:
            while len(self._resident) >= self._max_adapters:
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
        return find_checkpoint(self._registry, name, self.name, self._base.sha256)

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
