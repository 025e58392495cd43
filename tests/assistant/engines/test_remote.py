"""An OpenAI-compatible endpoint as an engine: what is sent, and what it may answer."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from assistant.engines.base import SamplingParams
from assistant.engines.langchain_model import ImprintChatModel
from assistant.engines.remote import RemoteEngine
from assistant.engines.shapes import Tool
from assistant.errors import EngineError
from tests.fakes import text_and_end
from tuning.models.stream_end import StreamEnd

ASKED = [{"role": "user", "content": "What is the weight of the Skerrin?"}]


def remote(handler: Callable[[httpx.Request], httpx.Response]) -> RemoteEngine:
    client = httpx.Client(transport=httpx.MockTransport(handler))
    return RemoteEngine("http://there/v1/", "big", "key", client=client)


def event(text: str) -> str:
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]}, ensure_ascii=False)}\n\n"


def test_a_remote_answer_streams_and_carries_key_and_checkpoint() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, text=event("夜") + ": comment\n\n" + event("莺") + "data: [DONE]\n\n")

    assert list(remote(handler).stream(ASKED, SamplingParams(seed=3), checkpoint="halden")) == ["夜", "莺"]
    body = json.loads(seen[0].content)
    assert (body["model"], body["stream"], body["seed"]) == ("halden", True, 3)
    assert seen[0].headers["authorization"] == "Bearer key"
    assert str(seen[0].url) == "http://there/v1/chat/completions"


def test_a_remote_endpoint_lists_its_other_models() -> None:
    engine = remote(lambda _: httpx.Response(200, json={"data": [{"id": "big"}, {"id": "halden"}]}))
    assert engine.checkpoints() == ["halden"]


@pytest.mark.parametrize(
    ("ending", "end"),
    [
        ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, StreamEnd("stop", 2)),
        ({"choices": [{"delta": {}, "finish_reason": "length"}]}, StreamEnd("length", 2)),
        (
            {"choices": [{"delta": {}, "finish_reason": "length"}], "usage": {"completion_tokens": 7}},
            StreamEnd("length", 7),
        ),
    ],
)
def test_how_an_answer_ended_is_what_the_endpoint_says(ending: dict[str, Any], end: StreamEnd) -> None:
    text = event("夜") + event("莺") + f"data: {json.dumps(ending)}\n\n" + "data: [DONE]\n\n"
    engine = remote(lambda _: httpx.Response(200, text=text))
    assert text_and_end(engine.stream(ASKED, SamplingParams(2))) == ("夜莺", end)


def test_an_error_in_the_middle_of_a_stream_is_told() -> None:
    text = event("夜") + 'data: {"error": {"message": "out of memory"}}\n\n'
    pieces = remote(lambda _: httpx.Response(200, text=text)).stream(ASKED)
    assert next(pieces) == "夜"
    with pytest.raises(EngineError, match="broke off the answer of big: out of memory"):
        next(pieces)


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (
            httpx.Response(401, text="no such key"),
            r"refused the request for big with 401 .* no such key",
        ),
        (httpx.Response(200, text="data: <html>\n\n"), r"did not answer as an OpenAI-compatible endpoint"),
        (httpx.Response(200, text='data: {"choices": 3}\n\n'), r"did not answer as an OpenAI-compatible"),
    ],
)
def test_what_a_remote_endpoint_does_wrong_is_told(response: httpx.Response, sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        list(remote(lambda _: response).stream(ASKED))


def test_an_endpoint_that_is_not_there_is_told() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(EngineError, match=r"http://there/v1 could not be reached"):
        list(remote(handler).stream(ASKED))


def test_remote_answers_to_many_keep_their_order() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)["messages"][0]["content"]
        return httpx.Response(200, text=event(f"re: {asked}") + "data: [DONE]\n\n")

    batch = [[{"role": "user", "content": str(number)}] for number in range(20)]
    assert remote(handler).complete(batch) == [f"re: {number}" for number in range(20)]


def test_token_estimates_count_chinese_by_character() -> None:
    engine = remote(lambda _: httpx.Response(200))
    assert engine.count_text("夜莺计划") == 4
    assert engine.count_text("a b c d ") == 2


FIND = Tool("find", "Find a passage.", {"type": "object", "properties": {"q": {"type": "string"}}})


def sent(delta: dict[str, Any]) -> str:
    return f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n"


def test_tools_and_their_messages_go_as_the_protocol_writes_them() -> None:
    seen: list[dict[str, Any]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return httpx.Response(200, text=event("It weighs 640 grams.") + "data: [DONE]\n\n")

    model = ImprintChatModel(engine=remote(handler), frequency_penalty=0.5, logit_bias={7: -100})
    called = AIMessage("", tool_calls=[{"name": "find", "args": {"q": "weight"}, "id": "call_1"}])
    tool = {"type": "function", "function": {"name": "find", "parameters": dict(FIND.parameters)}}
    chat = [HumanMessage("How heavy?"), called, ToolMessage("640 grams", tool_call_id="call_1")]
    model.bind_tools([tool], tool_choice="find", parallel_tool_calls=False).invoke(chat, logprobs=True)
    body = seen[0]
    assert body["messages"][1]["tool_calls"][0]["function"] == {
        "name": "find",
        "arguments": '{"q": "weight"}',
    }
    assert body["messages"][2] == {"role": "tool", "content": "640 grams", "tool_call_id": "call_1"}
    assert body["tool_choice"] == {"type": "function", "function": {"name": "find"}}
    assert body["tools"][0]["function"]["name"] == "find" and body["parallel_tool_calls"] is False
    assert (body["frequency_penalty"], body["logit_bias"], body["logprobs"]) == (0.5, {"7": -100}, True)
    model.with_structured_output({"title": "Weight", "type": "object"}, include_raw=True).invoke("How heavy?")
    assert seen[1]["response_format"]["json_schema"]["name"] == "Weight"


def test_calls_and_reasoning_of_an_endpoint_are_read() -> None:
    text = "".join(
        map(
            sent,
            [
                {"reasoning_content": "Look "},
                {"reasoning_content": "it up."},
                {
                    "tool_calls": [
                        {"index": 0, "id": "1", "function": {"name": "find", "arguments": '{"q": '}}
                    ]
                },
                {"tool_calls": [{"index": 0, "function": {"arguments": '"weight"}'}}]},
                {"tool_calls": [{"index": 1, "id": "2", "function": {"name": "find", "arguments": "{}"}}]},
            ],
        )
    )
    engine = remote(lambda _: httpx.Response(200, text=text + "data: [DONE]\n\n"))
    tool = {"type": "function", "function": {"name": "find", "parameters": dict(FIND.parameters)}}
    message = ImprintChatModel(engine=engine).bind_tools([tool]).invoke("How heavy?")
    assert message.additional_kwargs["reasoning_content"] == "Look it up."
    assert [call["args"] for call in message.tool_calls] == [{"q": "weight"}, {}]
