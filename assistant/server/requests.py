"""The bodies of chat and embedding requests: each option has its effect, or is refused by its name.

Clients that serialise every option send `null` for those that nobody set; null is as good as left out.
"""

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.server.openai_errors import UnsupportedParameterError

MOST_CHOICES = 16
_SEEDS = 1 << 63
# Options that are for OpenAI's own service, and change no answer.
_WITHOUT_EFFECT = {
    "user", "metadata", "store", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "service_tier",
}  # fmt: skip
# Options that are not supported, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (), "frequency_penalty": (0,), "function_call": ("none", "auto"), "functions": ([],),
    "logit_bias": ({},), "logprobs": (False,), "modalities": (["text"],), "parallel_tool_calls": (True, False),
    "prediction": (), "presence_penalty": (0,), "reasoning_effort": ("none",), "response_format": ({"type": "text"},),
    "tool_choice": ("none", "auto"), "tools": ([],), "top_logprobs": (0,), "verbosity": ("medium",),
    "web_search_options": (),
}  # fmt: skip


def _filled(default: object) -> BeforeValidator:
    """Null stands for the default."""
    return BeforeValidator(lambda value: default if value is None else value)


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


def _text(content: Any) -> str:
    """The text of a message's content, which may come in parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return _storable(content)
    if not isinstance(content, list):
        raise ValueError("a message's content is a text, a list of text parts, or null")
    parts = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("text", "input_text", "output_text"):
            raise ValueError(f"the model reads text; a part of type {kind!r} was given")
        if not isinstance(part.get("text"), str):
            raise ValueError("a text part has no text")
        parts.append(_storable(part["text"]))
    return "".join(parts)


def _storable(text: str) -> str:
    """The text without lone surrogates, which no tokenizer reads."""
    return text.encode("utf-8", "replace").decode()


def _texts(given: Any) -> list[str]:
    """The texts of an embedding request's `input`."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts:
        raise ValueError("a text is needed, or a list with at least one")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(
            "text is needed: token numbers of another model's tokenizer mean nothing here. LangChain's "
            "OpenAIEmbeddings sends text with check_embedding_ctx_length=False."
        )
    return [_storable(text) for text in texts]


class ChatMessage(BaseModel):
    """One message of a prompt."""

    model_config = ConfigDict(extra="ignore")  # a name, a refusal, annotations: of answers that are sent back

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str, BeforeValidator(_text)] = ""

    @model_validator(mode="before")
    @classmethod
    def _without_tools(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("role") in ("tool", "function"):
                raise ValueError(f"messages of the role {value['role']!r} are not read by this server")
            if value.get("tool_calls") or value.get("function_call"):
                raise ValueError("tool calls are not read by this server")
        return value

    def to_langchain(self) -> tuple[str, str]:
        """The (role, text) form that LangChain accepts as a message."""
        return ("system" if self.role == "developer" else self.role, self.content)


class StreamOptions(BaseModel):
    """Options of a streamed completion."""

    model_config = ConfigDict(extra="ignore")

    include_usage: Annotated[bool, _filled(False)] = False


class ChatRequest(BaseModel):
    """The body of a chat completion."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, _filled("")] = ""
    messages: list[ChatMessage] = Field(min_length=1)
    stream: Annotated[bool, _filled(False)] = False
    stream_options: Annotated[StreamOptions, _filled(StreamOptions())] = StreamOptions()
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: Annotated[float, _filled(0.0)] = Field(0.0, ge=0, le=2)
    top_p: Annotated[float, _filled(1.0)] = Field(1.0, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    n: Annotated[int, _filled(1)] = Field(1, ge=1, le=MOST_CHOICES)

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, _WITHOUT_EFFECT)
        return value

    @property
    def stops(self) -> list[str] | None:
        """The stop sequences; an empty one stops nothing."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in given if stop] or None

    def seed_of(self, choice: int) -> int | None:
        """The seed of one of the choices, which are to differ; of any size."""
        return None if self.seed is None else (self.seed + choice) % _SEEDS


class EmbeddingRequest(BaseModel):
    """The body of an embeddings request."""

    model_config = ConfigDict(extra="ignore")

    input: Annotated[list[str], BeforeValidator(_texts)]
    model: Annotated[str, _filled("")] = ""
    encoding_format: Annotated[Literal["float", "base64"], _filled("float")] = "float"
    dimensions: int | None = Field(None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), {}, {"user"})
        return value

    def encoded(self, vector: list[float]) -> list[float] | str:
        """A vector as numbers or, as OpenAI's client asks for it, as their float32 bytes in base64."""
        if self.encoding_format == "float":
            return vector
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode("ascii")
