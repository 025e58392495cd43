"""The body of `/v1/responses`: its input as the messages of a chat, and options that have an effect or are refused."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.engines.base import MOST_LOGPROBS
from assistant.server.fields import (
    MOST_MESSAGES,
    WITHOUT_EFFECT,
    Metadata,
    PromptCacheOptions,
    Tier,
    Tools,
    WithoutEffect,
    filled,
    refuse_unsupported,
    require_choice,
)
from assistant.server.messages import ChatMessage, require_calls
from assistant.server.openai_errors import UnsupportedParameterError

# Options that are not supported, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "background": (False,), "conversation": (), "include": ([],), "max_tool_calls": (), "previous_response_id": (),
    "prompt": (), "truncation": ("disabled",), "stream_options": ({}, {"include_obfuscation": False}),
    "context_management": ([],), "moderation": (), "store": (False,), "access_programs": ({},), "image": ({},),
    "background_options": ({},),
}  # fmt: skip
_LOGPROBS = "message.output_text.logprobs"
_OF_A_TOOL = ("type", "name", "description", "parameters", "strict")
_STORED = "The server stores no conversations: send the whole of it as input."


class TextFormat(BaseModel):
    """How the text of an answer looks."""

    model_config = ConfigDict(extra="forbid")

    verbosity: Literal["medium"] | None = None
    format: Annotated[dict[str, Any], filled({"type": "text"})] = {"type": "text"}


class ReasoningOptions(BaseModel):
    """How much is thought before an answer: as the model does by itself, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    effort: Literal["none"] | None = None
    summary: None = None
    generate_summary: None = None
    context: Literal["auto"] | None = None
    mode: Literal["standard"] | None = None


class ResponseRequest(WithoutEffect, BaseModel):
    """The body of a response."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, filled("")] = ""
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    stream: Annotated[bool, filled(False)] = False
    max_output_tokens: int | None = Field(None, ge=1)
    temperature: Annotated[float, filled(0.0)] = Field(0.0, ge=0, le=2)
    top_p: Annotated[float, filled(1.0)] = Field(1.0, gt=0, le=1)
    tools: Tools = []
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: Annotated[bool, filled(True)] = True
    text: Annotated[TextFormat, filled(TextFormat())] = TextFormat()
    top_logprobs: int | None = Field(None, ge=0, le=MOST_LOGPROBS)
    include: Annotated[list[str], filled([])] = []
    metadata: Annotated[Metadata, filled({})] = {}
    reasoning: ReasoningOptions | None = None
    service_tier: Tier | None = None
    prompt_cache_options: PromptCacheOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            if value.get("previous_response_id") or value.get("conversation"):
                param = "previous_response_id" if value.get("previous_response_id") else "conversation"
                raise UnsupportedParameterError(param, f"{param}: not supported. {_STORED}")
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, WITHOUT_EFFECT)
        return value

    @model_validator(mode="after")
    def _check(self) -> "ResponseRequest":
        require_choice(self.tool_choice, self.tools)
        if not self.messages:
            raise UnsupportedParameterError("input", "input: it holds nothing to answer.", "invalid_value")
        if isinstance(self.input, list) and len(self.input) > MOST_MESSAGES:
            said = f"input: there should be at most {MOST_MESSAGES} items, not {len(self.input)}."
            raise UnsupportedParameterError("input", said, "invalid_value")
        if other := set(self.include) - {_LOGPROBS}:
            raise UnsupportedParameterError("include", f"include: {sorted(other)[0]!r} is not supported.")
        if self.top_logprobs and not self.include:
            raise UnsupportedParameterError(
                "top_logprobs", f"top_logprobs: include must hold {_LOGPROBS!r} for it.", "invalid_value"
            )
        require_calls(self.messages, "input")
        return self

    @property
    def messages(self) -> list[ChatMessage]:
        """The conversation. Raises ValueError, UnsupportedParameterError."""
        begun = [ChatMessage(role="system", content=self.instructions)] if self.instructions else []
        if isinstance(self.input, str):
            return [*begun, ChatMessage(role="user", content=self.input)]
        return [*begun, *_messages(self.input)]

    @property
    def options(self) -> dict[str, Any]:
        """What the chat model is asked for beside the messages."""
        return {
            "tools": [_chat_tool(tool) for tool in self.tools],
            "tool_choice": self.tool_choice,
            "parallel_tool_calls": self.parallel_tool_calls,
            "response_format": _chat_format(self.text.format),
            "logprobs": _LOGPROBS in self.include,
            "top_logprobs": self.top_logprobs,
        }


def _messages(items: list[dict[str, Any]]) -> Iterator[ChatMessage]:
    """Items of a conversation as messages; calls that follow each other are one answer's."""
    calls: list[dict[str, Any]] = []
    for item in items:
        kind = item.get("type", "message")
        if kind == "reasoning":  # what was thought is not sent back to the model
            continue
        if kind == "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments")}
            calls.append({"id": item.get("call_id"), "function": function})
            continue
        if calls:
            yield ChatMessage.model_validate({"role": "assistant", "tool_calls": calls})
            calls = []
        if kind == "message":
            yield ChatMessage.model_validate(item)
        elif kind == "function_call_output":
            result = {"role": "tool", "content": item.get("output"), "tool_call_id": item.get("call_id")}
            yield ChatMessage.model_validate(result)
        else:
            raise UnsupportedParameterError(
                "input", f"input: items of the type {kind!r} are not read. {_STORED}"
            )
    if calls:
        yield ChatMessage.model_validate({"role": "assistant", "tool_calls": calls})


def _chat_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool in the form of chat completions. Raises UnsupportedParameterError for what it asks beyond that."""
    if tool.get("type") != "function":
        return tool
    for name, value in tool.items():
        if name not in _OF_A_TOOL and value and (name, value) != ("allowed_callers", ["direct"]):
            raise UnsupportedParameterError(
                "tools", f"tools: {name!r} of {tool.get('name')!r} is not supported. Leave it out."
            )
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _chat_format(given: dict[str, Any]) -> dict[str, Any]:
    """The format in the form of chat completions."""
    if given.get("type") != "json_schema":
        return given
    return {"type": "json_schema", "json_schema": given}
