"""Options that chat templates of models are rendered with in this process, such as {"enable_thinking": false}.

They reach the prompts that ask for an answer, never the text of training. It renders nothing.
"""

from collections.abc import Mapping
from typing import Any

_options: dict[str, Any] = {}
# What the templates are given anyway.
RESERVED = frozenset(
    {"messages", "add_generation_prompt", "tools", "documents", "chat_template", "conversation"}
)


def use_template_options(options: Mapping[str, Any]) -> None:
    """Render with these from now on."""
    global _options
    _options = dict(options)


def template_options() -> dict[str, Any]:
    """The options in use."""
    return dict(_options)
