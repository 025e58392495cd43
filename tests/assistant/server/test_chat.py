"""Chat completions and responses over a running server: the forms of calls and reasoning, and who goes away."""

import time
from typing import Any

import openai
import pytest

from assistant.engines.tool_words import call_in_words
from tests.fakes import ScriptedEngine

Scripted = tuple[ScriptedEngine, openai.OpenAI]
TOOL: Any = {
    "type": "function",
    "function": {"name": "find", "parameters": {"type": "object", "properties": {}}},
}
ASKED: Any = [{"role": "user", "content": "How heavy?"}]
TWO_CALLS = "I look. " + "\n".join(call_in_words("find", f'{{"q": {number}}}') for number in (1, 2))


def capable(engine: ScriptedEngine, answer: str) -> None:
    engine.capability = "capable"
    engine.say(answer)


def test_several_calls_beside_a_text(scripted: Scripted) -> None:
    engine, client = scripted
    capable(engine, TWO_CALLS)
    message = client.chat.completions.create(model="", messages=ASKED, tools=[TOOL]).choices[0].message
    assert message.content == "I look."
    assert [call.function.arguments for call in message.tool_calls or ()] == ['{"q": 1}', '{"q": 2}']  # type: ignore[union-attr]
    with client.chat.completions.stream(model="scripted", messages=ASKED, tools=[TOOL]) as stream:
        streamed = stream.get_final_completion().choices[0].message
    assert [call.function.arguments for call in streamed.tool_calls or ()] == ['{"q": 1}', '{"q": 2}']
    assert streamed.content == "I look."


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_is_no_content(scripted: Scripted, stream: bool) -> None:
    engine, client = scripted
    engine.say("<think>Look it up.</think> 640 grams.")
    asked = client.chat.completions.create(model="", messages=ASKED, stream=stream)
    if isinstance(asked, openai.Stream):
        deltas = [chunk.choices[0].delta.model_dump() for chunk in asked]
    else:
        deltas = [asked.choices[0].message.model_dump()]
        assert asked.usage and asked.usage.completion_tokens_details
        assert asked.usage.completion_tokens_details.reasoning_tokens == 3
    assert "".join(delta.get("content") or "" for delta in deltas) == "640 grams."
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "Look it up."


def test_a_response_has_an_item_for_each_kind(scripted: Scripted) -> None:
    engine, client = scripted
    capable(engine, f"<think>Hm.</think> {TWO_CALLS}")
    tool = {"type": "function", **TOOL["function"]}
    whole = client.responses.create(model="", input="How heavy?", tools=[tool])
    kinds = ["reasoning", "message", "function_call", "function_call"]
    assert [item.type for item in whole.output] == kinds
    with client.responses.stream(model="scripted", input="How heavy?", tools=[tool]) as stream:
        events = list(stream)
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [item.type for item in stream.get_final_response().output] == kinds
    for kind in ("output_item.added", "output_item.done"):
        assert [event.type for event in events].count(f"response.{kind}") == 4  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": [{"type": "computer_call"}]}, "input"),
        ({"include": ["file_search_call.results"]}, "include"),
        ({"tools": [{"type": "file_search"}]}, "tools"),
        ({"background": True}, "background"),
    ],
)
def test_what_a_response_cannot_be_is_refused(
    scripted: Scripted, options: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        scripted[1].responses.create(**{"model": "", "input": "Hello", **options})
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("option", "value"), [("echo", True), ("suffix", "end"), ("best_of", 2), ("prompt", [1, 2])]
)
def test_what_a_completion_cannot_be_is_refused(scripted: Scripted, option: str, value: Any) -> None:
    with pytest.raises(openai.BadRequestError) as raised:
        scripted[1].completions.create(**{"model": "", "prompt": "Once", option: value})
    assert raised.value.param == option


def test_a_client_that_leaves_a_stream_frees_the_model(scripted: Scripted) -> None:
    engine, client = scripted
    engine.say("word " * 20_000)
    engine.before_piece = lambda number: time.sleep(0.002)
    stream = client.chat.completions.create(model="", messages=ASKED, max_tokens=20_000, stream=True)
    next(iter(stream))
    assert engine.open_streams == 1
    left = time.monotonic()
    stream.close()
    while engine.open_streams:
        assert time.monotonic() - left < 20
        time.sleep(0.01)
