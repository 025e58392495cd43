"""Tools in words, for engines whose models read nothing but text: what there is, what was called, what came back.

The form is the one that `shapes` holds calls to; many models were trained on it. An answer is read by `replies`.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from assistant.engines.shapes import CLOSE, OPEN, JsonOutput, Prose, Shape, Tool, ToolUse
from tuning.data.examples import Message
from tuning.models.capability import Capability

_ORDER = """# Tools

You may call functions to help with the user's question. Call one whenever it can find out what is asked. Here are \
their signatures, inside <tools></tools>:
<tools>
{tools}
</tools>

For each call, write the function's name and its arguments as JSON inside {open}{close}:
{open}
{{"name": <name-of-the-function>, "arguments": <arguments-as-a-json-object>}}
{close}"""
# A small model takes words of a long order into its arguments.
_SHORT_ORDER = """{tools}

Write a call of the function that helps to answer the user, with words of the user's question:
{open}
{{"name": NAME, "arguments": ARGUMENTS}}
{close}"""
_JSON = """# Answer

The answer is JSON that fits this schema:
{schema}"""


def in_words(
    messages: Sequence[Message], shape: Shape | None = None, capability: Capability = "capable"
) -> list[Message]:
    """The conversation without the roles and members that only tools have; the system message tells of the shape."""
    plain = list((_as_passages if capability == "small" else _plain)(messages))
    if shape is None or isinstance(shape, Prose):
        return plain
    order = _order(shape, capability)
    if plain and plain[0]["role"] == "system":
        return [{"role": "system", "content": f"{plain[0]['content']}\n\n{order}"}, *plain[1:]]
    return [{"role": "system", "content": order}, *plain]


def call_in_words(name: str, arguments: str) -> str:
    """A call as a model writes it; the arguments are JSON."""
    return f'{OPEN}\n{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {arguments}}}\n{CLOSE}'


def _order(shape: JsonOutput | ToolUse, capability: Capability) -> str:
    if isinstance(shape, JsonOutput):
        return _JSON.format(schema=json.dumps(shape.schema, ensure_ascii=False))
    if capability == "small":
        return _SHORT_ORDER.format(tools="\n".join(map(_signature, shape.tools)), open=OPEN, close=CLOSE)
    return _ORDER.format(tools="\n".join(map(_description, shape.tools)), open=OPEN, close=CLOSE)


def _plain(messages: Sequence[Message]) -> Iterator[Message]:
    """Results that follow each other are one message of the user, which templates want between two answers."""
    for is_result, group in groupby(messages, _is_result):
        if is_result:
            results = [f"<tool_response>\n{message['content']}\n</tool_response>" for message in group]
            yield {"role": "user", "content": "\n".join(results)}
        else:
            yield from map(_with_calls, group)


def _as_passages(messages: Sequence[Message]) -> Iterator[Message]:
    """What tools said stands before the question, as passages do; that they were called is left out.

    A small model that sees a call writes another one, whatever it is asked.
    """
    said: list[str] = []
    question: Message | None = None
    for message in messages:
        if message["role"] == "user":
            if question is not None:
                yield question
            question, said = message, []
        elif _is_result(message):
            said.append(message["content"])
        elif "tool_calls" not in message or message["content"]:
            if question is not None:
                yield _after(said, question)
            question, said = None, []
            yield {"role": message["role"], "content": message["content"]}
    if question is not None or said:
        yield _after(said, question)


def _after(said: Sequence[str], question: Message | None) -> Message:
    return {"role": "user", "content": "\n\n".join([*said, *([question["content"]] if question else [])])}


def _is_result(message: Message) -> bool:
    return message["role"] == "tool"


def _with_calls(message: Message) -> Message:
    """An answer with its calls as the model wrote them."""
    if "tool_calls" not in message:
        return message
    calls: list[dict[str, Any]] = json.loads(message["tool_calls"])
    written = [call_in_words(call["function"]["name"], call["function"]["arguments"]) for call in calls]
    content = "\n".join([message["content"], *written] if message["content"] else written)
    return {"role": message["role"], "content": content}


def _description(tool: Tool) -> str:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return json.dumps({"type": "function", "function": function}, ensure_ascii=False)


def _signature(tool: Tool) -> str:
    """A tool as one line of code would call it."""
    return f"{tool.name}({', '.join(tool.parameters.get('properties', {}))}): {tool.description}"
