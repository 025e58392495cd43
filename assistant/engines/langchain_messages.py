"""LangChain's messages and options as an engine takes them, and what is refused. It asks no model.

Calls of tools are kept in a message as JSON text in OpenAI's form, under "tool_calls".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from assistant.engines.base import Engine, SamplingParams
from assistant.engines.shapes import JsonOutput, Prose, Shape, Tool, ToolUse, bounded
from assistant.engines.tool_words import in_words
from assistant.errors import EngineError, UnsupportedOptionError
from assistant.language.small_talk import is_small_talk
from tuning.data.examples import Message
from tuning.models.capability import Capability

_ROLES = {
    "system": "system", "human": "user", "ai": "assistant", "user": "user", "assistant": "assistant",
    "AIMessageChunk": "assistant", "tool": "tool",
}  # fmt: skip
# Parts that are no text and that no answer needs: they are kept elsewhere in the message, or were thought aloud.
_LEFT_OUT = {
    "tool_call",
    "tool_call_chunk",
    "invalid_tool_call",
    "reasoning",
    "thinking",
    "tool_use",
    "tool_result",
}


def plain_messages(messages: Sequence[BaseMessage]) -> list[Message]:
    """LangChain messages as `{"role", "content"}`. Raises EngineError for what is not text."""
    return [plain for message in messages for plain in _plain(message)]


def shape_of(options: Mapping[str, Any]) -> Shape | None:
    """The shape that `tools`, `tool_choice`, `parallel_tool_calls` and `response_format` ask for.

    They are those of OpenAI's API. Raises UnsupportedOptionError.
    """
    output = _output(options.get("response_format"))
    tools = [_tool(tool) for tool in options.get("tools") or ()]
    tools, given = _allowed(options.get("tool_choice"), tools)
    choice = _choice(given, tools)
    if not tools or choice == "none":
        return output
    if output is not None:
        raise UnsupportedOptionError(
            "response_format",
            "response_format: an answer either has a format or may call tools. Leave one of them out, or set "
            "tool_choice to 'none'.",
        )
    return ToolUse(tools, choice, options.get("parallel_tool_calls") is not False)


def _plain(message: BaseMessage) -> list[Message]:
    role = _ROLES.get(message.role if message.type == "chat" else message.type)  # type: ignore[attr-defined]
    if role is None:
        raise EngineError(
            f"The model reads system, user, assistant and tool messages; a {message.type!r} message was given."
        )
    kinds = {_kind(block) for block in message.content_blocks} - _LEFT_OUT
    if other := kinds - {"text"}:
        raise EngineError(f"The model reads text; a message holds {', '.join(sorted(other))}.")
    plain = {"role": role, "content": message.text}
    if isinstance(message, AIMessage) and message.tool_calls:
        return [{**plain, "tool_calls": json.dumps(list(map(_call, message.tool_calls)), ensure_ascii=False)}]
    if isinstance(message, ToolMessage):
        return [{**plain, "tool_call_id": message.tool_call_id}]
    results = _results(message)
    return [*results, plain] if plain["content"] or not results else results


def _kind(block: Mapping[str, Any]) -> str:
    """The kind of a part; of one that LangChain does not know, the kind that it gave itself."""
    if block["type"] != "non_standard":
        return str(block["type"])
    return str(block["value"].get("type", "something unknown"))


def _results(message: BaseMessage) -> list[Message]:
    """Results of tools that came as parts of a user's message."""
    parts = [part for part in message.content if isinstance(part, dict) and part.get("type") == "tool_result"]
    return [
        {"role": "tool", "content": _text(part.get("content")), "tool_call_id": str(part.get("tool_use_id"))}
        for part in parts
    ]


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call in OpenAI's form."""
    function = {"name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)}
    return {"id": call["id"], "type": "function", "function": function}


def _output(given: Any) -> JsonOutput | None:
    """The JSON that `response_format` asks for."""
    if given is None or given.get("type") == "text":
        return None
    if given.get("type") == "json_object":
        return JsonOutput()
    schema = given.get("json_schema") if given.get("type") == "json_schema" else None
    if not isinstance(schema, Mapping) or not isinstance(schema.get("schema"), Mapping):
        raise UnsupportedOptionError(
            "response_format",
            "response_format: one of the types 'text', 'json_object', and 'json_schema' with a schema, is needed; "
            f"{given.get('type')!r} was given{'' if schema is None else ' without a schema'}.",
        )
    _require_switch(schema, "response_format")
    return JsonOutput(schema["schema"], str(schema.get("name") or "answer"))


def _tool(given: Mapping[str, Any]) -> Tool:
    """A tool in OpenAI's form."""
    function = given.get("function") if given.get("type") == "function" else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UnsupportedOptionError(
            "tools", f"tools: functions with a name can be called; {given.get('type')!r} was given."
        )
    _require_switch(function, "tools")
    schema = function.get("parameters")
    is_of_an_object = isinstance(schema, Mapping) and schema.get("type", "object") == "object"
    if schema is not None and not is_of_an_object:
        raise UnsupportedOptionError(
            "tools", f"tools: the parameters of {function['name']!r} must be the schema of an object."
        )
    described = str(function.get("description") or "")
    return Tool(function["name"], described, schema) if schema else Tool(function["name"], described)


def _require_switch(given: Mapping[str, Any], option: str) -> None:
    """Each schema is held to, whatever `strict` says; a value that says nothing is refused all the same."""
    if not isinstance(strict := given.get("strict"), bool | None):
        raise UnsupportedOptionError(option, f"{option}: strict is true or false; {strict!r} was given.")


def _allowed(given: Any, tools: list[Tool]) -> tuple[list[Tool], Any]:
    """The tools that OpenAI's choice of the type `allowed_tools` leaves, and whether one must be called."""
    if not isinstance(given, Mapping) or given.get("type") != "allowed_tools":
        return tools, given
    asked = given.get("allowed_tools", given)
    listed = asked.get("tools") if isinstance(asked, Mapping) else None
    named = [one.get("function", one) for one in listed or () if isinstance(one, Mapping)]
    names = [one.get("name") for one in named if isinstance(one, Mapping)]
    known = [tool.name for tool in tools]
    if not names or asked.get("mode") not in ("auto", "required") or not set(names) <= set(known):
        raise UnsupportedOptionError(
            "tool_choice",
            "tool_choice: of the type 'allowed_tools', it has a mode, 'auto' or 'required', and at least one of the "
            f"tools {', '.join(known)}; {given!r} was given.",
        )
    return [tool for tool in tools if tool.name in names], asked["mode"]


def _choice(given: Any, tools: Sequence[Tool]) -> str:
    """Whether, and which, tools are called: LangChain's ways of saying so, and OpenAI's."""
    if given in (None, False):
        return "auto"
    if given in (True, "any"):
        return "required"
    if isinstance(given, str):
        return given
    allowed = given.get("function", given) if given.get("type") == "function" else {}
    if not isinstance(allowed.get("name"), str):
        raise UnsupportedOptionError(
            "tool_choice",
            "tool_choice: 'none', 'auto', 'required' or {'type': 'function', 'function': {'name': …}} is needed; "
            f"{given!r} was given.",
        )
    return str(allowed["name"])


def asked_of(
    engine: Engine, messages: Sequence[BaseMessage], params: SamplingParams
) -> tuple[list[Message], SamplingParams]:
    """The messages as the engine takes them, and how it is to answer."""
    plain = plain_messages(messages)
    if engine.reads_tools:
        return plain, params
    shape = params.shape and _decided(plain, params.shape, engine.capability)
    return in_words(plain, shape, engine.capability), replace(params, shape=shape and _held(shape, engine))


def _decided(messages: Sequence[Message], shape: Shape, capability: Capability) -> Shape:
    """What is left to a model to decide of tools that it may call. One that repeats a call may call no more.

    A small one decides nothing: it asks one tool for each question, and answers from that. Told of a fitting tool, one
    of 135 million parameters answers from nothing; where it may call several times, it repeats the call to the end.
    How likely it finds the beginning of a call says nothing either: a poem's is the likeliest. So small talk is told
    by its words.
    """
    if not isinstance(shape, ToolUse):
        return shape
    if shape.choice == "auto" and messages[-1]["role"] == "tool":
        calls = [_calls(message) for message in messages if "tool_calls" in message]
        if capability == "small" or calls[-1:] == calls[-2:-1]:
            return Prose()
    if capability == "small" and shape.choice == "auto" and is_small_talk(messages[-1]["content"]):
        return Prose()
    if capability != "small":
        return shape
    return replace(shape, choice="required" if shape.choice == "auto" else shape.choice, parallel=False)


def _calls(message: Message) -> list[Any]:
    return [call["function"] for call in json.loads(message["tool_calls"])]


def _held(shape: Shape, engine: Engine) -> Shape:
    """A small model repeats itself, so that a string would have no end; the prompt does not speak of that."""
    return bounded(shape) if engine.capability == "small" else shape
