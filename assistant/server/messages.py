"""The messages of a chat as OpenAI's API writes them, and as LangChain's messages."""

import json
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from assistant.server.fields import Content, filled, text_of
from assistant.server.openai_errors import UnsupportedParameterError


class FunctionCall(BaseModel):
    """What a model asked to be called."""

    name: str = Field(min_length=1)
    arguments: Annotated[str, filled("")] = ""

    @model_validator(mode="after")
    def _check(self) -> "FunctionCall":
        try:
            found = json.loads(self.arguments or "{}")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the arguments of {self.name!r} are not JSON ({error})") from error
        if not isinstance(found, dict):
            raise ValueError(f"the arguments of {self.name!r} are no JSON object")
        return self


class ToolCall(BaseModel):
    """A call with the id that its result names."""

    id: str = Field(min_length=1)
    type: Literal["function"] = "function"
    function: FunctionCall


class ChatMessage(BaseModel):
    """One message of a prompt."""

    model_config = ConfigDict(extra="ignore")  # a name, a refusal, annotations: of answers that are sent back

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[str, BeforeValidator(text_of, json_schema_input_type=Content)] = ""
    tool_calls: Annotated[list[ToolCall], filled([])] = []
    tool_call_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_is_not_read(cls, value: Any) -> Any:
        if isinstance(value, dict) and (value.get("role") == "function" or value.get("function_call")):
            raise ValueError("functions are not read by this server; tools and their role 'tool' are")
        if isinstance(value, dict) and value.get("audio"):
            raise ValueError("the model reads text; an answer that was spoken is not kept here")
        return value

    @model_validator(mode="after")
    def _check_tools(self) -> "ChatMessage":
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a message of the role 'tool' names the call that it answers in tool_call_id")
        if self.tool_calls and self.role != "assistant":
            raise ValueError(f"tool_calls belong to the role 'assistant'; the role is {self.role!r}")
        return self

    def to_langchain(self) -> BaseMessage:
        """The same as LangChain's message."""
        if self.role == "tool":
            return ToolMessage(self.content, tool_call_id=self.tool_call_id or "")
        if self.role == "assistant":
            calls = [
                {
                    "name": call.function.name,
                    "args": json.loads(call.function.arguments or "{}"),
                    "id": call.id,
                }
                for call in self.tool_calls
            ]
            return AIMessage(self.content, tool_calls=calls)
        return HumanMessage(self.content) if self.role == "user" else SystemMessage(self.content)


def require_calls(messages: Sequence[ChatMessage], param: str) -> None:
    """Raises UnsupportedParameterError where a result answers no call before it, or a call has no result after it."""
    known: set[str] = set()
    waiting: set[str] = set()  # calls of the last answer whose results have not come
    for place, message in enumerate(messages):
        if message.role != "tool":
            _require_none(waiting, f"before message {place}", param)
            waiting = {call.id for call in message.tool_calls}
            known |= waiting
        elif message.tool_call_id not in known:
            raise UnsupportedParameterError(
                param,
                f"{param}: message {place} is a result for {message.tool_call_id!r}, and no message before it "
                "has that call.",
                "invalid_value",
            )
        waiting -= {str(message.tool_call_id)}
    _require_none(waiting, "at the end", param)


def _require_none(waiting: Collection[str], where: str, param: str) -> None:
    if waiting:
        raise UnsupportedParameterError(
            param, f"{param}: the result of the call {min(waiting)!r} is missing {where}.", "invalid_value"
        )
