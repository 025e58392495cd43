"""OpenAI's own client against a running server with the default model: what is done, and what is refused."""

import json
import math
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

pytestmark = [pytest.mark.slow, pytest.mark.real]

WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Get the weather at a place.",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
    },
}
ASKED: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the weather in San Francisco?"}
]


class Weather(BaseModel):
    sunny: bool
    degrees: int


@pytest.fixture
def model(real: openai.OpenAI) -> str:
    return real.models.list().data[0].id


def test_a_tool_is_called_and_its_result_is_answered(real: openai.OpenAI, model: str) -> None:
    first = real.chat.completions.create(model=model, messages=ASKED, tools=[WEATHER], max_tokens=48)
    choice = first.choices[0]
    assert (choice.finish_reason, choice.message.content) == ("tool_calls", None)
    assert choice.message.tool_calls and choice.message.tool_calls[0].type == "function"
    call = choice.message.tool_calls[0]
    assert call.function.name == "get_weather" and "place" in json.loads(call.function.arguments)
    result: ChatCompletionMessageParam = {"role": "tool", "tool_call_id": call.id, "content": "It is foggy."}
    chat = [*ASKED, choice.message.model_dump(exclude_none=True), result]
    last = real.chat.completions.create(model=model, messages=chat, tools=[WEATHER], max_tokens=16)  # type: ignore[arg-type]
    assert last.choices[0].message.content and not last.choices[0].message.tool_calls


ADD: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "number"}, "b": {"type": "number"}},
            "required": ["a", "b"],
        },
    },
}


def test_small_talk_gets_text_and_a_task_a_call(real: openai.OpenAI, model: str) -> None:
    def asked(text: str) -> Any:
        chat: list[ChatCompletionMessageParam] = [{"role": "user", "content": text}]
        made = real.chat.completions.create(model=model, messages=chat, tools=[ADD], max_tokens=40)
        return made.choices[0].message

    for text in ("Hello!", "Thank you!", "你好！"):
        assert asked(text).content and not asked(text).tool_calls
    task = asked("What is 3 plus 4? Use the tool.")
    assert task.tool_calls and task.tool_calls[0].function.name == "add"
    assert json.loads(task.tool_calls[0].function.arguments).keys() == {"a", "b"}


def test_several_answers_stream_at_once(real: openai.OpenAI, model: str) -> None:
    chunks = real.chat.completions.create(
        model=model, messages=ASKED, n=3, temperature=0.8, seed=1, max_tokens=16, stream=True
    )
    order = [chunk.choices[0].index for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert set(order) == {0, 1, 2}
    assert order != sorted(order)  # the second has begun before the first has ended


def test_a_streamed_call_is_the_same_call(real: openai.OpenAI, model: str) -> None:
    chosen: Any = {"type": "function", "function": {"name": "get_weather"}}
    with real.chat.completions.stream(
        model=model, messages=ASKED, tools=[WEATHER], tool_choice=chosen, max_tokens=48
    ) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert final.choices[0].finish_reason == "tool_calls" and calls and len(calls) == 1
    assert "place" in json.loads(calls[0].function.arguments)


def test_an_answer_is_parsed_into_a_model(real: openai.OpenAI, model: str) -> None:
    parsed = real.chat.completions.parse(model=model, messages=ASKED, response_format=Weather, max_tokens=64)
    assert isinstance(parsed.choices[0].message.parsed, Weather)


def test_likelihoods_are_told_of_each_token(real: openai.OpenAI, model: str) -> None:
    for stream in (False, True):
        asked = real.chat.completions.create(
            model=model, messages=ASKED, logprobs=True, top_logprobs=3, max_tokens=5, stream=stream
        )
        if isinstance(asked, openai.Stream):
            chunks = [chunk.choices[0] for chunk in asked if chunk.choices]
            text = "".join(chunk.delta.content or "" for chunk in chunks)
            tokens = [token for chunk in chunks if chunk.logprobs for token in chunk.logprobs.content or []]
        else:
            text = asked.choices[0].message.content or ""
            assert asked.choices[0].logprobs
            tokens = asked.choices[0].logprobs.content or []
        assert len(tokens) == 5 and "".join(token.token for token in tokens) == text
        for token in tokens:
            assert len(token.top_logprobs) == 3
            assert token.logprob == token.top_logprobs[0].logprob  # greedy
            assert sum(math.exp(one.logprob) for one in token.top_logprobs) <= 1.001


def test_a_bias_forbids(real: openai.OpenAI, model: str) -> None:
    first = real.chat.completions.create(
        model=model, messages=ASKED, max_tokens=1, logprobs=True, top_logprobs=1
    )
    word = first.choices[0].message.content
    ids = real.completions.create(model=model, prompt="x", max_tokens=1)
    assert ids.choices[0].text
    tokens = {token: -100 for token in range(260, 49152) if token % 2}
    other = real.chat.completions.create(model=model, messages=ASKED, max_tokens=1, logit_bias=tokens)  # type: ignore[arg-type]
    even = {token: -100 for token in range(260, 49152) if not token % 2}
    third = real.chat.completions.create(model=model, messages=ASKED, max_tokens=1, logit_bias=even)  # type: ignore[arg-type]
    assert word in (other.choices[0].message.content, third.choices[0].message.content)
    assert other.choices[0].message.content != third.choices[0].message.content


@pytest.mark.parametrize("name", ["frequency_penalty", "presence_penalty"])
def test_a_penalty_keeps_words_from_coming_again(real: openai.OpenAI, model: str, name: str) -> None:
    story: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Write a story about the sea."}]

    def repeated(penalty: float) -> float:
        asked = {"model": model, "messages": story, "max_tokens": 48, name: penalty}
        words = (real.chat.completions.create(**asked).choices[0].message.content or "").lower().split()
        return 1 - len(set(words)) / len(words)

    assert repeated(2) < repeated(0)


def test_responses_hold_text_and_calls(real: openai.OpenAI, model: str) -> None:
    response = real.responses.create(model=model, input="Say hello.", max_output_tokens=6)
    assert response.output_text and response.status == "incomplete"
    tool: Any = {"type": "function", **WEATHER["function"]}
    with real.responses.stream(
        model=model, input="What is the weather in San Francisco?", tools=[tool], max_output_tokens=48
    ) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    call = final.output[0]
    assert call.type == "function_call" and "place" in json.loads(call.arguments)
    assert kinds[:2] == ["response.created", "response.in_progress"] and kinds[-1] == "response.completed"
    again = real.responses.create(
        model=model,
        input=[
            {"role": "user", "content": "What is the weather in San Francisco?"},
            {
                "type": "function_call",
                "call_id": call.call_id,
                "name": call.name,
                "arguments": call.arguments,
            },
            {"type": "function_call_output", "call_id": call.call_id, "output": "It is foggy."},
        ],
        tools=[tool],
        max_output_tokens=8,
    )
    assert again.output_text


def test_a_text_is_continued(real: openai.OpenAI, model: str) -> None:
    done = real.completions.create(
        model=model, prompt=["The capital of France is", "One, two,"], max_tokens=4, logprobs=2
    )
    assert "Paris" in done.choices[0].text and "three" in done.choices[1].text
    told = done.choices[0].logprobs
    assert told and told.tokens and "".join(told.tokens) == done.choices[0].text
    assert done.usage and done.usage.completion_tokens == 8
    pieces = real.completions.create(
        model=model, prompt="The capital of France is", max_tokens=4, stream=True
    )
    assert "".join(piece.choices[0].text for piece in pieces) == done.choices[0].text


def test_a_model_is_told_and_an_unknown_one_is_not(real: openai.OpenAI, model: str) -> None:
    assert real.models.retrieve(model).id == model
    with pytest.raises(openai.NotFoundError, match="There is no model 'gpt-9'"):
        real.models.retrieve("gpt-9")


@pytest.mark.parametrize(
    ("options", "param", "sentence"),
    [
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "odd"}}}},
         "response_format", "cannot be followed"),
        ({"response_format": {"type": "xml"}}, "response_format", "'xml' was given"),
        ({"tools": [{"type": "web_search"}]}, "tools", "'web_search' was given"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "fly"}}}, "tool_choice", "fly"),
        ({"tool_choice": "required"}, "tool_choice", "no tools"),
        ({"top_logprobs": 2}, "top_logprobs", "logprobs must be true"),
        ({"logit_bias": {"99999999": 1}}, "logit_bias", "no token 99999999"),
        ({"frequency_penalty": 3}, "frequency_penalty", "less than or equal to 2"),
        ({"messages": [{"role": "tool", "tool_call_id": "x", "content": ""}]}, "messages", "no message before it"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]},
         "messages.0.content", "a part of type 'image_url' was given"),
        ({"messages": [{"role": "user", "content": "word " * 40000}]}, "messages", "Shorten the question"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [False, True])
def test_what_cannot_be_done_is_refused_by_its_name(
    real: openai.OpenAI, model: str, options: dict[str, Any], param: str, sentence: str, stream: bool
) -> None:
    body = {"messages": ASKED, "max_tokens": 2, **options, "stream": stream}
    with pytest.raises(openai.BadRequestError, match=sentence) as raised:
        real.chat.completions.create(model=model, **body)
    assert raised.value.param == param


def test_embeddings_are_what_was_asked_for(real: openai.OpenAI) -> None:
    found = real.embeddings.create(model="any", input=["a lighthouse", "a beacon", "tax law"])
    near, far = (
        sum(a * b for a, b in zip(found.data[0].embedding, other.embedding, strict=True))
        for other in found.data[1:]
    )
    assert near > far and found.usage.prompt_tokens > 5
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
        real.embeddings.create(model="any", input=[[1, 2, 3]])
