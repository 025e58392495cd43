"""The body of Anthropic's `/v1/messages`: its messages as a chat's, and options that have an effect or are refused.

Content comes in blocks: text, calls of tools and their results. What was thought before is not sent to the model again.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.server.fields import MOST_MESSAGES, Content, Tools, filled, refuse_unsupported, text_of
from assistant.server.messages import ChatMessage, require_calls
from assistant.server.openai_errors import UnsupportedParameterError

# Options that are not supported, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "thinking": ({"type": "disabled"},), "top_k": (), "container": (), "mcp_servers": ([],), "output_config": ({},),
    "context_management": (), "speed": ("standard",),
}  # fmt: skip
_WITHOUT_EFFECT = {"metadata", "service_tier", "cache_control", "inference_geo", "user_profile_id"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_THOUGHTS = ("thinking", "redacted_thinking")


class Turn(BaseModel):
    """One message: a text, or blocks."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: str | list[dict[str, Any]]

    @property
    def messages(self) -> Iterator[ChatMessage]:
        """The same as messages of a chat; each result of a tool is one of its own. Raises ValueError."""
        if isinstance(self.content, str):
            yield ChatMessage(role=self.role, content=self.content)
            return
        blocks = [block for block in self.content if block.get("type") not in _THOUGHTS]
        results = [block for block in blocks if block.get("type") == "tool_result" and self.role == "user"]
        calls = [block for block in blocks if block.get("type") == "tool_use" and self.role == "assistant"]
        texts = [block for block in blocks if block not in results and block not in calls]
        for result in results:
            yield ChatMessage.model_validate(
                {"role": "tool", "content": result.get("content"), "tool_call_id": result.get("tool_use_id")}
            )
        if texts or calls or not results:
            said = {"role": self.role, "content": texts, "tool_calls": list(map(_call, calls))}
            yield ChatMessage.model_validate(said)


def _call(block: dict[str, Any]) -> dict[str, Any]:
    function = {
        "name": block.get("name"),
        "arguments": json.dumps(block.get("input") or {}, ensure_ascii=False),
    }
    return {"id": block.get("id"), "function": function}


class ToolChoice(BaseModel):
    """Whether, and which, tools are called."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["auto", "any", "tool", "none"] = "auto"
    name: str | None = None
    disable_parallel_tool_use: Annotated[bool, filled(False)] = False


class CountRequest(BaseModel):
    """What is counted: the prompt, and the tools in it."""

    model_config = ConfigDict(extra="ignore")

    model: Annotated[str, filled("")] = ""
    messages: list[Turn] = Field(min_length=1, max_length=MOST_MESSAGES)
    system: Annotated[str, BeforeValidator(text_of, json_schema_input_type=Content)] = ""
    tools: Tools = []
    tool_choice: Annotated[ToolChoice, filled(ToolChoice())] = ToolChoice()

    @model_validator(mode="before")
    @classmethod
    def _all_options_have_an_effect(cls, value: Any) -> Any:
        if isinstance(value, dict):
            refuse_unsupported(value, list(cls.model_fields), _NEUTRAL, _WITHOUT_EFFECT)
        return value

    @model_validator(mode="after")
    def _check(self) -> "CountRequest":
        require_calls(self.chat, "messages")
        if self.messages[-1].role == "assistant":
            raise _invalid("messages", "the last is the assistant's, and a begun answer is not gone on with")
        if self.tool_choice.type in ("any", "tool") and not self.tools:
            raise _invalid("tool_choice", "there are no tools to choose from")
        if self.tool_choice.type == "tool" and not self.tool_choice.name:
            raise _invalid("tool_choice", "the type 'tool' needs the name of one")
        _ = self.options  # for its checks
        return self

    @property
    def chat(self) -> Sequence[ChatMessage]:
        """The conversation. Raises ValueError."""
        begun = [ChatMessage(role="system", content=self.system)] if self.system else []
        return [*begun, *(message for turn in self.messages for message in turn.messages)]

    @property
    def options(self) -> dict[str, Any]:
        """What the chat model is asked for beside the messages, in the form of chat completions."""
        chosen: Any = _CHOICES.get(self.tool_choice.type) or {
            "type": "function",
            "function": {"name": self.tool_choice.name},
        }
        return {
            "tools": list(map(_chat_tool, self.tools)),
            "tool_choice": chosen if self.tools else None,
            "parallel_tool_calls": not self.tool_choice.disable_parallel_tool_use,
        }


class MessagesRequest(CountRequest):
    """The body of a request for an answer."""

    max_tokens: int = Field(ge=1)
    stream: Annotated[bool, filled(False)] = False
    temperature: Annotated[float, filled(0.0)] = Field(0.0, ge=0, le=1)
    top_p: Annotated[float, filled(1.0)] = Field(1.0, gt=0, le=1)
    stop_sequences: Annotated[list[str], filled([])] = []

    @property
    def stops(self) -> list[str] | None:
        """The stop sequences; an empty one stops nothing."""
        return [stop for stop in self.stop_sequences if stop] or None


def _chat_tool(given: dict[str, Any]) -> dict[str, Any]:
    """A tool in the form of chat completions. Raises UnsupportedParameterError for tools of Anthropic's own."""
    if given.get("type") not in (None, "custom"):
        raise UnsupportedParameterError(
            "tools", f"tools: {given['type']!r} is a tool of Anthropic's own service. Describe one of yours."
        )
    function = {"name": given.get("name"), "description": given.get("description")}
    return {"type": "function", "function": {**function, "parameters": given.get("input_schema")}}


def _invalid(param: str, reason: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(param, f"{param}: {reason}.", "invalid_value")
