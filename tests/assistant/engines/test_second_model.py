"""llama.cpp on a model of another architecture, where a developer has fetched one to measure with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from assistant.engines.base import SamplingParams
from assistant.engines.langchain_model import ImprintChatModel
from assistant.engines.llama_engine import LlamaEngine
from benchmarks import second_model
from tuning.checkpoints.registry import Registry
from tuning.models.gguf_base import GgufBase

pytestmark = pytest.mark.skipif(
    not second_model.is_there(), reason="fetched by `python -m benchmarks.second_model` alone"
)


@pytest.fixture(scope="module")
def engine(imprint_home: Path) -> Iterator[LlamaEngine]:
    base = GgufBase.find(str(second_model.path()), imprint_home)
    assert base is not None and base.sha256 == second_model.SHA256
    opened = LlamaEngine(base, Registry(imprint_home))
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "answer"), [("法国的首都是哪里？", "巴黎"), ("What is the capital of France?", "Paris")]
)
def test_it_answers_in_english_and_chinese(engine: LlamaEngine, question: str, answer: str) -> None:
    prompt = [{"role": "user", "content": question}]
    assert answer in "".join(engine.stream(prompt, SamplingParams(24)))


def test_it_is_known_for_what_it_is(engine: LlamaEngine) -> None:
    assert (engine.label(None), engine.capability, engine.window) == ("llama.cpp · 4 bit", "capable", 32_768)


def test_after_a_repeated_call_it_answers_in_words(engine: LlamaEngine) -> None:
    def find(query: str) -> str:
        """Find a passage of the manual."""
        return query

    called = AIMessage(
        "", tool_calls=[{"name": "find", "args": {"query": "weight of the Skerrin"}, "id": "1"}]
    )
    turn = [called, ToolMessage("Nothing was found. Call find again.", tool_call_id="1")]
    model = ImprintChatModel(engine=engine, max_tokens=40).bind_tools([find])
    answer = model.invoke([HumanMessage("Call find until you know how heavy the Skerrin is."), *turn * 2])
    assert answer.text and "<tool_call>" not in answer.text and not answer.text.startswith('{"name":')
