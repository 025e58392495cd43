"""The body of a chat completion: each option has its effect, or is refused by its name.

Clients that serialise every option send `null` for those that nobody set; null is as good as left out.
"""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.engines.base import MOST_BIAS, MOST_LOGPROBS, MOST_PENALTY
from assistant.server.fields import (
    MOST_MESSAGES,
    SEEDS,
    WITHOUT_EFFECT,
    PromptCacheOptions,
    StreamOptions,
    Tier,
    Tools,
    WithoutEffect,
    filled,
    refuse_unsupported,
    require_choice,
)
from assistant.server.messages import ChatMessage, require_calls
from assistant.server.openai_errors import UnsupportedParameterError

MOST_CHOICES = 16
# Options that are not supported, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "audio": (), "function_call": ("none", "auto"), "functions": ([],), "modalities": (["text"],), "prediction": (),
    "reasoning_effort": ("none",), "verbosity": ("medium",), "web_search_options": (), "moderation": (),
    "store": (False,),
}  # fmt: skip


class SamplingRequest(WithoutEffect, BaseModel):
    """What chat completions and completions of text share."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, filled("")] = ""
    stream: Annotated[bool, filled(False)] = False
    stream_options: Annotated[StreamOptions, filled(StreamOptions())] = StreamOptions()
    max_tokens: int | None = Field(None, ge=1)
    temperature: Annotated[float, filled(0.0)] = Field(0.0, ge=0, le=2)
    top_p: Annotated[float, filled(1.0)] = Field(1.0, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    n: Annotated[int, filled(1)] = Field(1, ge=1, le=MOST_CHOICES)
    frequency_penalty: Annotated[float, filled(0.0)] = Field(0.0, ge=-MOST_PENALTY, le=MOST_PENALTY)
    presence_penalty: Annotated[float, filled(0.0)] = Field(0.0, ge=-MOST_PENALTY, le=MOST_PENALTY)
    logit_bias: Annotated[dict[int, Annotated[float, Field(ge=-MOST_BIAS, le=MOST_BIAS)]], filled({})] = {}

    @model_validator(mode="after")
    def _check_stream_options(self) -> Self:
        if self.stream_options.include_usage and not self.stream:
            raise _invalid("stream_options", "it is for streamed answers, and stream is not true")
        return self

    @property
    def stops(self) -> list[str] | None:
        """The stop sequences; an empty one stops nothing."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in given if stop] or None

    def seed_of(self, choice: int) -> int | None:
        """The seed of one of the choices, which are to differ; of any size."""
        return None if self.seed is None else (self.seed + choice) % SEEDS


class ChatRequest(SamplingRequest, BaseModel):
    """The body of a chat completion."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MOST_MESSAGES)
    max_completion_tokens: int | None = Field(None, ge=1)
    tools: Tools = []
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: Annotated[bool, filled(True)] = True
    response_format: dict[str, Any] | None = None
    logprobs: Annotated[bool, filled(False)] = False
    top_logprobs: int | None = Field(None, ge=0, le=MOST_LOGPROBS)
    service_tier: Tier | None = None
    prompt_cache_options: PromptCacheOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, WITHOUT_EFFECT)
        return value

    @model_validator(mode="after")
    def _check(self) -> "ChatRequest":
        require_calls(self.messages, "messages")
        require_choice(self.tool_choice, self.tools)
        if self.top_logprobs and not self.logprobs:
            raise _invalid("top_logprobs", "logprobs must be true for it")
        if self.max_tokens and self.max_completion_tokens and self.max_tokens != self.max_completion_tokens:
            raise _invalid("max_tokens", "max_completion_tokens says another number. Give one of them")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What the chat model is asked for beside the messages."""
        return {
            "tools": self.tools,
            "tool_choice": self.tool_choice,
            "parallel_tool_calls": self.parallel_tool_calls,
            "response_format": self.response_format,
            "logprobs": self.logprobs,
            "top_logprobs": self.top_logprobs,
        }


def _invalid(param: str, reason: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(param, f"{param}: {reason}.", "invalid_value")
