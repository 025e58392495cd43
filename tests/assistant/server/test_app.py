"""The OpenAI interface: what a client sends and gets, by hand and through LangChain's OpenAI client."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi.testclient import TestClient
from langchain_openai import ChatOpenAI

from assistant.engines.remote import RemoteEngine
from assistant.errors import EngineError
from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine
from tuning.models.stream_end import StreamEnd

JSON = {"Content-Type": "application/json"}


class Two(ScriptedEngine):
    """A base and one checkpoint."""

    def checkpoints(self) -> list[str]:
        return ["夜莺"]


@pytest.fixture
def engine() -> Two:
    return Two("six hundred and forty grams")


@pytest.fixture
def client(engine: Two, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Workspace(Settings(home=tmp_path), engine=engine))) as client:
        yield client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": "How heavy?"}]} | body
    response = client.post("/v1/chat/completions", json=asked)
    return {"status": response.status_code, **response.json()}


def test_the_base_is_the_first_model(client: TestClient) -> None:
    models = client.get("/v1/models").json()
    assert [model["id"] for model in models["data"]] == ["scripted", "夜莺"]
    assert [model["parent"] for model in models["data"]] == [None, "scripted"]


def test_an_answer_has_text_reason_and_usage(client: TestClient) -> None:
    answer = ask(client, model="scripted")
    text = "six hundred and forty grams"
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": text, "refusal": None}
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"]["completion_tokens"] == 5
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] + 5
    assert answer["model"] == "scripted" and answer["object"] == "chat.completion"


def test_a_checkpoint_is_a_model(client: TestClient, engine: Two) -> None:
    assert ask(client, model="夜莺")["model"] == "夜莺"
    assert engine.checkpoints_asked == ["夜莺"]


def test_limits_and_stops_are_kept(client: TestClient) -> None:
    cut = ask(client, max_tokens=2)["choices"][0]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("six hundred", "length")
    assert ask(client, stop="and")["choices"][0]["message"]["content"] == "six hundred "


def test_a_stream_is_server_sent_events(client: TestClient) -> None:
    body = {"messages": [{"role": "user", "content": "How heavy?"}], "stream": True}
    body["stream_options"] = {"include_usage": True}
    lines = client.post("/v1/chat/completions", json=body).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    events = [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events if event["choices"])
    assert text == "six hundred and forty grams"
    assert [event["choices"][0]["finish_reason"] for event in events if event["choices"]][-1] == "stop"
    assert events[-1]["usage"]["completion_tokens"] == 5


def test_content_may_come_in_parts(client: TestClient, engine: Two) -> None:
    parts = [{"type": "text", "text": "How "}, {"type": "text", "text": "heavy?"}]
    ask(client, messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": parts}])
    assert engine.prompts == [
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How heavy?"}]
    ]


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"model": "gpt"}, 404, "There is no model 'gpt'. There are: scripted, 夜莺."),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages.0.content"),
        ({"temperature": 9}, 400, "temperature"),
        ({"n": 99}, 400, "n: "),
        ({"audio": {"voice": "alloy"}}, 400, "audio: not supported"),
        ({"functions": [{"name": "f"}]}, 400, "functions: not supported"),
        ({"temprature": 0.5}, 400, "temprature: there is no such option"),
        ({"messages": [{"role": "function", "content": "drizzle"}]}, 400, "functions are not read"),
        ({"messages": [{"role": "user", "content": 5}]}, 400, "a text, a list of text parts, or null"),
    ],
)
def test_a_wrong_request_is_told_as_openai_does(
    client: TestClient, body: dict[str, Any], status: int, sentence: str
) -> None:
    answer = ask(client, **body)
    assert answer["status"] == status
    assert sentence in answer["error"]["message"] and answer["error"]["type"] == "invalid_request_error"


def test_a_failing_model_is_told(client: TestClient, engine: Two) -> None:
    def fail(number: int) -> None:
        raise EngineError("the model went away")

    engine.before_piece = fail
    assert ask(client)["error"]["message"] == "the model went away"
    body = {"messages": [{"role": "user", "content": "How heavy?"}], "stream": True}
    assert '"the model went away"' in client.post("/v1/chat/completions", json=body).text


def test_the_openai_client_of_langchain_is_served(client: TestClient) -> None:
    model = ChatOpenAI(base_url="http://testserver/v1", api_key="any", model="夜莺", http_client=client)
    assert model.invoke("How heavy?").text == "six hundred and forty grams"
    assert "".join(chunk.text for chunk in model.stream("How heavy?")) == "six hundred and forty grams"


@pytest.fixture
def openai_client(client: TestClient) -> openai.OpenAI:
    return openai.OpenAI(base_url="http://testserver/v1", api_key="any", http_client=client, max_retries=0)


@pytest.mark.parametrize("stream", [False, True])
def test_openais_client_knows_that_a_model_is_missing(openai_client: openai.OpenAI, stream: bool) -> None:
    with pytest.raises(openai.NotFoundError, match="There is no model 'gpt'") as raised:
        openai_client.chat.completions.create(
            model="gpt", messages=[{"role": "user", "content": "How heavy?"}], stream=stream
        )
    assert (raised.value.code, raised.value.param) == ("model_not_found", "model")


def test_openais_client_is_told_of_an_error_in_the_middle_of_a_stream(
    openai_client: openai.OpenAI, engine: Two
) -> None:
    def fail(number: int) -> None:
        if number == 1:
            raise OSError("the disk with the model is gone")

    engine.before_piece = fail
    chunks = openai_client.chat.completions.create(
        model="scripted", messages=[{"role": "user", "content": "How heavy?"}], stream=True
    )
    text = ""
    with pytest.raises(openai.APIError, match="the disk with the model is gone"):
        for chunk in chunks:
            text += chunk.choices[0].delta.content or ""
    assert text == "six"


@pytest.mark.parametrize(("most", "reason"), [(4, "length"), (5, "stop")])
def test_openais_client_sees_why_an_answer_ended(
    openai_client: openai.OpenAI, most: int, reason: str
) -> None:
    answer = openai_client.chat.completions.create(
        model="scripted", messages=[{"role": "user", "content": "How heavy?"}], max_tokens=most
    )
    assert answer.choices[0].finish_reason == reason
    assert answer.usage and answer.usage.completion_tokens == most


def test_one_imprint_can_use_another(client: TestClient) -> None:
    engine = RemoteEngine("http://testserver/v1", "scripted", client=client)
    messages = [{"role": "user", "content": "How heavy?"}]
    assert "".join(engine.stream(messages, checkpoint="夜莺")) == "six hundred and forty grams"
    assert engine.checkpoints() == ["夜莺"]
    assert engine.complete([messages] * 3, max_new_tokens=1) == ["six"] * 3


def test_health_needs_no_model(tmp_path: Path) -> None:
    with TestClient(create_app(Workspace(Settings(home=tmp_path)))) as client:
        assert client.get("/health").json() == {"status": "ok", "engine": "cold"}


def test_null_is_as_good_as_left_out(client: TestClient) -> None:
    options = ("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed", "n", "stream", "tools",
               "stream_options", "logprobs", "response_format", "logit_bias", "model", "user", "metadata")  # fmt: skip
    assert ask(client, **dict.fromkeys(options))["choices"] == ask(client)["choices"]
    body = {"messages": [{"role": "user", "content": "?"}], "stream": True, "stream_options": None}
    assert client.post("/v1/chat/completions", json=body).text.endswith("data: [DONE]\n\n")


def test_options_that_ask_for_nothing_are_taken(client: TestClient) -> None:
    neutral = {"tools": [], "response_format": {"type": "text"}, "frequency_penalty": 0, "logprobs": False,
               "logit_bias": {}, "user": "u-17", "parallel_tool_calls": True}  # fmt: skip
    assert ask(client, **neutral)["status"] == 200
    assert ask(client, stop="")["choices"][0]["message"]["content"] == "six hundred and forty grams"
    assert ask(client, seed=2**70)["status"] == ask(client, seed=-5)["status"] == 200


def test_an_empty_turn_is_no_text(client: TestClient, engine: Two) -> None:
    turns = [{"role": "assistant", "content": None}, {"role": "user", "content": "a\ud800b"}]
    body = json.dumps({"messages": turns})  # escaped, as no encoder writes a lone surrogate itself
    assert client.post("/v1/chat/completions", content=body, headers=JSON).status_code == 200
    assert engine.prompts == [[{"role": "assistant", "content": ""}, {"role": "user", "content": "a?b"}]]
    parts = [{"type": "text", "text": None}, {"type": "text", "text": "Well?"}]
    assert ask(client, messages=[{"role": "user", "content": parts}])["status"] == 200
    assert engine.prompts[-1] == [{"role": "user", "content": "Well?"}]


@pytest.mark.parametrize("stream", [False, True])
def test_several_choices(client: TestClient, stream: bool) -> None:
    body = {"messages": [{"role": "user", "content": "?"}], "n": 3, "stream": stream}
    response = client.post("/v1/chat/completions", json=body)
    if stream:
        lines = [line.removeprefix("data: ") for line in response.text.strip().split("\n\n")[:-1]]
        chosen = [choice for line in lines for choice in json.loads(line)["choices"]]
        ends = sorted(
            choice["index"] for choice in chosen if choice["finish_reason"]
        )  # they are written at once
    else:
        ends = [choice["index"] for choice in response.json()["choices"]]
        assert response.json()["usage"]["completion_tokens"] == 15
    assert ends == [0, 1, 2]


def test_one_model_is_told_and_an_unknown_one_is_not_found(client: TestClient) -> None:
    assert client.get("/v1/models/夜莺").json()["parent"] == "scripted"
    assert client.get("/v1/models/").json() == client.get("/v1/models").json()
    for path in ("/v1/models/gpt", "/v1/nothing"):
        answer = client.get(path)
        assert answer.status_code == 404 and answer.json()["error"]["type"] == "invalid_request_error"


def test_a_client_that_leaves_frees_the_model(engine: Two, tmp_path: Path) -> None:
    """An answer that is not streamed ends within a second once nobody waits for it."""
    started, goes_on, ended = threading.Event(), threading.Event(), threading.Event()
    asked: list[threading.Event] = []

    def stream(messages: Any, params: Any, *, checkpoint: Any = None, stop: Any = None) -> Any:
        asked.append(stop)
        started.set()
        yield "one"
        while not stop.is_set() and not goes_on.is_set():
            time.sleep(0.01)
        ended.set()
        return StreamEnd("stopped", 1)

    engine.stream = stream  # type: ignore[method-assign]
    app = create_app(Workspace(Settings(home=tmp_path), engine=engine))
    body = json.dumps({"messages": [{"role": "user", "content": "?"}]}).encode()
    received = iter([{"type": "http.request", "body": body}])

    async def receive() -> dict[str, Any]:
        if (message := next(received, None)) is not None:
            return message
        if not started.is_set():
            await asyncio.sleep(60)  # whoever asks meanwhile is told nothing
        return {"type": "http.disconnect"}

    async def send(message: object) -> None: ...

    scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "query_string": b"",
             "headers": [(b"content-type", b"application/json"), (b"host", b"testserver")]}  # fmt: skip
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    goes_on.set()
    assert asked[0].is_set() and ended.is_set()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"input": [[791, 20551], [15339]]}, "check_embedding_ctx_length=False"),
        ({"input": [15339, 1917]}, "check_embedding_ctx_length=False"),
        ({"input": []}, "at least one"),
        ({"input": None}, "at least one"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
        ({"input": "a", "task": "query"}, "task: there is no such option"),
    ],
)
def test_wrong_embedding_requests_are_refused(
    client: TestClient, body: dict[str, Any], sentence: str
) -> None:
    answer = client.post("/v1/embeddings", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400 and sentence in error["message"]
    assert error["param"] in body


@pytest.mark.parametrize("kind", [["text"], {"text": 1}, 3, None])
def test_a_part_of_no_known_kind_is_refused(client: TestClient, kind: Any) -> None:
    answer = ask(client, messages=[{"role": "user", "content": [{"type": kind, "text": "a"}]}])
    assert answer["status"] == 400 and "a part of type" in answer["error"]["message"]


def test_the_openapi_document_says_what_is_taken_and_how_errors_look(client: TestClient) -> None:
    found = client.get("/openapi.json").json()
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"]
            kind = "AnthropicError" if path.startswith("/v1/messages") else "Error"
            told = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert told == {"$ref": f"#/components/schemas/{kind}"}
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"):
        assert "text/event-stream" in found["paths"][path]["post"]["responses"]["200"]["content"]
    schemas = found["components"]["schemas"]

    def kinds(schema: str, field: str) -> set[str]:
        return {one.get("type", "") for one in schemas[schema]["properties"][field]["anyOf"]}

    assert kinds("EmbeddingRequest", "input") == {"string", "array"}
    assert kinds("ChatMessage", "content") == {"string", "array", "null"}
    assert kinds("ChatRequest", "temperature") == {"number", "null"}
    refused = client.post("/v1/embeddings", json={"input": 3}).json()
    assert refused["error"].keys() == set(schemas["Error"]["properties"]["error"]["required"])
