"""llama.cpp on a model of another architecture, where a developer has fetched one to measure with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engines.base import SamplingParams
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
