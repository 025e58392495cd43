"""Answers that are written at once on real weights: side by side, each to its own end or its own error."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done, Token
from assistant.compare.variants import Variant
from assistant.engines.base import SamplingParams
from assistant.engines.batched import BatchedEngine
from assistant.engines.local import LocalEngine
from assistant.errors import EngineError
from tests.fakes import text_and_end
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.models.base_model import BaseModel
from tuning.models.batch import Batch

QUESTION = "What is the weight of the Skerrin?"
ASKED = [{"role": "user", "content": QUESTION}]
STORY = [{"role": "user", "content": "Write a long story about a lighthouse."}]


@pytest.fixture
def engine(base_model: BaseModel, tmp_path: Path) -> Iterator[LocalEngine]:
    registry = Registry(tmp_path)
    save_prefix(base_model, registry, "halden")
    yield LocalEngine(base_model, registry)
    for name in base_model.loaded:  # the model is shared with other tests
        base_model.unload(name)


def in_threads(*works: threading.Thread) -> None:
    for work in works:
        work.start()
    for work in works:
        work.join(120)
        assert not work.is_alive()


def test_arms_are_answered_side_by_side_each_by_its_own_memory(engine: LocalEngine) -> None:
    together = BatchedEngine(engine)
    arms = (Variant("base"), Variant("halden", checkpoint="halden"))
    for arm in arms:
        together.prompt_capacity(arm.checkpoint)
    chat, heard, done = Chat(lambda: together), list[str](), dict[str, Done]()

    def ask(arm: Variant) -> None:
        for event in chat.ask(QUESTION, arm.answer_options(AnswerOptions(max_new_tokens=16))):
            if isinstance(event, Token):
                heard.append(arm.name)
            elif isinstance(event, Done):
                done[arm.name] = event

    in_threads(*(threading.Thread(target=ask, args=(arm,)) for arm in arms))
    assert "640" in done["halden"].answer and "640" not in done["base"].answer
    first_of = {name: heard.index(name) for name in done}
    last_of = {name: len(heard) - 1 - heard[::-1].index(name) for name in done}
    assert all(first_of[a] < last_of[b] for a in done for b in done)  # they overlap: neither waited
    assert all(0 < one.seconds_to_first_token <= one.seconds for one in done.values())


def test_one_that_is_stopped_leaves_the_others_alone(engine: LocalEngine) -> None:
    together, stop, said = BatchedEngine(engine), threading.Event(), {"stopped": "", "other": ""}

    def follow(name: str, event: threading.Event | None) -> None:
        for piece in together.stream(STORY, SamplingParams(24), stop=event):
            said[name] += piece
            if event is not None:
                event.set()

    in_threads(*(threading.Thread(target=follow, args=one) for one in (("stopped", stop), ("other", None))))
    assert 0 < len(said["stopped"]) < len(said["other"])


def test_how_an_answer_ended_is_told_as_by_the_engine_itself(engine: LocalEngine) -> None:
    together = BatchedEngine(engine)
    france = [{"role": "user", "content": "What is the capital of France?"}]
    for messages, most in ((france, 40), (france, 7), (france, 8), (STORY, 3)):
        alone = text_and_end(engine.stream(messages, SamplingParams(most)))
        assert text_and_end(together.stream(messages, SamplingParams(most))) == alone


def test_an_answer_that_ends_leaves_the_callers_event_unset(engine: LocalEngine) -> None:
    stop = threading.Event()
    assert "".join(BatchedEngine(engine).stream(ASKED, SamplingParams(3), stop=stop))
    assert not stop.is_set()


def test_an_error_reaches_only_who_asked_for_it(engine: LocalEngine) -> None:
    together, told, said = BatchedEngine(engine), list[str](), list[str]()

    def fail() -> None:
        try:
            list(together.stream(ASKED, checkpoint="gone"))
        except EngineError as error:
            told.append(str(error))

    in_threads(
        threading.Thread(target=fail),
        threading.Thread(target=lambda: said.extend(together.stream(ASKED, SamplingParams(4)))),
    )
    assert "no checkpoint 'gone'" in told[0] and "".join(said).strip()


def test_whoever_leaves_early_frees_the_model(engine: LocalEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    together, steps, step = BatchedEngine(engine), list[int](), Batch.step
    monkeypatch.setattr(Batch, "step", lambda batch: (steps.append(1), step(batch))[1])
    for piece in together.stream(STORY, SamplingParams(200)):
        assert piece
        break
    # The engine itself is held until the batch is empty, long before the 200 tokens of the story.
    assert "".join(engine.stream(ASKED, SamplingParams(2)))
    assert len(steps) < 100
