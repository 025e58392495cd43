"""What the bodies of requests have in common: null as left out, options that are refused, texts that can be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core.core_schema import CoreSchema, no_info_before_validator_function

from assistant.server.openai_errors import UnsupportedParameterError

SEEDS = 1 << 63
MOST_MESSAGES = 10_000  # of a request, whose body may be of 8 MiB; each costs more than its bytes
MOST_TOOLS = 128  # as with OpenAI
# Parts of a message that are text, and the member that holds it; a refusal is what an earlier answer said.
_TEXTS = {"text": "text", "input_text": "text", "output_text": "text", "refusal": "refusal"}
Content = str | list[dict[str, Any]] | None  # of a message: a text, or parts
Tier = Literal["auto", "default", "flex", "scale", "priority", "fast"]
STANDARD_TIER = "default"  # what an answer says that it was computed as, where a tier was asked for


@dataclass(frozen=True)
class filled:  # noqa: N801 - it is written like a function of pydantic's
    """Null stands for the default, also in the OpenAPI document."""

    default: object

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(
            lambda value: self.default if value is None else value, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "null"}]}


# OpenAI's limits: what is kept under them here can be moved there.
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
]
Tools = Annotated[list[dict[str, Any]], Field(max_length=MOST_TOOLS), filled([])]


class WithoutEffect(BaseModel):
    """Who asks, and what OpenAI is to keep of it: none of them is meant to change an answer. docs/api.md names them."""

    user: str | None = None
    metadata: Metadata | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None


WITHOUT_EFFECT = set(WithoutEffect.model_fields)


class StreamOptions(BaseModel):
    """Options of a streamed answer."""

    model_config = ConfigDict(extra="forbid")

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class PromptCacheOptions(BaseModel):
    """How long OpenAI keeps a prompt; here each is kept as long as there is room. What asks for more is refused."""

    model_config = ConfigDict(extra="forbid")

    mode: str | None = None
    ttl: str | None = None
    prewarm: Literal[False] | None = None


def refuse_unsupported(
    given: dict[str, Any],
    fields: Sequence[str],
    neutral: dict[str, tuple[Any, ...]],
    without_effect: set[str],
) -> None:
    """Raises `UnsupportedParameterError` for an option that would have no effect though it asks for one."""
    for name, value in given.items():
        if name in fields or name in without_effect or value is None or value in neutral.get(name, ()):
            continue
        if name in neutral:
            raise UnsupportedParameterError(name, f"{name}: not supported by this server. Leave it out.")
        raise UnsupportedParameterError(name, f"{name}: there is no such option. Leave it out.")


def require_choice(choice: str | dict[str, Any] | None, tools: Sequence[Any]) -> None:
    """Raises `UnsupportedParameterError` for a `tool_choice` that is no word, or chooses from no tools."""
    reason = ""
    if isinstance(choice, str) and choice not in ("none", "auto", "required"):
        reason = f"'none', 'auto', 'required' or a function; {choice!r} was given"
    elif not tools and choice not in (None, "none", "auto"):
        reason = "there are no tools to choose from"
    if reason:
        raise UnsupportedParameterError("tool_choice", f"tool_choice: {reason}.", "invalid_value")


def text_of(content: Any) -> str:
    """The text of a message's content, which may come in parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return storable(content)
    if not isinstance(content, list):
        raise ValueError("a message's content is a text, a list of text parts, or null")
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in _TEXTS:
            raise ValueError(f"the model reads text; a part of type {kind!r} was given")
        text = part.get(_TEXTS[kind])
        if _TEXTS[kind] not in part or not isinstance(text, str | None):
            raise ValueError("a text part has no text")
        parts.append(storable(text or ""))  # null, as in a message's content, is no text
    return "".join(parts)


def storable(text: str) -> str:
    """The text without lone surrogates, which no tokenizer reads."""
    return text.encode("utf-8", "replace").decode()
