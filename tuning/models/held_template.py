"""A chat template without its tokenizer, as a GGUF file holds it; for `template_process.render_chat`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2.sandbox import ImmutableSandboxedEnvironment

from tuning.data.examples import Message


@dataclass(frozen=True)
class HeldTemplate:
    """The text of a chat template, and the tokens that it may name; the members that a tokenizer has."""

    chat_template: str
    special_tokens_map: Mapping[str, str]

    def get_chat_template(self) -> str:
        """The text of the template."""
        return self.chat_template

    def apply_chat_template(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool,
        tokenize: bool = False,
        **options: Any,
    ) -> str:
        """A conversation as text, rendered in this process: for the templates that Imprint knows."""
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True
        )  # as transformers does
        return environment.from_string(self.chat_template).render(
            messages=messages,
            add_generation_prompt=add_generation_prompt,
            **{**self.special_tokens_map, **options},
        )
