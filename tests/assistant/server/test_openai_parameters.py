"""Every parameter that OpenAI's own client knows is done, or refused by its name; docs/api.md lists what is neither.

The client's type definitions are walked: what a newer client adds fails here until somebody decides about it.
"""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openai.types import (
    FileCreateParams,
    FileListParams,
    completion_create_params,
    embedding_create_params,
    fine_tuning,
)
from openai.types.chat import ChatCompletionStreamOptionsParam
from openai.types.chat import completion_create_params as chat_params
from openai.types.fine_tuning import JobListEventsParams, JobListParams, job_create_params
from openai.types.fine_tuning.jobs import CheckpointListParams
from openai.types.responses import FunctionToolParam, ResponseTextConfigParam, response_create_params
from openai.types.shared_params import Reasoning

from assistant.server.app import create_app
from assistant.server.fields import WITHOUT_EFFECT
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine

API = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
CHAT, RESPONSES, TEXT = "/v1/chat/completions", "/v1/responses", "/v1/completions"
EMBEDDINGS, JOBS = "/v1/embeddings", "/v1/fine_tuning/jobs"
BODIES: dict[str, dict[str, Any]] = {
    CHAT: {"messages": [{"role": "user", "content": "How heavy?"}]},
    RESPONSES: {"input": "How heavy?"},
    TEXT: {"prompt": "It weighs"},
    EMBEDDINGS: {"input": "a lighthouse"},
    JOBS: {"model": "scripted", "training_file": "file-" + "0" * 32},
}
USER = {"role": "user", "content": "How heavy?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "weigh", "arguments": "{}"}}
CALLS = {"role": "assistant", "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "640 grams"}
TELLING = {"telling": [1]}  # a value that is neutral for nothing


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("parameters")
    with TestClient(create_app(Workspace(Settings(home=home), engine=ScriptedEngine()))) as found:
        yield found


def names_of(*asked: Any) -> set[str]:
    """The parameters of the client's types."""
    return set().union(*(one.__required_keys__ | one.__optional_keys__ for one in asked))


def tool(**members: Any) -> dict[str, Any]:
    """A function that may be called."""
    return {"type": "function", "function": {"name": "weigh", **members}}


def allowed(name: str) -> dict[str, Any]:
    """OpenAI's choice of some of the tools."""
    return {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [tool(name=name)]}}


def nested(places: str, name: str) -> dict[str, Any]:
    """A body with the telling value at a place, such as `method.dpo`."""
    inner: dict[str, Any] = {name: TELLING}
    return reduce(lambda found, key: {key: found}, reversed(places.split(".")), inner)


@pytest.mark.parametrize(
    ("path", "schema", "asked"),
    [
        (CHAT, "ChatRequest", [chat_params.CompletionCreateParamsNonStreaming,
                               chat_params.CompletionCreateParamsStreaming]),
        (RESPONSES, "ResponseRequest", [response_create_params.ResponseCreateParamsNonStreaming,
                                        response_create_params.ResponseCreateParamsStreaming]),
        (TEXT, "CompletionRequest", [completion_create_params.CompletionCreateParamsNonStreaming,
                                     completion_create_params.CompletionCreateParamsStreaming]),
        (EMBEDDINGS, "EmbeddingRequest", [embedding_create_params.EmbeddingCreateParams]),
        (JOBS, "JobRequest", [job_create_params.JobCreateParams]),
    ],
)  # fmt: skip
def test_a_parameter_is_done_or_refused_by_name(
    client: TestClient, path: str, schema: str, asked: list[Any]
) -> None:
    done = client.get("/openapi.json").json()["components"]["schemas"][schema]["properties"]
    known = names_of(*asked)
    assert len(known) >= 5 and done.keys() & known
    for name in sorted(known - done.keys() - WITHOUT_EFFECT):
        answer = client.post(path, json={**BODIES[path], name: TELLING})
        error = answer.json()["error"]
        assert (answer.status_code, error["param"]) == (400, name)
        assert "not supported" in error["message"], name
        assert f"`{name}`" in API, f"docs/api.md does not say that {name} is refused"


def test_what_has_no_effect_is_written_down() -> None:
    assert [name for name in sorted(WITHOUT_EFFECT) if f"`{name}`" not in API] == []


@pytest.mark.parametrize(
    ("path", "place", "schema", "asked"),
    [
        (CHAT, "stream_options", "StreamOptions", ChatCompletionStreamOptionsParam),
        (CHAT, "prompt_cache_options", "PromptCacheOptions", chat_params.PromptCacheOptions),
        (RESPONSES, "text", "TextFormat", ResponseTextConfigParam),
        (RESPONSES, "reasoning", "ReasoningOptions", Reasoning),
        (RESPONSES, "prompt_cache_options", "PromptCacheOptions", response_create_params.PromptCacheOptions),
        (JOBS, "hyperparameters", "Hyperparameters", job_create_params.Hyperparameters),
        (JOBS, "method", "FineTuningMethod", job_create_params.Method),
        (JOBS, "method.supervised", "SupervisedMethod", fine_tuning.SupervisedMethodParam),
        (JOBS, "method.dpo", "DpoMethod", fine_tuning.DpoMethodParam),
        (JOBS, "method.dpo.hyperparameters", "DpoHyperparameters", fine_tuning.DpoHyperparametersParam),
    ],
)  # fmt: skip
def test_a_member_of_a_parameter_is_done_or_refused(
    client: TestClient, path: str, place: str, schema: str, asked: Any
) -> None:
    """Of none may a value be taken that says nothing; a place is told with each refusal."""
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    done = schemas[schema]["properties"]
    assert names_of(asked) & done.keys()
    for name in sorted(names_of(asked)):
        answer = client.post(path, json={**BODIES[path], **nested(place, name)})
        error = answer.json()["error"]
        assert answer.status_code == 400, name
        assert error["param"].startswith(place.split(".")[0])
        assert name in done or name in error["message"]


@pytest.mark.parametrize(
    ("path", "body", "param", "sentence"),
    [
        (CHAT, {"store": True}, "store", "not supported"),
        (CHAT, {"moderation": {"model": "omni-moderation-latest"}}, "moderation", "not supported"),
        (CHAT, {"stream_options": {"include_usage": True}}, "stream_options", "stream is not true"),
        (CHAT, {"stream": True, "stream_options": {"include_obfuscation": True}},
         "stream_options.include_obfuscation", "False"),
        (RESPONSES, {"store": True}, "store", "not supported"),
        (RESPONSES, {"text": {"verbosity": "low"}}, "text.verbosity", "medium"),
        (RESPONSES, {"reasoning": {"effort": "high"}}, "reasoning.effort", "none"),
        (RESPONSES, {"top_logprobs": 3}, "top_logprobs", "include must hold"),
        (RESPONSES, {"prompt_cache_options": {"prewarm": True}}, "prompt_cache_options.prewarm", "False"),
        (RESPONSES, {"tools": [{"type": "function", "name": "f", "parameters": {}, "defer_loading": True}]},
         "tools", "'defer_loading' of 'f'"),
        (JOBS, {"method": {"type": "supervised", "dpo": {"hyperparameters": {"beta": 1}}}},
         "method.dpo", "is 'supervised'"),
        (CHAT, {"user": ["a"]}, "user", "valid string"),
        (CHAT, {"metadata": [1]}, "metadata", "valid dictionary"),
        (CHAT, {"metadata": {str(one): "x" for one in range(17)}}, "metadata", "at most 16"),
        (RESPONSES, {"metadata": {"long": "x" * 513}}, "metadata.long", "at most 512"),
        (JOBS, {"metadata": {"x" * 65: "long"}}, "metadata", "at most 64"),
        (EMBEDDINGS, {"user": 5}, "user", "valid string"),
        (TEXT, {"safety_identifier": {}}, "safety_identifier", "valid string"),
        (CHAT, {"service_tier": "gold"}, "service_tier", "'flex'"),
        (CHAT, {"logit_bias": {"hello": 5}}, "logit_bias", "valid integer"),
        (CHAT, {"stop": 5}, "stop", "valid string or a valid list"),
        (CHAT, {"stop": ["a", None]}, "stop.1", "valid string"),
        (CHAT, {"max_tokens": 5, "max_completion_tokens": 6}, "max_tokens", "another number"),
        (RESPONSES, {"input": [5]}, "input.0", "valid dictionary"),
        (RESPONSES, {"input": []}, "input", "nothing to answer"),
        (RESPONSES, {"tool_choice": "required"}, "tool_choice", "no tools to choose from"),
        (RESPONSES, {"tool_choice": "any"}, "tool_choice", "'any' was given"),
        (CHAT, {"tools": [tool(parameters=[])]}, "tools", "schema of an object"),
        (CHAT, {"tools": [tool(parameters={"type": "string"})]}, "tools", "schema of an object"),
        (CHAT, {"tools": [tool(strict="yes")]}, "tools", "strict is true or false"),
        (CHAT, {"tools": [tool()], "tool_choice": allowed("other")}, "tool_choice", "tools weigh"),
        (CHAT, {"messages": [USER, {"role": "assistant", "audio": {"id": "a"}}, USER]}, "messages.1", "spoken"),
        (CHAT, {"messages": [USER, CALLS, USER, RESULT]}, "messages", "'c1' is missing before message 2"),
        (CHAT, {"messages": [USER, CALLS]}, "messages", "'c1' is missing at the end"),
        (CHAT, {"messages": [RESULT, USER]}, "messages", "no message before it"),
        (JOBS, {"suffix": "a/b"}, "suffix", "cannot name a checkpoint"),
        (JOBS, {"hyperparameters": {"n_epochs": 1},
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}}},
         "hyperparameters", "Give them once"),
    ],
)  # fmt: skip
def test_what_asks_for_more_than_is_there_is_refused(
    client: TestClient, path: str, body: dict[str, Any], param: str, sentence: str
) -> None:
    answer = client.post(path, json={**BODIES[path], **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (400, param)
    assert sentence in error["message"]


def test_an_unused_tool_member_of_the_client_is_refused(client: TestClient) -> None:
    plain = {
        "type": "function",
        "name": "f",
        "parameters": {"type": "object", "properties": {}},
        "strict": True,
    }
    for name in names_of(FunctionToolParam) - plain.keys() - {"description"}:
        answer = client.post(RESPONSES, json={**BODIES[RESPONSES], "tools": [{**plain, name: TELLING}]})
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "tools"), name


def test_an_earlier_answer_may_be_a_refusal_or_a_call_with_its_result(client: TestClient) -> None:
    refusal = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    asked = {"messages": [USER, refusal, USER, CALLS, RESULT], "user": "a", "metadata": {"a": "b"}}
    assert client.post(CHAT, json=asked).status_code == 200
    call = {"type": "function_call", "call_id": "c1", "name": "weigh", "arguments": "{}"}
    thought = {"type": "reasoning", "summary": []}
    results = [{"type": "function_call_output", "call_id": name, "output": "640"} for name in ("c1", "c2")]
    items = [{"role": "user", "content": "?"}, call, thought, {**call, "call_id": "c2"}, *results]
    assert client.post(RESPONSES, json={"input": items}).status_code == 200


def test_values_that_ask_for_nothing_are_taken(client: TestClient) -> None:
    asked = {"store": False, "service_tier": "flex", "prompt_cache_options": {"ttl": "30m"}}
    told = client.post(CHAT, json={**BODIES[CHAT], **asked}).json()
    assert told["service_tier"] == "default"  # as it was computed
    more = {
        "reasoning": {"effort": "none", "summary": None},
        "text": {"verbosity": "medium"},
        "truncation": "disabled",
    }
    told = client.post(RESPONSES, json={**BODIES[RESPONSES], **asked, **more}).json()
    assert (told["service_tier"], told["store"], told["text"]["format"]) == (
        "default",
        False,
        {"type": "text"},
    )


@pytest.mark.parametrize(
    ("path", "asked", "beside"),
    [
        ("/v1/files", FileListParams, set()),
        (JOBS, JobListParams, {"metadata"}),  # as metadata[KEY]
        (JOBS + "/{job_id}/events", JobListEventsParams, set()),
        (JOBS + "/{job_id}/checkpoints", CheckpointListParams, set()),
    ],
)
def test_a_list_knows_every_parameter(client: TestClient, path: str, asked: Any, beside: set[str]) -> None:
    told = client.get("/openapi.json").json()["paths"][path]["get"]["parameters"]
    assert names_of(asked) - beside <= {one["name"] for one in told}


def test_a_file_is_for_one_purpose_and_stays(client: TestClient) -> None:
    assert names_of(FileCreateParams) == {"file", "purpose", "expires_after"}
    file = {"file": ("a.jsonl", b"{}")}
    for form, param in (
        ({"purpose": "batch"}, "purpose"),
        ({"purpose": "fine-tune", "ttl": "5"}, "ttl"),
        (
            {"purpose": "fine-tune", "expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"},
            "expires_after",
        ),
    ):
        answer = client.post("/v1/files", files=file, data=form)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert client.get("/v1/files").json()["data"] == []
