"""The shape that an answer must have: JSON of a schema, or calls of tools; as a grammar that an engine holds it to.

Grammars are llguidance's (Lark), which llama.cpp and torch's engine both follow token by token. A tool is called as
`<tool_call>`, a line with `{"name": …, "arguments": …}`, `</tool_call>`; `replies` reads that. It asks no model.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from assistant.errors import UnsupportedOptionError

OPEN, CLOSE = "<tool_call>", "</tool_call>"
_END = "}\n" + CLOSE  # of a call, after the arguments
_HEAD = "%llguidance {}\n"
# What is no call, with tags or without them.
_TEXT = f'TEXT: /(?s:.+)/ & ~/(?s:.*){OPEN}(?s:.*)/ & ~/\\{{"name":(?s:.*)/'
# JSON as models were trained to write it: on one line, with a blank after commas and colons.
_LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
_WITHOUT_ARGUMENTS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
_MOST_LETTERS, _MOST_ITEMS = 160, 8
_SCHEMAS_BY_NAME = ("properties", "$defs", "definitions", "patternProperties")
_SCHEMA_LISTS = ("anyOf", "oneOf", "prefixItems")


@dataclass(frozen=True)
class JsonOutput:
    """An answer that is one JSON value of `schema`. Raises UnsupportedOptionError for a schema that cannot be held."""

    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    name: str = "answer"
    beginning: str = field(default="", init=False)
    ending: str = field(default="", init=False)

    def __post_init__(self) -> None:
        _check(self.grammar, "response_format", f"the schema of {self.name!r}")

    @cached_property
    def grammar(self) -> str:
        """What the engine is held to."""
        return f"{_HEAD}start: {_json(self.schema)}\n"


@dataclass(frozen=True)
class Tool:
    """A function that the model may ask to be called, as OpenAI describes one."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=lambda: _WITHOUT_ARGUMENTS)

    def __post_init__(self) -> None:
        _check(f"{_HEAD}start: {self.rule}\n", "tools", f"the parameters of the tool {self.name!r}")

    @property
    def call(self) -> str:
        """How a call of it begins, up to the arguments."""
        return f'{{"name": {json.dumps(self.name, ensure_ascii=False)}, "arguments":'

    @property
    def arguments(self) -> str:
        """The rule of the arguments, with the blank before them."""
        return f'" " {_json(self.parameters)}'

    @property
    def rule(self) -> str:
        """The rule of a call without its last brace."""
        return f"{_literal(self.call)} {self.arguments}"


@dataclass(frozen=True)
class ToolUse:
    """An answer that calls some of the tools; with `auto`, the model may write text instead, or before.

    With `auto` a call may also stand alone without its tags: some models leave them out. What can only be written in
    one way at the beginning and the end is not asked of the model.
    """

    tools: Sequence[Tool]
    # "auto", "required", or the name of the tool that must be called. Raises UnsupportedOptionError where it is none.
    choice: str = "auto"
    # Whether there may be several calls in one answer.
    parallel: bool = True

    def __post_init__(self) -> None:
        names = [tool.name for tool in self.tools]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UnsupportedOptionError("tools", f"tools: {twice[0]!r} is given twice. Name each tool once.")
        if self.choice not in ("auto", "required", *names):
            raise UnsupportedOptionError(
                "tool_choice",
                f"tool_choice: there is no tool {self.choice!r}. There are: {', '.join(names)}.",
            )

    @property
    def beginning(self) -> str:
        """What every answer begins with; the engine writes it, and the grammar begins after it."""
        if self.choice == "auto":
            return ""
        return f"{OPEN}\n{self._usable[0].call if self._is_named else ''}"

    @property
    def ending(self) -> str:
        """What every answer that came to its end ends with; the grammar ends before it."""
        return _END if self._is_one_call else ""

    @cached_property
    def grammar(self) -> str:
        """What the engine is held to."""
        if self._is_named:
            return f"{_HEAD}start: {self._usable[0].arguments}\n"
        calls = " | ".join(f"call{number}" for number in range(len(self._usable)))
        rules = [f"call{number}: {tool.rule}" for number, tool in enumerate(self._usable)]
        return _HEAD + "\n".join([self._start, f"any: {calls}", *rules, ""])

    @property
    def _usable(self) -> list[Tool]:
        return [tool for tool in self.tools if self.choice in ("auto", "required", tool.name)]

    @property
    def _is_one_call(self) -> bool:
        """Also where a tool is named: OpenAI's interface has it called exactly once."""
        return self.choice != "auto" and not (self.choice == "required" and self.parallel)

    @property
    def _is_named(self) -> bool:
        """Whether nothing but the arguments is open."""
        return self._is_one_call and len(self._usable) == 1

    @property
    def _start(self) -> str:
        end, next_call = _literal(_END), _literal(f"\n{OPEN}\n")
        more = f"({next_call} any {end})*" if self.parallel else ""
        if self.choice != "auto":
            return "start: any" if self._is_one_call else f"start: any {end} {more}"
        return (
            f'start: TEXT | any "}}" | lead "\\n" any {end} {more}\n'
            f"lead[suffix={_literal(OPEN)}]: /([^\\{{](?s:.*))?/\n"
            f"{_TEXT}"
        )


@dataclass(frozen=True)
class Prose:
    """An answer in words: of a model that knows of tools and may not call them now."""

    beginning: str = field(default="", init=False)
    ending: str = field(default="", init=False)
    grammar: str = field(default=f"{_HEAD}start: TEXT\n{_TEXT}\n", init=False)


Shape = JsonOutput | ToolUse | Prose


def bounded(shape: Shape) -> Shape:
    """The shape for a model that may repeat itself without end: what has no length in it gets one."""
    if isinstance(shape, Prose):
        return shape
    if isinstance(shape, JsonOutput):
        return replace(shape, schema=_changed(dict(shape.schema), _bounded))
    tools = [replace(tool, parameters=_changed(dict(tool.parameters), _bounded)) for tool in shape.tools]
    return replace(shape, tools=tools)


def _literal(text: str) -> str:
    """The grammar's word for this text."""
    return json.dumps(text, ensure_ascii=False)


def _json(schema: Mapping[str, Any]) -> str:
    """The grammar's word for JSON of a schema."""
    return "%json " + json.dumps({**_changed(dict(schema), _closed), "x-guidance": _LAYOUT})


def _changed(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """The schema with a change made to every schema in it, the inner ones first."""
    if not isinstance(schema, dict):
        return schema
    copy = dict(schema)
    for key in _SCHEMAS_BY_NAME:
        if isinstance(found := copy.get(key), dict):
            copy[key] = {name: _changed(one, change) for name, one in found.items()}
    for key in _SCHEMA_LISTS:
        if isinstance(found := copy.get(key), list):
            copy[key] = [_changed(one, change) for one in found]
    if "items" in copy:
        copy["items"] = _changed(copy["items"], change)
    return change(copy)


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """An object has no other members than those that are named, unless its schema says that it may."""
    if "properties" in schema and "allOf" not in schema:  # members of an allOf see each other's
        return {"additionalProperties": False, **schema}
    return schema


def _bounded(schema: dict[str, Any]) -> dict[str, Any]:
    """A string and a list come to an end."""
    kind = schema.get("type")
    if kind == "string" and not schema.keys() & {"enum", "const", "format", "pattern"}:
        return {"maxLength": _MOST_LETTERS, **schema}
    return {"maxItems": _MOST_ITEMS, **schema} if kind == "array" else schema


def _check(grammar: str, option: str, what: str) -> None:
    """Raises UnsupportedOptionError where an engine could not follow the grammar: llama.cpp would not say so."""
    from llguidance import LLMatcher, LLTokenizer  # a library of 8 MB, for answers with a shape alone

    if problem := LLMatcher.validate_grammar(grammar, LLTokenizer("byte")):
        reason = problem.splitlines()[0].partition("failed to compile JSON schema: ")[2] or problem
        raise UnsupportedOptionError(
            option, f"{option}: {what} cannot be followed ({reason}). Simplify the schema."
        )
