"""Grammars: what they let through, what they do not, and what is refused before a model is asked."""

import json
from typing import Any

import pytest
from llguidance import LLMatcher, LLTokenizer

from assistant.engines.langchain_messages import shape_of
from assistant.engines.shapes import JsonOutput, Prose, Shape, Tool, ToolUse, bounded
from assistant.errors import UnsupportedOptionError

BYTES = LLTokenizer("byte")
WEATHER = Tool(
    "get_weather",
    "The weather at a place.",
    {
        "type": "object",
        "properties": {"place": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["place"],
    },
)
NOW = Tool("now")
CALL_WEATHER = '{"name": "get_weather", "arguments": {"place": "Norvik"}}'
CALL_NOW = '{"name": "now", "arguments": {}}'


def lets(shape: Shape, text: str) -> bool:
    """Whether a whole answer has the shape."""
    if not (text.startswith(shape.beginning) and text.endswith(shape.ending)):
        return False
    matcher = LLMatcher(BYTES, shape.grammar)
    ids = BYTES.tokenize_str(text[len(shape.beginning) : len(text) - len(shape.ending)])
    return bool(matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting())


def called(*calls: str) -> str:
    return "\n".join(f"<tool_call>\n{call}\n</tool_call>" for call in calls)


@pytest.mark.parametrize(
    ("choice", "parallel", "answer", "allowed"),
    [
        ("auto", True, "It rains.", True),
        ("auto", True, "a < b, and <tool", True),
        ("auto", True, called(CALL_WEATHER), True),
        ("auto", True, CALL_WEATHER, True),
        ("auto", True, '{"name": "Ada"}', False),
        ("auto", True, '{"names": ["Ada"]}', True),
        ("auto", True, "I look.\n" + called(CALL_WEATHER, CALL_NOW), True),
        ("auto", False, called(CALL_WEATHER, CALL_NOW), False),
        ("auto", True, "<tool_call>\nIt rains.", False),
        ("required", True, called(CALL_NOW, CALL_WEATHER), True),
        ("required", True, "It rains.", False),
        ("required", False, called(CALL_WEATHER), True),
        ("required", False, called(CALL_WEATHER, CALL_NOW), False),
        ("now", False, called(CALL_NOW), True),
        ("now", False, called(CALL_WEATHER), False),
        ("now", True, called(CALL_NOW, CALL_NOW), False),  # a tool that is named is called exactly once
        ("required", False, called('{"name": "fly", "arguments": {}}'), False),
        ("required", False, called('{"name": "now", "arguments": {"zone": 1}}'), False),
        ("required", False, called('{"name": "get_weather", "arguments": {"days": 2}}'), False),
    ],
)
def test_calls_are_as_the_tools_say(choice: str, parallel: bool, answer: str, allowed: bool) -> None:
    assert lets(ToolUse([WEATHER, NOW], choice, parallel), answer) is allowed


def test_an_object_has_no_members_that_its_schema_does_not_name() -> None:
    inner = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    schema = {"type": "object", "properties": {"a": {"$ref": "#/$defs/inner"}}, "required": ["a"]}
    shape = JsonOutput({**schema, "$defs": {"inner": inner}})
    assert lets(shape, '{"a": {"n": 1}}')
    assert not lets(shape, '{"a": {"n": 1, "m": 2}}')
    assert not lets(shape, '{"a": {"n": 1}, "b": 2}')
    assert lets(
        JsonOutput({**schema, "$defs": {"inner": {**inner, "additionalProperties": True}}}),
        '{"a": {"n": 1, "m": 2}}',
    )
    assert lets(JsonOutput(), '{"anything": [1, {"b": null}]}') and not lets(JsonOutput(), "[1]")


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "bogus"}, "Invalid type: bogus"),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        ({"type": "string", "pattern": "(?=x)"}, "regex parse error"),
        ({"type": "object", "not": {}}, "Unimplemented keys"),
    ],
)
def test_a_schema_that_cannot_be_held_is_refused_with_its_option(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(
        UnsupportedOptionError, match=f"^response_format: the schema of 'report' .*{reason}"
    ) as raised:
        JsonOutput(schema, "report")
    assert raised.value.option == "response_format"
    with pytest.raises(
        UnsupportedOptionError, match=r"^tools: the parameters of the tool 'f' cannot be followed"
    ):
        Tool("f", parameters=schema)


def test_tools_are_named_once_and_one_that_is_not_there_cannot_be_chosen() -> None:
    with pytest.raises(UnsupportedOptionError, match="'now' is given twice"):
        ToolUse([NOW, NOW])
    with pytest.raises(UnsupportedOptionError, match="no tool 'fly'") as raised:
        ToolUse([NOW], "fly")
    assert raised.value.option == "tool_choice"


def test_a_choice_of_some_tools_leaves_the_others_out() -> None:
    functions = [{"type": "function", "function": {"name": name}} for name in ("now", "fly")]
    for inner in (
        functions[:1],
        [{"type": "function", "name": "now"}],
    ):  # of chat completions, and of responses
        choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": inner}}
        shape = shape_of({"tools": functions, "tool_choice": choice})
        assert isinstance(shape, ToolUse)
        assert ([tool.name for tool in shape.tools], shape.choice) == (["now"], "required")


def test_strings_and_lists_of_a_small_model_come_to_an_end() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string"}}, "b": {"enum": ["x"]}},
    }
    shape = bounded(JsonOutput(schema))
    assert lets(shape, json.dumps({"a": ["x" * 160] * 8}))
    assert not lets(shape, json.dumps({"a": ["x" * 161]}))
    assert not lets(shape, json.dumps({"a": ["x"] * 9}))


def test_a_name_is_written_as_it_is() -> None:
    tool = Tool('天气"x')
    assert lets(
        ToolUse([tool], "required", False),
        called(json.dumps({"name": tool.name, "arguments": {}}, ensure_ascii=False)),
    )


@pytest.mark.parametrize(
    ("answer", "allowed"),
    [
        ("It rains.\nAnd 3 < 4.", True),
        ('{"names": ["Ada"]}', True),
        (called(CALL_WEATHER), False),
        ("I look again.\n" + called(CALL_WEATHER), False),
        (CALL_WEATHER, False),
        ("", False),
    ],
)
def test_prose_is_no_call(answer: str, allowed: bool) -> None:
    assert lets(Prose(), answer) == allowed
