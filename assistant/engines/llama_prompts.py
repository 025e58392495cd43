"""Prompts for llama.cpp as torch's engine makes them: the same template, the same token ids, the same fingerprint.

The template is rendered here, where foreign ones are confined, and not by llama.cpp; the model's process turns the
text into ids.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from assistant.errors import EngineError
from tuning.data.examples import Message
from tuning.errors import ModelError
from tuning.models.gguf_base import GgufBase
from tuning.models.held_template import HeldTemplate
from tuning.models.template_process import render_chat

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]  # a path of the server and a body → the reply

_ROLES = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
_MARK = "0"  # an answer that no template changes


class LlamaPrompts:
    """Messages → token ids of one base."""

    def __init__(self, base: GgufBase, ask: Ask) -> None:
        self._base, self._ask = base, ask

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """The ids that ask for an answer. Raises EngineError where the template refuses the messages."""
        return self.encode(self.text(messages))

    def text(self, messages: Sequence[Message]) -> str:
        """The text that asks for an answer. Raises EngineError where the template refuses the messages."""
        return self._render(messages, add_generation_prompt=True)

    def encode(self, text: str) -> list[int]:
        """The ids of a bare text, special tokens in it as such."""
        return self._tokenize(text, special=True)

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """The token that ends an answer in this template, and the one that ends every text."""
        turn = [{"role": "user", "content": "a"}, {"role": "assistant", "content": _MARK}]
        text = self._render(turn, add_generation_prompt=False)
        if _MARK not in text:
            raise EngineError(
                f"The chat template of {self._base.name!r} leaves the answer out. Choose another model."
            )
        tail = text[text.rindex(_MARK) + 1 :]
        plain = set(self._tokenize(tail, special=False))
        special = [one for one in self.encode(tail) if one not in plain]
        end = self._base.header.fields.get("tokenizer.ggml.eos_token_id")
        stops = [*special[:1], *([] if end is None else [int(end)])]
        if not stops:
            raise EngineError("The model names no token that ends an answer, so it would never stop.")
        return tuple(dict.fromkeys(stops))

    @cached_property
    def fingerprint(self) -> str:
        """As `tuning.models.template.Template.template_fingerprint`: equal means that prompts are built the same."""
        template = self._template
        known = [template.chat_template, list(self.stop_ids), template.special_tokens_map.get("bos_token")]
        return hashlib.sha256(json.dumps(known, ensure_ascii=False).encode()).hexdigest()[:16]

    @cached_property
    def _template(self) -> HeldTemplate:
        fields = self._base.header.fields
        ids = {name: fields.get(f"tokenizer.ggml.{role}_token_id") for name, role in _ROLES.items()}
        tokens = {
            name: str(self._ask("/detokenize", {"tokens": [number]})["content"])
            for name, number in ids.items()
            if number is not None
        }
        return HeldTemplate(self._base.header.chat_template, tokens)

    def _render(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        try:
            return render_chat(
                self._base.name, self._template, messages, add_generation_prompt=add_generation_prompt
            )
        except ModelError as error:
            raise EngineError(str(error)) from error

    def _tokenize(self, text: str, *, special: bool) -> list[int]:
        body = {"content": text, "add_special": False, "parse_special": special}
        return list(self._ask("/tokenize", body)["tokens"])
