"""The only place that opens a base model: packaged GGUF (converted once), a folder, or a Hugging Face id.

A `BaseModel` is one base in memory with many adapters; it chats and answers. It trains and stores nothing.
"""

import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Self

import torch
from transformers import AutoModelForCausalLM

from tuning.data.examples import Message
from tuning.errors import ModelError
from tuning.models import decoding
from tuning.models.adapted_model import AdaptedModel
from tuning.models.conversion import convert
from tuning.models.device import choose_device, choose_dtype
from tuning.models.loading import UNREADABLE, declared_stop_ids, quiet_loading, read_tokenizer_and_config
from tuning.models.memory import check_memory
from tuning.models.model_code import may_run_code
from tuning.models.shape import count_parameters
from tuning.models.stream_end import FinishReason, StreamEnd
from tuning.models.weights import locate
from tuning.ops import kernels


class BaseModel(AdaptedModel):
    """One base in memory, its tokenizer, and the adapters loaded beside it. Several threads may share it."""

    @classmethod
    def open(cls, name: str, home: Path, device: str | None = None) -> Self:
        """Open a packaged model, a local folder or a Hugging Face id. Raises ModelError."""
        folder, sha256 = locate(name, home, convert)
        place = choose_device(device)
        tokenizer, config = read_tokenizer_and_config(name, folder, home)
        parameters = count_parameters(name, folder)
        dtype = cls.dtype_on(place, parameters)
        check_memory(name, parameters, place, dtype.itemsize)
        with quiet_loading():
            try:
                model = AutoModelForCausalLM.from_pretrained(
                    folder,
                    config=config,
                    dtype=dtype,
                    use_safetensors=True,
                    trust_remote_code=may_run_code(name, folder, home),
                )
            except UNREADABLE as error:
                raise ModelError(f"The model {name!r} in {folder} cannot be opened: {error}") from error
        model = model.to(place)  # type: ignore[arg-type]
        model.eval().requires_grad_(False)
        kernels.keep_in(home / "models" / ".compiled")
        base = cls(name, sha256, model, tokenizer, declared_stop_ids(folder))
        base.logits([base.end_id])  # the first forward pass sets up kernels: not while a person waits
        return base

    @classmethod
    def dtype_on(cls, device: torch.device, parameters: int) -> torch.dtype:
        """The precision of so many weights on a device."""
        return choose_dtype(device)

    def prompt(
        self, messages: Sequence[Message], adapter: str | None = None, beginning: str = ""
    ) -> tuple[list[int], int]:
        """The ids that ask for an answer, with its beginning where that is known, and how many tokens it may have.

        Raises ModelError where it has none.
        """
        ids = self.chat_ids(messages, add_generation_prompt=True)
        if beginning:
            ids = [*ids, *self.tokenizer(beginning, add_special_tokens=False)["input_ids"]]
        most = self.prompt_capacity(adapter)
        if len(ids) >= most:
            raise ModelError(
                f"The prompt has {len(ids)} tokens, and {self.name!r} takes {most - 1}. Shorten it."
            )
        return ids, most - len(ids)

    def generate(
        self,
        messages: Sequence[Message],
        *,
        adapter: str | None = None,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        pick: decoding.Pick | None = None,
        beginning: str = "",
        stop: threading.Event | None = None,
    ) -> Generator[str, None, StreamEnd]:
        """Stream the answer in whole characters and return how it ended.

        `pick` chooses the tokens instead of temperature, top_p and seed; `beginning` is taken as written. Raises
        ModelError when the prompt fills the window.
        """
        ids, room = self.prompt(messages, adapter, beginning)
        pick = pick or decoding.sampler(temperature, top_p, seed)
        text = decoding.TextStream(self.tokenizer)
        with self.activate(adapter):
            reader = decoding.Reader(self.model, self.new_cache())
        tokens = 0
        reason: FinishReason = "length"
        for _ in range(min(max_new_tokens, room)):
            if stop is not None and stop.is_set():
                reason = "stop"
                break
            with self.activate(adapter):  # taken for each token, so that two chats take turns
                logits = reader.read(ids)
            token = pick(logits)
            if token in self.stop_ids:
                reason = "stop"
                break
            tokens += 1
            if piece := text.push(token):
                yield piece
            ids = [token]
        if piece := text.flush():
            yield piece
        return StreamEnd(reason, tokens)

    def complete(
        self, batch: Sequence[Sequence[Message]], *, adapter: str | None = None, max_new_tokens: int = 64
    ) -> list[str]:
        """The greedy answers to many prompts at once: what `generate` would say at temperature 0."""
        prompts = [self.chat_ids(messages, add_generation_prompt=True) for messages in batch]
        answers = [""] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
        for start in range(0, len(order), 32):
            rows = order[start : start + 32]
            with self.activate(adapter):
                ids = decoding.greedy_batch(
                    self.model,
                    [prompts[row] for row in rows],
                    self.new_cache(),
                    self.stop_ids,
                    max_new_tokens,
                )
            for row, answer in zip(rows, ids, strict=True):
                answers[row] = decoding.decode(self.tokenizer, answer).rstrip("\ufffd")
        return answers

    def close(self) -> None:
        """Free the memory of the base and of every adapter."""
        with self._lock:
            for name in self.loaded:
                self.unload(name)
            self.model.to("meta")  # type: ignore[arg-type]
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
