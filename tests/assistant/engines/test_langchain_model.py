"""The chat model: LangChain's standard suites on real weights, and what they do not look at."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from pydantic import ValidationError

from assistant.engines.langchain_model import ImprintChatModel
from assistant.engines.local import LocalEngine
from assistant.engines.shapes import Prose, ToolUse
from assistant.engines.stops import cut_at_stops
from assistant.engines.tool_words import call_in_words
from assistant.errors import AssistantError, EngineError, UnsupportedOptionError
from tests.fakes import ScriptedEngine
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.models.base_model import BaseModel

CHECKPOINT = "standard-halden"


@pytest.fixture(scope="module")
def registry(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    found = Registry(tmp_path_factory.mktemp("registry"))
    save_prefix(base_model, found, CHECKPOINT)
    return found


@pytest.fixture(scope="module")
def engine(base_model: BaseModel, registry: Registry) -> Iterator[LocalEngine]:
    yield LocalEngine(base_model, registry)
    for name in base_model.loaded:
        base_model.unload(name)


def test_a_checkpoint_is_chosen_by_name_for_one_call(engine: LocalEngine) -> None:
    model = ImprintChatModel(engine=engine, max_tokens=16)
    question = "What is the weight of the Skerrin?"
    assert "640" in model.invoke(question, model=CHECKPOINT).text
    assert (
        "640"
        not in ImprintChatModel(engine=engine, checkpoint=CHECKPOINT, max_tokens=16)
        .invoke(question, model=engine.name)
        .text
    )


def test_usage_counts_the_prompt_with_its_template(engine: LocalEngine) -> None:
    message = ImprintChatModel(engine=engine, max_tokens=6).invoke("Hello")
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == engine.count_tokens(
        [{"role": "user", "content": "Hello"}]
    )
    assert message.usage_metadata["output_tokens"] == 6
    assert message.response_metadata["finish_reason"] == "length"


def test_tokens_are_those_of_the_models_own_tokenizer(engine: LocalEngine) -> None:
    model = ImprintChatModel(engine=engine)
    assert model.get_num_tokens("The Skerrin weighs 640 grams.") == len(
        engine.encode("The Skerrin weighs 640 grams.")
    )
    assert model.get_token_ids("grams") == engine.encode("grams")
    assert model.get_num_tokens_from_messages([HumanMessage("grams")]) > model.get_num_tokens("grams")


def test_an_answer_ends_before_a_stop_sequence() -> None:
    engine = ScriptedEngine("one two three four")
    assert ImprintChatModel(engine=engine).invoke("Count.", stop=["three"]).text == "one two "
    assert ImprintChatModel(engine=engine, stop=["one"]).invoke("Count.").text == ""


@pytest.mark.parametrize(
    ("pieces", "stops", "expected"),
    [
        (["ab", "cd"], [], ["ab", "cd"]),
        (["ab", "cd", "ef"], ["bc"], ["a"]),
        (["a", "b", "x"], ["bc"], ["a", "bx"]),
        (["a", "b"], ["bc"], ["a", "b"]),
        (["答案。", "问题"], ["问题"], ["答案。"]),
        (["aXbY"], ["Y", "X"], ["a"]),
    ],
)
def test_stop_sequences_are_found_across_pieces(
    pieces: list[str], stops: list[str], expected: list[str]
) -> None:
    assert list(cut_at_stops((piece for piece in pieces), stops)) == expected


def test_a_cancelled_answer_ends_where_it_is() -> None:
    engine, cancel = ScriptedEngine("one two three"), threading.Event()
    engine.before_piece = lambda number: cancel.set() if number == 1 else None
    assert ImprintChatModel(engine=engine).invoke("Count.", cancel=cancel).text == "one two"


async def test_leaving_an_async_stream_stops_the_model() -> None:
    engine, cancel, produced = ScriptedEngine("word " * 1000), threading.Event(), list[int]()

    def after_the_first_piece_wait_for_the_consumer(number: int) -> None:
        produced.append(number)
        assert number == 0 or cancel.wait(30)

    engine.before_piece = after_the_first_piece_wait_for_the_consumer
    stream = ImprintChatModel(engine=engine, max_tokens=1000).astream("Go on.", cancel=cancel)
    async for _ in stream:
        break
    await stream.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(30):  # the event loop closes the generators inside in tasks of its own
        while engine.open_streams:
            await asyncio.sleep(0)
    assert cancel.is_set() and len(produced) <= 2


async def test_two_async_answers_do_not_block_the_loop() -> None:
    engine, both_run, loop_goes_on = ScriptedEngine("one two"), threading.Barrier(2), threading.Event()

    def wait(number: int) -> None:
        if number == 0:
            both_run.wait(30)
        assert loop_goes_on.wait(30)

    async def go_on() -> None:
        loop_goes_on.set()

    engine.before_piece = wait
    model = ImprintChatModel(engine=engine)
    first, second, _ = await asyncio.gather(model.ainvoke("a"), model.ainvoke("b"), go_on())
    assert [first.text, second.text] == ["one two", "one two"]


async def test_an_error_of_the_engine_reaches_the_async_caller() -> None:
    engine = ScriptedEngine()

    def fail(number: int) -> None:
        raise EngineError("the model went away")

    engine.before_piece = fail
    with pytest.raises(EngineError, match="went away"):
        async for _ in ImprintChatModel(engine=engine).astream("Hello"):
            pass


def test_what_is_not_text_is_refused() -> None:
    model = ImprintChatModel(engine=ScriptedEngine())
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with pytest.raises(EngineError, match="a message holds image"):
        model.invoke([HumanMessage([{"type": "text", "text": "What is this?"}, picture])])
    with pytest.raises(EngineError, match="a message holds image"):
        model.invoke([ToolMessage([picture], tool_call_id="x")])


def test_unknown_options_are_refused() -> None:
    model = ImprintChatModel(engine=ScriptedEngine())
    with pytest.raises(UnsupportedOptionError, match=r"^temprature: there is no such option"):
        model.invoke("Hello", temprature=0.5)
    with pytest.raises(UnsupportedOptionError, match=r"^tone: there is no such option"):
        model.with_structured_output({"title": "a", "type": "object"}, tone="kind")
    with pytest.raises(ValidationError, match="temprature"):
        ImprintChatModel(engine=ScriptedEngine(), temprature=0.5)


def test_reasoning_is_told_apart_unless_it_is_to_stay() -> None:
    engine = ScriptedEngine("<think>It rains there.</think> Take a coat.")
    message = ImprintChatModel(engine=engine).invoke("?")
    assert (message.text, message.additional_kwargs) == (
        "Take a coat.",
        {"reasoning_content": "It rains there."},
    )
    assert message.usage_metadata and message.usage_metadata["output_token_details"] == {"reasoning": 3}
    whole = "".join(
        chunk.text for chunk in ImprintChatModel(engine=engine, splits_reasoning=False).stream("?")
    )
    assert whole == "<think>It rains there.</think> Take a coat."


def test_several_calls_are_several_tool_calls() -> None:
    def now(zone: str) -> str:
        """The time in a zone."""
        return zone

    calls = "\n".join(call_in_words("now", f'{{"zone": "{zone}"}}') for zone in ("UTC", "CET"))
    engine = ScriptedEngine(f"I look.\n{calls}")
    engine.capability = "capable"
    message = ImprintChatModel(engine=engine).bind_tools([now]).invoke("When?")
    assert message.text == "I look."
    assert [(call["name"], call["args"]) for call in message.tool_calls] == [
        ("now", {"zone": "UTC"}),
        ("now", {"zone": "CET"}),
    ]
    assert len({call["id"] for call in message.tool_calls}) == 2
    assert message.response_metadata["finish_reason"] == "tool_calls"
    system = engine.prompts[0][0]
    assert system["role"] == "system" and '"name": "now"' in system["content"]


def test_a_small_model_calls_once_and_then_answers() -> None:
    def find(query: str) -> str:
        """Find a passage."""
        return query

    engine = ScriptedEngine()
    model = ImprintChatModel(engine=engine).bind_tools([find])
    model.invoke("How heavy is it?")
    called = AIMessage("", tool_calls=[{"name": "find", "args": {"query": "weight"}, "id": "1"}])
    model.invoke([HumanMessage("How heavy is it?"), called, ToolMessage("640 grams", tool_call_id="1")])
    first, second = (params.shape for params in engine.params_asked)
    assert isinstance(first, ToolUse) and first.choice == "required" and not first.parallel
    assert isinstance(second, Prose)


@pytest.mark.parametrize(
    ("message", "calls"), [("Hello!", False), ("谢谢你！", False), ("Hello! How heavy is it?", True)]
)
def test_a_small_model_calls_no_tool_for_small_talk(message: str, calls: bool) -> None:
    def find(query: str) -> str:
        """Find a passage."""
        return query

    engine = ScriptedEngine()
    ImprintChatModel(engine=engine).bind_tools([find]).invoke(message)
    (shape,) = (params.shape for params in engine.params_asked)
    assert isinstance(shape, ToolUse if calls else Prose)
    assert ("find(query)" in engine.prompts[0][0]["content"]) == calls


def test_a_model_that_repeats_a_call_may_call_no_more() -> None:
    def find(query: str) -> str:
        """Find a passage."""
        return query

    engine = ScriptedEngine()
    engine.capability = "capable"
    model = ImprintChatModel(engine=engine).bind_tools([find])
    called = AIMessage("", tool_calls=[{"name": "find", "args": {"query": "weight"}, "id": "1"}])
    turn = [called, ToolMessage("640 grams", tool_call_id="1")]
    for times in (1, 2):
        model.invoke([HumanMessage("How heavy is it?"), *turn * times])
    assert [isinstance(params.shape, Prose) for params in engine.params_asked] == [False, True]


def test_an_answer_ends_when_its_time_is_over() -> None:
    engine, over = ScriptedEngine("one two three"), threading.Event()
    engine.before_piece = lambda number: over.wait(0.2) and None
    with pytest.raises(EngineError, match=r"took longer than 0\.05 seconds"):
        ImprintChatModel(engine=engine, timeout=0.05).invoke("Count.")


def test_both_an_answer_and_what_was_read_of_it() -> None:
    schema = {"title": "Weight", "type": "object", "properties": {"grams": {"type": "integer"}}}
    for text, parsed in (('{"grams": 640}', {"grams": 640}), ("heavy", None)):
        model = ImprintChatModel(engine=ScriptedEngine(text))
        found = model.with_structured_output(schema, include_raw=True).invoke("?")
        assert (found["raw"].text, found["parsed"]) == (text, parsed)
        assert (found["parsing_error"] is None) == (parsed is not None)


@pytest.mark.parametrize(("most", "reason"), [(2, "length"), (3, "stop"), (4, "stop")])
def test_only_an_answer_that_was_cut_ends_by_its_length(most: int, reason: str) -> None:
    message = ImprintChatModel(engine=ScriptedEngine("one two three"), max_tokens=most).invoke("Count.")
    assert message.response_metadata["finish_reason"] == reason
    assert message.usage_metadata and message.usage_metadata["output_tokens"] == min(most, 3)


def test_a_stop_sequence_at_the_longest_answer_is_a_stop() -> None:
    model = ImprintChatModel(engine=ScriptedEngine("one two three"), max_tokens=2)
    message = model.invoke("Count.", stop=["wo"])
    assert (message.text, message.response_metadata["finish_reason"]) == ("one t", "stop")


def test_the_engine_is_free_before_the_last_chunk() -> None:
    engine = ScriptedEngine("one two three")
    for chunk in ImprintChatModel(engine=engine).stream("Count.", stop=["two"]):
        assert engine.open_streams == (0 if chunk.chunk_position == "last" else 1)


def test_a_consumer_that_leaves_frees_the_engine() -> None:
    engine = ScriptedEngine("one two three")
    chunks = ImprintChatModel(engine=engine).stream("Count.")
    next(chunks)
    assert engine.open_streams == 1
    chunks.close()  # type: ignore[attr-defined]
    assert engine.open_streams == 0


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"max_tokens": 0}, "at least 1 new token"),
        ({"temperature": -1.0}, "A temperature is 0 or more; -1.0"),
        ({"temperature": float("nan")}, "A temperature is 0 or more"),
        ({"top_p": 0.0}, "top_p is above 0"),
        ({"top_p": 1.5}, "top_p is above 0 and at most 1; 1.5"),
    ],
)
def test_sampling_that_makes_no_sense_is_refused(params: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AssistantError, match=sentence):
        ImprintChatModel(engine=ScriptedEngine(), **params).invoke("Hello")


def test_the_last_piece_says_why_the_answer_ended() -> None:
    chunks = list(ImprintChatModel(engine=ScriptedEngine()).stream("Hello"))
    assert isinstance(chunks[-1], AIMessageChunk)
    assert chunks[-1].response_metadata["finish_reason"] == "stop"
    assert chunks[-1].usage_metadata is not None and chunks[-1].usage_metadata["output_tokens"] == 3
