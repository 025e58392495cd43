"""The base with its skills in llama.cpp: the answers of torch's, alone and under checkpoints tuned from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engines.base import SamplingParams
from assistant.engines.llama_engine import LlamaEngine
from tests.rounding import ROUNDING, largest_gap
from tests.saved_checkpoints import save_prefix, save_random
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.data.examples import Message
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel
from tuning.models.gguf_base import GgufBase

pytestmark = pytest.mark.slow
READ: list[Message] = [
    {
        "role": "user",
        "content": "Context:\nThe mill weighs 40 tonnes. Ada Kron runs it.\n\nAnswer the question with a short "
        "phrase from the context.\nQuestion: Who runs the mill?",
    }
]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Registry:
    """Checkpoints of the base with skills."""
    found = Registry(tmp_path_factory.mktemp("skilled"))
    save_random(base_model, found, "random", "lora", scale=0.06)
    save_prefix(base_model, found, "prefix")
    return found


@pytest.fixture(scope="module")
def engine(registry: Registry, imprint_home: Path) -> Iterator[LlamaEngine]:
    base = GgufBase.find(DEFAULT_BASE, imprint_home)
    assert base is not None
    opened = LlamaEngine(base, registry)
    yield opened
    opened.close()


def answer(engine: LlamaEngine, checkpoint: str | None) -> str:
    return "".join(engine.stream(READ, SamplingParams(12), checkpoint=checkpoint))


def test_it_answers_as_torch_does(engine: LlamaEngine, base_model: BaseModel, plain_model: BaseModel) -> None:
    said = answer(engine, None)
    assert largest_gap(base_model, READ, said) < ROUNDING
    assert "Ada Kron" in said


@pytest.mark.parametrize("name", ["random", "prefix"])
def test_a_checkpoint_of_it_answers_as_in_torch(
    engine: LlamaEngine, base_model: BaseModel, registry: Registry, name: str
) -> None:
    stored = registry.get(name)
    base_model.add_adapter(name, read_adapter(stored.path, stored.sha256))
    try:
        assert largest_gap(base_model, READ, answer(engine, name), adapter=name) < ROUNDING
    finally:
        base_model.unload(name)


def test_a_checkpoint_of_the_plain_base_is_not_offered(
    engine: LlamaEngine, registry: Registry, plain_model: BaseModel
) -> None:
    save_random(plain_model, registry, "plain", "lora")
    try:
        assert "plain" not in engine.checkpoints()
    finally:
        registry.delete("plain")
