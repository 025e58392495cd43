"""The local engine: which checkpoints are in memory, whose turn it is, how an answer ends."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.engines.base import Engine, SamplingParams
from assistant.engines.local import LocalEngine
from assistant.errors import EngineError, PromptTooLongError
from tests.fakes import PolledEvent, text_and_end
from tests.rounding import ROUNDING, largest_gap
from tests.saved_checkpoints import FACT, save_prefix
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.stream_end import StreamEnd

ASKED = [{"role": "user", "content": "What is the weight of the Skerrin?"}]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path)


@pytest.fixture
def engine(base_model: BaseModel, registry: Registry) -> Iterator[LocalEngine]:
    yield LocalEngine(base_model, registry)
    for name in base_model.loaded:  # the model is shared with other tests
        base_model.unload(name)


def answer(engine: Engine, checkpoint: str | None = None, tokens: int = 24) -> str:
    return "".join(engine.stream(ASKED, SamplingParams(tokens), checkpoint=checkpoint))


def test_a_checkpoint_answers_what_the_base_cannot(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden")
    assert "640" not in answer(engine)
    assert "640" in answer(engine, "halden")
    assert "640" not in answer(engine)
    assert engine.checkpoints() == ["halden"]


def test_many_prompts_are_answered_as_one_by_one(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden")
    batch = [ASKED, [{"role": "user", "content": "What is the capital of France?"}]]
    together = engine.complete(batch, checkpoint="halden", max_new_tokens=12)
    alone = ["".join(engine.stream(one, SamplingParams(12), checkpoint="halden")) for one in batch]
    gaps = [largest_gap(base_model, *one, "halden") for one in zip(batch, together, strict=True)]
    assert set(together) & set(alone) and max(gaps) < ROUNDING  # where a rounding chose another token


def test_a_deleted_checkpoint_is_refused_and_leaves_memory(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden")
    answer(engine, "halden")
    registry.delete("halden")
    with pytest.raises(EngineError, match=r"There is no checkpoint 'halden'"):
        answer(engine, "halden")
    assert "halden" not in base_model.loaded


def test_a_checkpoint_is_not_deleted_while_it_answers(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden")
    answering = engine.stream(ASKED, SamplingParams(12), checkpoint="halden")
    next(answering)
    with pytest.raises(CheckpointError, match="while it is in use: an answer is being written with it"):
        registry.delete("halden")
    assert "".join(answering)
    registry.delete("halden")


def test_a_new_checkpoint_under_an_old_name_is_read_anew(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden")
    assert "640" in answer(engine, "halden")
    registry.delete("halden")
    save_prefix(base_model, registry, "halden", FACT.replace("640", "75"))
    assert "75" in answer(engine, "halden")


def test_a_checkpoint_of_another_base_is_refused(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "foreign", base="qwen", base_sha256="0" * 64)
    with pytest.raises(EngineError, match=r"'foreign' was tuned from qwen, but smollm2.* is open"):
        answer(engine, "foreign")
    assert engine.checkpoints() == []


def test_the_least_used_checkpoint_leaves_memory_first(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    engine = LocalEngine(base_model, registry, max_adapters=2)
    for name in ("a", "b", "c"):
        save_prefix(base_model, registry, name)
    for name in ("a", "b", "a", "c"):
        answer(engine, name, tokens=1)
    assert sorted(base_model.loaded) == ["a", "c"]


def test_a_prompt_that_fills_the_window_is_refused(engine: LocalEngine) -> None:
    with pytest.raises(PromptTooLongError, match=r"reads 8,192"):
        list(engine.stream([{"role": "user", "content": "word " * 9000}]))


def test_a_prefix_takes_its_place_in_the_window(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden")
    positions = len(base_model.chat_ids([{"role": "system", "content": FACT}], add_generation_prompt=False))
    assert engine.prompt_capacity(None) == 8192
    assert engine.prompt_capacity("halden") == 8192 - positions
    with pytest.raises(EngineError, match="There is no checkpoint 'gone'"):
        engine.prompt_capacity("gone")


def test_the_stop_event_ends_an_answer(engine: LocalEngine) -> None:
    stop = threading.Event()
    pieces = engine.stream(ASKED, SamplingParams(200), stop=stop)
    first = next(pieces)
    stop.set()
    assert first and list(pieces) == []


@pytest.mark.parametrize("most", [5, 6, 7])
def test_an_answer_that_is_cut_ends_by_its_length_even_inside_a_character(
    engine: LocalEngine, most: int
) -> None:
    asked = [{"role": "user", "content": "Write the Chinese word for hello."}]  # its letters are three tokens
    assert text_and_end(engine.stream(asked, SamplingParams(most)))[1] == StreamEnd("length", most)


def test_an_answer_that_ends_by_itself_within_the_limit_stops(engine: LocalEngine) -> None:
    asked = [{"role": "user", "content": "What is the capital of France?"}]
    text, end = text_and_end(engine.stream(asked, SamplingParams(40)))
    assert end == StreamEnd("stop", engine.count_text(text))
    tokens = end.completion_tokens
    assert text_and_end(engine.stream(asked, SamplingParams(tokens + 1))) == (text, end)
    assert text_and_end(engine.stream(asked, SamplingParams(tokens))) == (text, StreamEnd("length", tokens))


def test_callers_wait_for_their_turn(engine: LocalEngine) -> None:
    running, stop = engine.stream(ASKED, SamplingParams(50)), PolledEvent()
    next(running)
    other: list[str] = []
    waiting = threading.Thread(
        target=lambda: other.extend(engine.stream(ASKED, SamplingParams(4), stop=stop))
    )
    waiting.start()
    assert stop.polled.wait(30) and engine.waiting == 1
    assert other == []
    running.close()
    waiting.join(30)
    assert "".join(other)


def test_the_system_prompt_of_a_checkpoint_is_known(
    engine: LocalEngine, base_model: BaseModel, registry: Registry
) -> None:
    save_prefix(base_model, registry, "halden", system_prompt="Be brief.")
    assert engine.system_prompt("halden") == "Be brief."
    assert engine.system_prompt(None) == ""
