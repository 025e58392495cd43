"""Both local engines as one: which of them answers, what is opened for it, and how it is forced."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engines.base import SamplingParams
from assistant.engines.chosen import ChosenEngine
from assistant.engines.llama_engine import LlamaEngine
from assistant.engines.local import LocalEngine
from assistant.engines.opening import answering_at_once, open_local
from assistant.errors import EngineError
from assistant.settings import Settings
from tests.saved_checkpoints import save_prefix, save_random
from tests.tuning.tiny import save_tiny
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.data.examples import Message
from tuning.models.base_model import BaseModel
from tuning.models.gguf_base import GgufBase

SKERRIN: list[Message] = [{"role": "user", "content": "What is the weight of the Skerrin?"}]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory, base_model: BaseModel) -> Registry:
    found = Registry(tmp_path_factory.mktemp("chosen"))
    save_random(base_model, found, "low-rank", "lora", scale=0.06)
    save_random(base_model, found, "idle", "lora", scale=0.0)
    save_prefix(base_model, found, "prefix")
    save_random(base_model, found, "scaled", "ia3", scale=0.5)
    return found


@pytest.fixture(scope="module")
def opened() -> list[str]:
    """What was opened beside llama.cpp."""
    return []


@pytest.fixture(scope="module")
def engine(
    base_model: BaseModel, registry: Registry, imprint_home: Path, opened: list[str]
) -> Iterator[ChosenEngine]:
    def open_torch() -> LocalEngine:
        opened.append("torch")
        return LocalEngine(base_model, registry)

    base = GgufBase.find(DEFAULT_BASE, imprint_home)
    assert base is not None
    llama = LlamaEngine(base, registry)
    yield ChosenEngine(llama, open_torch)
    llama.close()
    for name in base_model.loaded:  # the model is shared with other tests
        base_model.unload(name)


def answer(engine: ChosenEngine, checkpoint: str | None) -> str:
    return "".join(engine.stream(SKERRIN, SamplingParams(24), checkpoint=checkpoint))


def test_torch_is_opened_for_what_llama_cpp_cannot_do(engine: ChosenEngine, opened: list[str]) -> None:
    assert answer(engine, None) != answer(engine, "low-rank")
    assert "640" in answer(engine, "prefix") and "640" in engine.complete([SKERRIN], checkpoint="prefix")[0]
    assert {engine.label(name) for name in (None, "low-rank", "prefix")} == {"llama.cpp · 8 bit"}
    assert engine.prompt_capacity("prefix") < engine.prompt_capacity("low-rank") == engine.window
    assert opened == []
    assert answer(engine, "scaled") != answer(engine, None)
    assert engine.label("scaled").startswith("torch · ")
    assert opened == ["torch"]


def test_what_decides_an_answer_names_the_engine(engine: ChosenEngine) -> None:
    identities = {engine.identity(name) for name in (None, "low-rank", "scaled")}
    assert len(identities) == 3
    assert [name for name in identities if name and "llama.cpp" in name] != []
    assert engine.checkpoints() == ["low-rank", "idle", "prefix", "scaled"]


def test_a_checkpoint_that_llama_cpp_cannot_prove_goes_to_torch_which_says_what_it_is(
    engine: ChosenEngine,
) -> None:
    with pytest.raises(EngineError, match="'idle' changes no logit"):
        answer(engine, "idle")


def test_answers_at_once_share_both_engines(engine: ChosenEngine, opened: list[str]) -> None:
    sharing = answering_at_once(engine)
    streams = [sharing.stream(SKERRIN, SamplingParams(24), checkpoint=name) for name in ("prefix", "scaled")]
    pieces = [next(stream) for stream in streams]
    rest = ["".join(stream) for stream in streams]
    assert "640" in pieces[0] + rest[0] and rest[1]
    assert opened.count("torch") == 1
    sharing.close()
    assert answer(engine, None)  # closing it has closed nothing


@pytest.mark.parametrize(
    ("choice", "device", "kind"),
    [("auto", "cpu", ChosenEngine), ("llama.cpp", None, ChosenEngine), ("torch", "cpu", LocalEngine)],
)
def test_the_settings_choose_the_engine(
    imprint_home: Path, registry: Registry, base_model: BaseModel, choice: str, device: str, kind: type
) -> None:
    settings = Settings(home=imprint_home, device=device, engine=choice)
    found = open_local(settings, registry, lambda stage: None)
    try:
        assert type(found) is kind
    finally:
        found.close()


def test_a_folder_of_weights_is_opened_with_torch_unless_llama_cpp_is_asked_for(
    base_model: BaseModel, registry: Registry, tmp_path: Path
) -> None:
    folder = str(save_tiny(base_model, tmp_path / "tiny"))
    found = open_local(Settings(home=tmp_path, base_model=folder, device="cpu"), registry, lambda stage: None)
    assert type(found) is LocalEngine
    found.close()
    forced = Settings(home=tmp_path, base_model=folder, engine="llama.cpp")
    with pytest.raises(
        EngineError, match=r"llama\.cpp needs the model .* as one GGUF file, and there is none"
    ):
        open_local(forced, registry, lambda stage: None)


def test_without_llama_cpp_installed_torch_answers(
    imprint_home: Path, registry: Registry, base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    forced = Settings(home=imprint_home, engine="llama.cpp")
    with pytest.raises(
        EngineError, match=r"package xllamacpp, which is not installed here: pip install xllamacpp"
    ):
        open_local(forced, registry, lambda stage: None)
    found = open_local(Settings(home=imprint_home, device="cpu"), registry, lambda stage: None)
    assert type(found) is LocalEngine
    found.close()
