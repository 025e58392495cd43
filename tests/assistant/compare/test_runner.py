"""A plan through its variants: answers, what is cached, where an interrupted one goes on, what is refused."""

import threading
from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.retrieval import Found
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.evaluations import Evaluations
from assistant.compare.questions import Question
from assistant.compare.runner import _batch_size, evaluate
from assistant.compare.variants import Variant
from assistant.engines.base import Engine
from assistant.engines.forwarding import ForwardingEngine
from assistant.engines.llama_engine import LlamaEngine
from assistant.errors import CompareError
from assistant.history.sources import Source
from tests.assistant.compare.samples import VARIANTS, FakeCheckpoint, KnowingEngine, numbered, plan_of, run
from tests.fakes import FakeLessons, ScriptedEngine
from tuning.data.examples import Example


@pytest.fixture
def cache_path(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def test_every_variant_answers_every_question() -> None:
    result = run(KnowingEngine())
    assert [row.answers["base"].text for row in result.rows] == ["2 kg", "2 kg", "William Shakespeare."]
    assert [row.answers["halden"].correct for row in result.rows] == [True, True, True]
    assert (result.name, list(result.definitions.values())) == ("sample", list(VARIANTS))


@pytest.mark.parametrize("after", range(6))
def test_a_run_that_broke_off_at_any_answer_goes_on_there(
    cache_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("assistant.compare.runner._BATCH_SIZE", 1)
    with pytest.raises(RuntimeError, match="went down"):
        run(KnowingEngine(breaks_after=after), cache=AnswerCache(cache_path))
    engine = KnowingEngine()
    resumed = run(engine, cache=AnswerCache(cache_path))
    assert len(engine.prompts) == 6 - after
    assert resumed.rows == run(KnowingEngine()).rows


def test_another_checkpoint_or_prompt_is_asked_anew(cache_path: Path) -> None:
    run(KnowingEngine(), cache=AnswerCache(cache_path))
    for other in (Variant("other", checkpoint="other"), Variant("prompted", system_prompt="Be short.")):
        engine = KnowingEngine()
        run(engine, plan_of(variants=[other]), cache=AnswerCache(cache_path))
        assert len(engine.prompts) == 3


def test_a_sampled_variant_is_cached_by_its_seed(cache_path: Path) -> None:
    engine = ScriptedEngine()
    variants = [Variant("a", temperature=1.0, seed=1), Variant("b", temperature=1.0, seed=2)]
    for _ in range(2):
        run(engine, plan_of(numbered(1), variants), cache=AnswerCache(cache_path))
        assert len(engine.prompts) == 2


def test_an_engine_without_identity_is_always_asked(
    cache_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = KnowingEngine()
    monkeypatch.setattr(engine, "identity", lambda checkpoint: None)
    for _ in range(2):
        run(engine, cache=AnswerCache(cache_path))
    assert len(engine.prompts) == 12


def test_progress_counts_every_variant() -> None:
    heard: list[tuple[str, int, int, str]] = []

    def on_progress(phase: str, done: int, total: int, variant: str = "") -> None:
        heard.append((phase, done, total, variant))

    run(KnowingEngine(), costs=True, on_progress=on_progress)
    assert heard == [("answering", 3, 6, "base"), ("answering", 6, 6, "halden"), ("measuring", 0, 2, "")]


def test_costs_are_measured_and_set_against_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.chat.retrieval.Retrieval.find", lambda *_: Found())
    variants = [Variant("rag", documents=True), Variant("halden", checkpoint="halden")]
    plan = plan_of(numbered(2), variants)
    result = run(KnowingEngine(), plan, costs=True, checkpoints=[FakeCheckpoint("halden", seconds=300.0)])
    assert [cost.variant for cost in result.costs] == ["rag", "halden"]
    assert [even.training_seconds for even in result.break_even] == [300.0]


def test_a_lesson_stands_in_for_weights_that_say_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = Example(
        ({"role": "user", "content": "Who?"}, {"role": "assistant", "content": "William Shakespeare"})
    )
    monkeypatch.setattr("assistant.chat.retrieval.Retrieval.find", lambda *_: Found(held=lesson))
    result = run(
        KnowingEngine(), plan_of(variants=[Variant("halden+notes", checkpoint="halden", notes=True)])
    )
    answers = [row.answers["halden+notes"] for row in result.rows]
    assert {answer.text.rstrip(".") for answer in answers} == {"William Shakespeare"}
    assert [len(answer.sources) for answer in answers] == [1, 1, 0]


def test_the_base_reads_for_a_checkpoint_of_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the chat; the checkpoint answers where the base finds nothing."""
    found = Found((Source(1, "It weighs 2 kg."),))
    monkeypatch.setattr("assistant.chat.retrieval.Retrieval.find", lambda *_: found)
    engine = ScriptedEngine()
    engine.say(
        lambda messages: (
            "I cannot find that in the documents."
            if "Hamlet" in messages[-1]["content"] and not engine.checkpoints_asked[-1]
            else f"as {engine.checkpoints_asked[-1]}"
        )
    )
    variant = Variant("both+notes", documents=True, checkpoint="halden", notes=True)
    chat = Chat(lambda: engine, lessons=lambda: FakeLessons(taught=True))
    result = evaluate(plan_of(variants=[variant]), chat, engine, costs=False)
    assert [row.answers["both+notes"].text for row in result.rows] == ["as None", "as None", "as halden"]


def test_a_stopped_evaluation_says_so() -> None:
    stop, engine = threading.Event(), KnowingEngine()
    stop.set()
    with pytest.raises(CompareError, match="stopped before"):
        run(engine, stop=stop)
    assert engine.prompts == []


def test_a_passage_given_by_hand_stands_in_the_prompt() -> None:
    engine = ScriptedEngine()
    question = Question("How heavy?", ("640 grams",), {"passage": "The Skerrin weighs 640 grams."})
    result = run(engine, plan_of([question], [Variant("base"), Variant("base+given", given=True)]))
    bare, given = (prompt[-1]["content"] for prompt in engine.prompts)
    assert "640" not in bare and "weighs 640 grams" in given
    assert result.rows[0].answers["base+given"].sources == ("given by hand",)


def test_a_variant_that_is_given_passages_needs_a_set_with_some() -> None:
    with pytest.raises(CompareError, match="no question of this set has one"):
        run(KnowingEngine(), plan_of(numbered(2), [Variant("base+given", given=True)]))


def test_ten_thousand_questions_are_counted(tmp_path: Path) -> None:
    questions = [
        Question(f"question {n}", ("yes",), {"document": f"d{n % 200}", "slice": f"s{n % 3}"})
        for n in range(10_000)
    ]
    result = run(KnowingEngine(), plan_of(questions), cache=Evaluations(tmp_path).answer_cache())
    assert result.pairs[0].test.clusters == 200 and result.pairs[0].test.n == 10_000
    assert len(result.rows) == 10_000 and len(result.slices) == 3


def test_progress_is_told_after_two_answers_of_llama_cpp() -> None:
    llama = object.__new__(LlamaEngine)

    class Chosen(ForwardingEngine):
        def engine_for(self, checkpoint: str | None) -> tuple[Engine, str | None]:
            return llama, checkpoint

    assert _batch_size(Chosen(ScriptedEngine()), None) == 2
    assert _batch_size(ScriptedEngine(), None) == 16
