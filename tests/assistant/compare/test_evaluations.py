"""Evaluations on disk: saved arms, plans that go on, costs, ten thousand questions, what is gone."""

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions
from assistant.compare.costs import Cost, break_even, measure, to_dict
from assistant.compare.evaluate import evaluate
from assistant.compare.evaluations import EvaluationPlan, Evaluations
from assistant.compare.questions import Question, spread
from assistant.compare.runner import compare
from assistant.compare.running import EvaluationTask
from assistant.compare.saved_variants import SavedVariants
from assistant.compare.stats import pairs_needed
from assistant.compare.variants import Variant, missing, parse_variants, presets, require
from assistant.engines.base import Message
from assistant.errors import CompareError
from assistant.reports.chart import draw
from assistant.reports.evaluation_html import break_even_sentence, render, to_csv, write_data
from assistant.reports.html_page import MAX_ROWS
from assistant.reports.verdict_text import caution, verdict, verdicts
from tests.fakes import ScriptedEngine

ARMS = (Variant("base"), Variant("halden", checkpoint="halden"))


class Knowing(ScriptedEngine):
    """Knows everything through the checkpoint and nothing without; may go away after some answers."""

    def __init__(self, goes_after: int = 10**9) -> None:
        super().__init__(self._say)
        self.left = goes_after

    def _say(self, messages: list[Message]) -> str:
        if self.left == 0:
            raise RuntimeError("the machine went down")
        self.left -= 1
        return "yes" if self.checkpoints_asked[-1] else "no"


class Stored:
    """A checkpoint as far as it matters here."""

    def __init__(self, name: str, method: str = "lora", **metrics: Any) -> None:
        self.name, self.method, self.metrics = name, method, metrics


def asked(count: int, **about: Any) -> tuple[Question, ...]:
    return tuple(Question(f"question {n}", ("yes",), dict(about)) for n in range(count))


def run(engine: ScriptedEngine, plan: EvaluationPlan, store: Evaluations, **options: Any) -> dict[str, Any]:
    return evaluate(Chat(lambda: engine), engine, plan, cache=store.cache(), costs=False, **options)


# ---- arms


def test_an_arm_keeps_every_choice(tmp_path: Path) -> None:
    arm = Variant(
        "Terse",
        documents=True,
        checkpoint="halden",
        knowledge_base="manuals",
        passages=2,
        system_prompt="Be short.",
        examples=(("q", "a"),),
        temperature=0.7,
        top_p=0.9,
        max_new_tokens=20,
        seed=3,
    )
    shelf = SavedVariants(tmp_path)
    shelf.save(arm)
    (kept,) = SavedVariants(tmp_path).list()
    assert kept == arm
    how = kept.how(AnswerOptions(knowledge_base="other", passages=4))
    assert (how.memory, how.checkpoint, how.knowledge_base, how.passages) == ("both", "halden", "manuals", 2)
    assert (how.system_prompt, how.temperature, how.top_p, how.seed) == ("Be short.", 0.7, 0.9, 3)
    assert [message["content"] for message in how.few_shot] == ["q", "a"]
    assert parse_variants("base,Terse", ["halden"], shelf.list())[1] == arm
    shelf.delete("Terse")
    assert shelf.list() == []


def test_an_arm_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    shelf = SavedVariants(tmp_path)
    shelf.save(Variant("Terse"))
    shelf.save(Variant("Terse", documents=True))
    assert [arm.documents for arm in shelf.list()] == [True]


@pytest.mark.parametrize("name", ["", "  ", "base", "rag", "a,b", "a+rag", "halden"])
def test_a_name_that_means_another_arm_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CompareError, match="cannot be named"):
        SavedVariants(tmp_path).save(Variant(name), taken=["halden"])


@pytest.mark.parametrize("text", ["no json", "{}", '[{"wings": 2}]', "[1]"])
def test_a_damaged_shelf_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "arms.json").write_text(text)
    with pytest.raises(CompareError, match=r"arms\.json|no arm"):
        SavedVariants(tmp_path).list()


def test_presets_cover_each_memory_and_the_newest_of_both_methods() -> None:
    stored = [Stored("old"), Stored("new"), Stored("prefix", "p-tuning-v2")]
    names = [arm.name for arm in presets(stored)]
    assert names[:5] == ["base", "rag", "base+given", "new", "prefix"]
    assert {"old", "new+rag", "prefix+rag"} <= set(names)
    assert {arm.kind for arm in presets(stored)} == {"base", "documents", "given", "checkpoint", "both"}


def test_a_deleted_checkpoint_or_knowledge_base_is_named_before_anything_is_asked() -> None:
    halden, manuals = (
        Variant("halden", checkpoint="halden"),
        Variant("m", documents=True, knowledge_base="manuals"),
    )
    assert "The checkpoint 'halden'" in missing(halden, [], ["default"], "default")
    assert "The knowledge base 'manuals'" in missing(manuals, [], ["default"], "default")
    assert not missing(manuals, [], ["manuals"], "default")
    assert "'rag' has nothing to read" in missing(Variant("rag", documents=True), [], [], "default")
    with pytest.raises(CompareError, match=r"is gone, or is of another model\. Take the arm out"):
        require([Variant("base"), halden], [], [], "default")


def test_a_passage_given_by_hand_stands_in_the_prompt() -> None:
    engine = ScriptedEngine()
    question = Question("How heavy?", ("640 grams",), {"passage": "The Skerrin weighs 640 grams."})
    result = compare(
        Chat(lambda: engine),
        engine,
        [question],
        [Variant("base"), Variant("base+given", given=True)],
        AnswerOptions(),
    )
    bare, given = (prompt[-1]["content"] for prompt in engine.prompts)
    assert "640" not in bare and "weighs 640 grams" in given
    assert result.answers["base+given"][0].sources[0]["title"] == "given by hand"
    assert parse_variants("base+given", [])[0].given


def test_a_sampled_arm_says_the_same_again_and_another_seed_is_asked_anew(tmp_path: Path) -> None:
    store, engine = Evaluations(tmp_path), ScriptedEngine()
    arms = [Variant("a", temperature=1.0, seed=1), Variant("b", temperature=1.0, seed=2)]
    for expected in (2, 2):
        compare(Chat(lambda: engine), engine, asked(1), arms, AnswerOptions(), cache=store.cache())
        assert len(engine.prompts) == expected


# ---- plans


@pytest.mark.parametrize("after", range(6))
def test_a_run_that_broke_off_at_any_answer_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr("assistant.compare.runner._AT_ONCE", 1)
    store = Evaluations(tmp_path)
    plan = store.create("halden", ARMS, asked(3), AnswerOptions())
    with pytest.raises(RuntimeError, match="went down"):
        run(Knowing(goes_after=after), plan, store)
    again = Evaluations(tmp_path).get(plan.id)
    assert not again.is_complete and again.questions == plan.questions and again.arms == plan.arms
    engine = Knowing()
    result = run(engine, again, Evaluations(tmp_path))
    assert len(engine.prompts) == 6 - after
    store.finish(plan.id, result)
    assert Evaluations(tmp_path).get(plan.id).is_complete
    assert store.result(plan.id)["arms"]["halden"]["accuracy"] == 1.0


def test_a_result_outlives_its_arms(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    plan = store.create("halden", ARMS, asked(3, document="d.md"), AnswerOptions())
    store.finish(plan.id, run(Knowing(), plan, store))
    result = store.result(plan.id)  # no checkpoint "halden" was ever there
    assert render(result, draw(result["arms"], result["slices"], "x"), "x").count("✓") == 3
    assert to_csv(result["rows"]).count("\n") == 1 + 6


def test_an_evaluation_that_is_gone_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    plan = store.create("x", ARMS, asked(1), AnswerOptions())
    with pytest.raises(CompareError, match=r"no result\.json"):
        store.result(plan.id)
    (store.folder / plan.id / "plan.json").write_text('{"name": "x"}')
    with pytest.raises(CompareError, match="is damaged"):
        store.get(plan.id)
    assert store.list() == []
    with pytest.raises(CompareError, match=r"no plan\.json"):
        store.get("never")


def test_an_evaluation_of_nothing_is_refused(tmp_path: Path) -> None:
    for arms, questions in (((), asked(1)), (ARMS, ())):
        with pytest.raises(CompareError, match="at least one arm and one question"):
            Evaluations(tmp_path).create("x", arms, questions, AnswerOptions())


def test_two_evaluations_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    ids = {store.create("夜莺 / x", ARMS, asked(1), AnswerOptions()).id for _ in range(3)}
    assert len(ids) == 3 and len(store.list()) == 3


def test_the_time_left_ignores_what_was_known_before() -> None:
    plan = EvaluationPlan("x", "x", ARMS, asked(50), AnswerOptions())
    work = EvaluationTask(plan, plan.total, done=60, known=40, began=time.monotonic() - 20)
    assert work.seconds_left == pytest.approx(40, rel=0.05)  # a second an answer, and forty are left
    assert EvaluationTask(plan, plan.total, done=40, known=40).seconds_left is None


def test_ten_thousand_questions_are_counted_and_reported(tmp_path: Path) -> None:
    questions = tuple(
        Question(f"question {n}", ("yes",), {"document": f"d{n % 200}", "slice": f"s{n % 3}"})
        for n in range(10_000)
    )
    store, engine = Evaluations(tmp_path), Knowing()
    began = time.monotonic()
    plan = store.create("many", ARMS, questions, AnswerOptions())
    result = run(engine, plan, store)
    text = render(result, draw(result["arms"], result["slices"], "x"), "x")
    files = write_data(result, tmp_path / "report")
    assert time.monotonic() - began < 120
    assert result["pairs"][0]["clusters"] == 200 and result["pairs"][0]["n"] == 10_000
    assert text.count("<tr>") < 2 * MAX_ROWS and "9,000 more are in the CSV" in text
    assert files["csv"].read_text().count("\n") == 20_001
    assert len(json.loads(files["json"].read_text())["rows"]) == 10_000


# ---- what it says


def test_a_verdict_needs_the_test_by_cluster() -> None:
    pair = {
        "arms": ["base", "rag"],
        "difference": -0.3,
        "confidence_interval": [-0.4, -0.2],
        "p_value_holm": 0.001,
        "p_value_clustered_holm": 0.001,
        "only_first": 4,
        "only_second": 28,
        "n": 80,
    }
    assert verdict(pair).startswith("rag is right more often than base: by 30 points (95% interval 20 to 40")
    unsure = {**pair, "p_value_clustered_holm": 0.2}
    assert f"10 points would take about {pairs_needed(0.1, 0.4)} independent" in verdict(unsure)
    assert f"5 points would take about {pairs_needed(0.05, 0.4):,} independent" in verdict(unsure, 0.05)
    same = {**unsure, "difference": 0.0, "only_first": 0, "only_second": 0}
    assert "the same 80 questions" in verdict(same)


def test_pairs_between_which_nothing_is_shown_share_a_sentence() -> None:
    unsure = {
        "arms": ["base", "rag"],
        "difference": -0.1,
        "confidence_interval": [-0.3, 0.1],
        "p_value_clustered_holm": 0.4,
        "only_first": 4,
        "only_second": 12,
        "n": 80,
    }
    other = {**unsure, "arms": ["rag", "halden"], "only_first": 20}
    shown = {**unsure, "arms": ["base", "halden"], "p_value_clustered_holm": 0.01}
    first, last = verdicts([unsure, shown, other])
    assert first == verdict(shown)
    assert "between base and rag; rag and halden." in last
    assert f"about {pairs_needed(0.1, 0.2)} to {pairs_needed(0.1, 0.4)} independent questions; 80" in last
    assert verdicts([unsure, shown]) == [verdict(unsure), verdict(shown)]


def test_few_clusters_are_a_caution() -> None:
    assert "only 6 documents" in caution({"pairs": [{"clusters": 6}], "clustered_by": "document"})
    assert caution({"pairs": [{"clusters": 60}], "clustered_by": "document"}) == ""


def test_a_cell_of_the_table_is_no_formula() -> None:
    row = {"question": "q", "expected": [], "answers": {"a": "=1+1"}, "correct": {"a": False}}
    assert "'=1+1" in to_csv([row])


# ---- costs


def costs_of(*values: tuple[str, float, float]) -> list[Cost]:
    return [Cost(name, tokens, 5, seconds, 0.1, 6) for name, tokens, seconds in values]


def test_training_is_paid_back_after_so_many_questions() -> None:
    arms = [Variant("rag", documents=True), Variant("halden", checkpoint="halden")]
    costs = costs_of(("rag", 300, 2.0), ("halden", 40, 0.5))
    (even,) = break_even(costs, arms, [Stored("halden", seconds=300.0)])
    assert (even.questions, even.tokens_saved, even.seconds_saved) == (200, 260, 1.5)
    (said,) = to_dict(costs, [even])["break_even"]
    assert "300 s of training pay off after 200 questions" in break_even_sentence(said)
    assert "1.50 s less than with documents: 260 fewer tokens to read" in break_even_sentence(said)


def test_training_that_saves_no_time_is_never_paid_back() -> None:
    arms = [Variant("rag", documents=True), Variant("halden", checkpoint="halden")]
    costs = costs_of(("rag", 300, 0.3), ("halden", 40, 0.5))
    (even,) = break_even(costs, arms, [Stored("halden", seconds=300.0)])
    assert even.questions is None
    (said,) = to_dict(costs, [even])["break_even"]
    assert "never pay off in time: an answer takes 0.20 s more" in break_even_sentence(said)


@pytest.mark.parametrize("stored", [[], [Stored("halden")], [Stored("other", seconds=3.0)]])
def test_without_the_seconds_of_training_nothing_is_said(stored: Sequence[Stored]) -> None:
    arms = [Variant("rag", documents=True), Variant("halden", checkpoint="halden")]
    assert break_even(costs_of(("rag", 300, 2.0), ("halden", 40, 0.5)), arms, stored) == []


def test_a_stopped_timing_leaves_the_evaluation_open() -> None:
    stop, engine = threading.Event(), Knowing(goes_after=3)
    stop.set()
    with pytest.raises(CompareError, match="timing of single answers was stopped"):
        measure(Chat(lambda: engine), asked(20), ARMS, AnswerOptions(), stop=stop)
    assert engine.prompts == []


def test_some_of_a_set_are_taken_from_all_of_it() -> None:
    kinds = [*asked(30, slice="a"), *asked(10, slice="b")]
    assert [one.slice for one in spread(kinds, 8)].count("b") == 2
    assert spread(kinds, 40) == spread(kinds, 50) == kinds


def test_each_question_is_timed_alone_and_the_first_only_warms_up() -> None:
    engine = Knowing()
    costs = measure(Chat(lambda: engine), asked(20), ARMS, AnswerOptions(), asked=4)
    assert [(one.arm, one.n) for one in costs] == [("base", 4), ("halden", 4)]
    assert len(engine.prompts) == 2 * 5


def test_an_arm_that_is_given_passages_wants_a_set_with_some(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    plan = store.create("x", [Variant("base+given", given=True)], asked(2), AnswerOptions())
    with pytest.raises(CompareError, match="no question of this set has one"):
        run(Knowing(), plan, store)
