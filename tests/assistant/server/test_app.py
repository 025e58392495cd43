"""The OpenAI interface: what a client sends and gets, by hand and through LangChain's OpenAI client."""

import json
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
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "six hundred and forty grams"}
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
        ({"n": 2}, 400, "n: "),
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
