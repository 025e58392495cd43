"""Tools in words, for engines whose models read nothing but text: what there is, what was called, what came back.

The form is the one that `shapes` holds calls to; many models were trained on it. An answer is read by `replies`.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from assistant.engines.shapes import CLOSE, OPEN, JsonOutput, Shape, Tool
from tuning.data.examples import Message

_ORDER = """# Tools

These functions can be called for the user, one JSON description a line:
<tools>
{tools}
</tools>

A function is called by writing its name and its arguments as JSON, and nothing after that:
{open}
{{"name": NAME, "arguments": {{…}}}}
{close}"""

_JSON = """# Answer

The answer is JSON that fits this schema:
{schema}"""


def in_words(messages: Sequence[Message], shape: Shape | None = None) -> list[Message]:
    """The conversation without the roles and members that only tools have; the system message tells of the shape."""
    plain = list(_plain(messages))
    if shape is None:
        return plain
    order = _order(shape)
    if plain and plain[0]["role"] == "system":
        return [{"role": "system", "content": f"{plain[0]['content']}\n\n{order}"}, *plain[1:]]
    return [{"role": "system", "content": order}, *plain]


def call_in_words(name: str, arguments: str) -> str:
    """A call as a model writes it; the arguments are JSON."""
    return f'{OPEN}\n{{"name": {json.dumps(name, ensure_ascii=False)}, "arguments": {arguments}}}\n{CLOSE}'


def _order(shape: Shape) -> str:
    if isinstance(shape, JsonOutput):
        return _JSON.format(schema=json.dumps(shape.schema, ensure_ascii=False))
    return _ORDER.format(tools="\n".join(map(_description, shape.tools)), open=OPEN, close=CLOSE)


def _plain(messages: Sequence[Message]) -> Iterator[Message]:
    """Results that follow each other are one message of the user, which templates want between two answers."""
    for is_result, group in groupby(messages, lambda message: message["role"] == "tool"):
        if is_result:
            results = [f"<tool_response>\n{message['content']}\n</tool_response>" for message in group]
            yield {"role": "user", "content": "\n".join(results)}
        else:
            yield from map(_with_calls, group)


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
