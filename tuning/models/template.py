"""The chat template of a model: messages to token ids, and the fingerprint of what decides them."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import (
    PreTrainedConfig,
    PreTrainedTokenizerBase,
)

from tuning.data.examples import Message
from tuning.models.conversion import convert
from tuning.models.loading import declared_stop_ids, read_tokenizer_and_config, stop_ids_of
from tuning.models.template_process import render_chat
from tuning.models.weights import locate


class Template:
    """How a model's prompts are built: tokenizer, chat template, stop tokens, window. Opens no weights."""

    def __init__(
        self,
        name: str,
        tokenizer: PreTrainedTokenizerBase,
        config: PreTrainedConfig,
        stops: Sequence[int] = (),
    ) -> None:
        self.name, self.tokenizer = name, tokenizer
        self.config = config.get_text_config(decoder=True)
        self.window = int(self.config.max_position_embeddings)
        self.end_id, self.stop_ids = stop_ids_of(name, config, tokenizer, stops)

    @classmethod
    def read(cls, name: str, home: Path) -> "Template":
        """The template of a packaged model, a local folder or a Hugging Face id. Raises ModelError."""
        folder, _ = locate(name, home, convert)
        return cls(name, *read_tokenizer_and_config(name, folder, home), stops=declared_stop_ids(folder))

    @property
    def template_fingerprint(self) -> str:
        """A hash of the chat template and the stop tokens: equal means that prompts are built the same."""
        known = [self.tokenizer.chat_template, list(self.stop_ids), self.tokenizer.bos_token]
        return hashlib.sha256(json.dumps(known, ensure_ascii=False).encode()).hexdigest()[:16]

    def chat_text(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> str:
        """A conversation as text, by the model's own template. Raises ModelError where it refuses."""
        return render_chat(self.name, self.tokenizer, messages, add_generation_prompt=add_generation_prompt)

    def chat_ids(self, messages: Sequence[Message], *, add_generation_prompt: bool) -> list[int]:
        """The ids of a conversation through the model's own template. Raises ModelError where it refuses."""
        text = self.chat_text(messages, add_generation_prompt=add_generation_prompt)
        encoded: Any = self.tokenizer(text, add_special_tokens=False)
        return list(encoded["input_ids"])
