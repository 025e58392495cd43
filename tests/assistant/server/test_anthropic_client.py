"""Anthropic's own client against a running server: text, tools, streams, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.web.listening import protected
from assistant.workspace import Workspace
from tests.assistant.server.conftest import serving
from tests.assistant.web import servers
from tests.fakes import ScriptedEngine
from tuning.data.examples import Message

pytestmark = pytest.mark.slow

TOKEN = "a token of many characters"
WEATHER: Any = {
    "name": "get_weather",
    "description": "Get the weather at a place.",
    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}
ASKED: Any = [{"role": "user", "content": "What is the weather in Norvik?"}]
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"place": "Norvik"}}\n</tool_call>'


@pytest.fixture
def engine() -> ScriptedEngine:
    found = ScriptedEngine("It weighs 640 grams.")
    found.capability = "capable"
    return found


@pytest.fixture
def client(engine: ScriptedEngine, tmp_path: Path) -> Iterator[anthropic.Anthropic]:
    with (
        serving(Workspace(Settings(home=tmp_path), engine=engine)) as address,
        anthropic.Anthropic(base_url=address.removesuffix("/v1"), api_key="any", max_retries=0) as found,
    ):
        yield found


def ask(client: anthropic.Anthropic, **options: Any) -> anthropic.types.Message:
    given: dict[str, Any] = {"model": "scripted", "max_tokens": 50, "messages": ASKED, **options}
    found = client.messages.create(**given)
    assert isinstance(found, anthropic.types.Message)
    return found


def test_a_question_is_answered_with_its_usage(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    answer = ask(
        client, system=[{"type": "text", "text": "Be brief."}], extra_body={"temperature": 0.5, "top_p": 0.9}
    )
    assert [block.to_dict() for block in answer.content] == [{"type": "text", "text": "It weighs 640 grams."}]
    assert (answer.stop_reason, answer.stop_sequence, answer.model) == ("end_turn", None, "scripted")
    assert answer.usage.output_tokens == 4 and answer.usage.input_tokens > 0
    assert engine.prompts[0][0] == {"role": "system", "content": "Be brief."}
    assert (engine.params_asked[0].temperature, engine.params_asked[0].top_p) == (0.5, 0.9)
    counted = client.messages.count_tokens(model="scripted", messages=ASKED, system="Be brief.")
    assert counted.input_tokens == answer.usage.input_tokens


def test_an_answer_ends_where_it_was_told_to(client: anthropic.Anthropic) -> None:
    stopped = ask(client, stop_sequences=["", " 640"])
    assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", " 640")
    assert stopped.content[0].to_dict()["text"] == "It weighs"
    cut = ask(client, max_tokens=2)
    assert (cut.stop_reason, cut.usage.output_tokens) == ("max_tokens", 2)


def test_a_tool_is_called_and_its_result_is_read(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.say(f"I look.\n{CALL}")
    called = ask(client, tools=[WEATHER])
    text, call = called.content
    assert (called.stop_reason, text.to_dict()["text"], call.type) == ("tool_use", "I look.", "tool_use")
    assert call.type == "tool_use" and (call.name, call.input) == ("get_weather", {"place": "Norvik"})
    engine.say("It is foggy.")
    result: Any = {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": [{"type": "text", "text": "fog"}],
    }
    said = [{"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    last = ask(client, tools=[WEATHER], messages=[*ASKED, *said])
    assert last.content[0].to_dict()["text"] == "It is foggy."
    read: list[Message] = engine.prompts[-1]
    assert "<tool_response>\nfog\n</tool_response>" in read[-1]["content"] and CALL in read[-2]["content"]


def test_a_stream_is_the_same_answer(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.say(f"I look.\n{CALL}")
    with client.messages.stream(model="scripted", max_tokens=50, messages=ASKED, tools=[WEATHER]) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["text", "tool_use"]
    assert final.content[1].type == "tool_use" and final.content[1].input == {"place": "Norvik"}
    assert final.stop_reason == "tool_use" and final.usage.output_tokens > 0 and final.usage.input_tokens > 0
    raw = [kind for kind in kinds if kind.startswith(("message", "content_block"))]
    assert (raw[0], raw[-1], raw.count("content_block_start"), raw.count("content_block_stop")) == (
        "message_start", "message_stop", 2, 2,
    )  # fmt: skip


def test_thoughts_are_a_block_of_their_own(client: anthropic.Anthropic, engine: ScriptedEngine) -> None:
    engine.say("<think>\nIt is light.\n</think>\n\n640 grams.")
    answer = ask(client)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    again: Any = [
        *ASKED,
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": "Sure?"},
    ]
    ask(client, messages=again)
    assert [message["content"] for message in engine.prompts[-1]][1:] == ["640 grams.", "Sure?"]


@pytest.mark.parametrize(
    "options, says",
    [
        ({"extra_body": {"top_k": 4}}, "top_k: not supported"),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking: not supported"),
        (
            {"messages": [*ASKED, {"role": "assistant", "content": "It is"}]},
            "a begun answer is not gone on with",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}]},
            "part of type 'image'",
        ),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "Anthropic's own service"),
        ({"tool_choice": {"type": "any"}}, "there are no tools to choose from"),
        ({"max_tokens": 0}, "max_tokens: Input should be greater than or equal to 1"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]},
            "no message before it has that call",
        ),
    ],
)
def test_what_is_not_done_is_refused_in_words(
    client: anthropic.Anthropic, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        ask(client, **options)
    body = refused.value.body
    assert isinstance(body, dict) and (body["type"], body["error"]["type"]) == (
        "error",
        "invalid_request_error",
    )
    assert says in body["error"]["message"]


def test_a_model_that_is_not_there_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="There is no model 'claude'") as refused:
        ask(client, model="claude")
    assert refused.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]


def test_the_token_may_come_as_anthropics_clients_send_a_key(engine: ScriptedEngine, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, token=TOKEN)
    app = protected(
        create_app(Workspace(settings, engine=engine)), settings, upload_paths=("/v1/files",), api=True
    )
    with servers.serving(app) as port:
        address = f"http://127.0.0.1:{port}"
        for key, status in ((TOKEN, 200), ("wrong", 401)):
            with anthropic.Anthropic(base_url=address, api_key=key, max_retries=0) as client:
                try:
                    found = ask(client).content[0].to_dict()["text"] and 200
                except anthropic.AuthenticationError as error:
                    found = error.status_code
            assert found == status


@pytest.mark.real
def test_the_default_model_calls_a_tool_over_it(served: str) -> None:
    with anthropic.Anthropic(base_url=served.removesuffix("/v1"), api_key="any", max_retries=0) as client:
        model = client.models.list().data[0].id
        answer = ask(client, model=model, tools=[WEATHER], tool_choice={"type": "any"})
    assert answer.stop_reason == "tool_use" and answer.content[0].type == "tool_use"
    assert "place" in json.loads(json.dumps(answer.content[0].input))
