"""Evaluations on disk: plans that go on, results that stay, what is gone or damaged."""

from pathlib import Path

import pytest

from assistant.chat.turn import AnswerOptions
from assistant.compare.evaluations import Evaluations
from assistant.compare.judge import JudgeChoice
from assistant.compare.questions import Question
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from tests.assistant.compare.samples import VARIANTS, KnowingEngine, numbered, run


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    shot = {"role": "user", "content": "q"}
    defaults = AnswerOptions(knowledge_base="manuals", few_shot=(shot,), max_new_tokens=20)
    questions = (Question("How\u2028heavy?", ("640 克",), {"slice": "training"}), Question("Why?", ()))
    variants = (*VARIANTS, Variant("Terse", system_prompt="Be short.", examples=(("q", "a"),)))
    judge = JudgeChoice("large", url="http://127.0.0.1:1/v1")
    plan = Evaluations(tmp_path).create("夜莺", variants, questions, defaults, judge)
    assert Evaluations(tmp_path).get(plan.id) == plan
    assert plan.total == 6 and not plan.is_complete


def test_progress_and_result_are_kept(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    plan = store.create("halden", VARIANTS, numbered(3, document="d.md"), AnswerOptions())
    store.record_progress(plan.id, 2)
    assert Evaluations(tmp_path).get(plan.id).done == 2
    result = run(KnowingEngine(), plan)
    store.finish(plan.id, result)
    assert Evaluations(tmp_path).get(plan.id).is_complete
    assert Evaluations(tmp_path).result(plan.id) == result


def test_an_evaluation_that_is_gone_or_damaged_is_one_sentence(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    plan = store.create("x", VARIANTS, numbered(1), AnswerOptions())
    with pytest.raises(CompareError, match=r"no result\.json"):
        store.result(plan.id)
    (store.folder / plan.id / "result.json").write_text('{"arms": {}}')
    with pytest.raises(CompareError, match="is damaged"):
        store.result(plan.id)
    (store.folder / plan.id / "plan.json").write_text('{"name": "x"}')
    with pytest.raises(CompareError, match="is damaged"):
        store.get(plan.id)
    assert store.list() == []
    with pytest.raises(CompareError, match=r"no plan\.json"):
        store.get("never")


def test_an_evaluation_of_nothing_is_refused(tmp_path: Path) -> None:
    for variants, questions in (((), numbered(1)), (VARIANTS, ())):
        with pytest.raises(CompareError, match="at least one variant and one question"):
            Evaluations(tmp_path).create("x", variants, questions, AnswerOptions())


def test_evaluations_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    ids = {store.create("夜莺 / x", VARIANTS, numbered(1), AnswerOptions()).id for _ in range(3)}
    assert len(ids) == 3 and {plan.id for plan in store.list()} == ids


def test_a_deleted_evaluation_leaves_its_answers(tmp_path: Path) -> None:
    store = Evaluations(tmp_path)
    plan = store.create("x", VARIANTS, numbered(2), AnswerOptions())
    run(KnowingEngine(), plan, cache=store.answer_cache())
    store.delete(plan.id)
    assert store.list() == []
    engine = KnowingEngine()
    run(engine, plan, cache=store.answer_cache())
    assert engine.prompts == []
