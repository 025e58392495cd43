"""The Compare page by Streamlit's own test driver over a scripted engine: each view, its bad input, two
voters.
"""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from assistant.arena.trials import BlindTrials
from assistant.chat.turn import AnswerOptions
from assistant.compare.evaluations import Evaluations
from assistant.compare.question_sets import QuestionSets
from assistant.compare.questions import Question
from assistant.compare.results import AnswerResult, EvaluationResult, QuestionResult, VariantFigures
from assistant.compare.saved_variants import SavedVariants
from assistant.compare.stats import Interval
from assistant.compare.variants import Variant
from assistant.engines.local import LocalEngine  # imported before the clock runs: torch takes seconds
from assistant.history.preferences import PreferenceStore
from assistant.i18n.texts import t
from assistant.pages.compare_evaluation_result import worded
from assistant.workspace import Workspace
from tests.assistant.pages.driver import TIMEOUT_SECONDS, errors, press, until, words
from tests.fakes import ScriptedEngine
from tuning.data.examples import Message

pytestmark = pytest.mark.slow

SCRIPT = """
from assistant.components import theme
from assistant.pages import compare
from assistant.session import notices
theme.apply_theme()
notices.apply_language()
notices.show_toasts()
with notices.show_errors():
    compare.draw()
"""
TERSE = Variant("Terse", system_prompt="Be short.")
QUESTIONS = [Question(f"question {n}", ("short",)) for n in range(3)]


assert LocalEngine


class Styled(ScriptedEngine):
    """Answers shortly when it is told to be short."""

    window = 4000

    def __init__(self) -> None:
        super().__init__(self._say)

    @staticmethod
    def _say(messages: list[Message]) -> str:
        return "short" if "Be short." in messages[0]["content"] else "a long story"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An Imprint home whose model is the scripted one, with an arm and a set of questions."""
    engine = Styled()
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: engine)
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: opened.engine())
    monkeypatch.setattr("assistant.session.resources.import_models", lambda: None)
    SavedVariants(tmp_path).save(TERSE)
    QuestionSets(tmp_path).save("three", QUESTIONS)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def page(**address: str) -> AppTest:
    """A tab on the Compare page."""
    test = AppTest.from_string(SCRIPT, default_timeout=TIMEOUT_SECONDS)
    for name, value in address.items():
        test.query_params[name] = value
    return test.run()


def choose(test: AppTest, key: str, *names: str) -> AppTest:
    """Pick arms."""
    (pills,) = [group for group in test.button_group if group.key == f"arm-choice-{key}"]
    return pills.set_value(list(names)).run()


def trials(home: Path) -> BlindTrials:
    return BlindTrials(home / "conversations.sqlite3")


# ---- one question


def test_answers_stand_side_by_side_with_what_each_alone_says(home: Path) -> None:
    test = choose(page(), "one", "base", "Terse")
    test.text_input(key="compare-question").set_value("How heavy?")
    press(test, "compare.ask")
    until(test, lambda shown: 'mark class="own"' in words(shown))
    assert not errors(test)
    assert "tokens read" in words(test) and "first token after" in words(test)
    test.button(key="best-1").click().run()
    (kept,) = PreferenceStore(home / "conversations.sqlite3").list()
    assert (kept.chosen, kept.rejected) == ("short", "a long story")
    assert (kept.chosen_arm, kept.rejected_arm) == ("Terse", "base")


def test_an_empty_question_is_refused(home: Path) -> None:
    test = choose(page(), "one", "base", "Terse")
    press(test, "compare.ask")
    assert "The question is empty" in errors(test)


def test_an_arm_that_is_given_a_passage_wants_one(home: Path) -> None:
    test = choose(page(), "one", "base", "base+given")
    test.text_input(key="compare-question").set_value("How heavy?")
    press(test, "compare.ask")
    assert "Paste the passage" in errors(test)


def test_an_arm_whose_checkpoint_is_gone_is_told_and_left_out(home: Path) -> None:
    SavedVariants(home).save(Variant("Gone", checkpoint="deleted"))
    test = choose(page(), "one", "base", "Gone")
    assert not errors(test)
    assert "'deleted'" in " ".join(warning.value for warning in test.warning)


def test_an_arm_is_made_on_the_page(home: Path) -> None:
    test = page()
    test.text_input(key="arm-name-one").set_value("Warm")
    test.number_input(key="arm-temperature-one").set_value(0.8)
    press(test, "arm.save")
    assert not errors(test)
    assert SavedVariants(home).list()[1] == Variant("Warm", temperature=0.8)
    test.text_input(key="arm-name-one").set_value("base")
    press(test, "arm.save")
    assert "cannot be named" in errors(test)


# ---- a blind trial


def choice(test: AppTest, outcome: str) -> Button:
    """The button of an outcome, for the question that stands there."""
    return next(one for one in test.button if (one.key or "").startswith(f"vote-{outcome}-"))


def start_trial(home: Path) -> AppTest:
    test = choose(page(view="blind"), "blind", "base", "Terse")
    test.selectbox(key="set-blind").set_value("own:three").run()
    test.button(key="start-blind").click().run()
    return until(test, lambda shown: not choice(shown, "first").disabled)


def test_a_blind_trial_hides_the_names_until_its_end(home: Path) -> None:
    test = start_trial(home)
    store = trials(home)
    (trial,) = store.list()
    for _ in range(3):
        until(test, lambda shown: not choice(shown, "first").disabled)
        said = words(test)
        assert "Terse" not in said and t("memory.alone") not in said and "short" in said
        ballot = store.open_ballots(trial.id)[0]
        choice(test, "first" if ballot.first_arm == "Terse" else "second").click().run()
    assert t("blind.done") in [info.value for info in test.info]
    test.button(key="end-blind").click().run()
    assert not errors(test)
    assert "3 questions, voters: 1" in words(test) and "Terse" in words(test)
    assert len(PreferenceStore(home / "conversations.sqlite3").list()) == 3


def test_two_people_vote_in_two_tabs(home: Path) -> None:
    first = start_trial(home)
    (trial,) = trials(home).list()
    second = page(view="blind", trial=trial.id)
    for test in (first, second):
        until(test, lambda shown: not choice(shown, "tie").disabled)
        choice(test, "tie").click().run()
    ballots = trials(home).ballots(trial.id)
    assert len({ballot.voter for ballot in ballots}) == len(ballots) == 2
    assert {ballot.first_arm for ballot in ballots} == {"base", "Terse"}  # one saw them the other way round


def test_a_vote_is_taken_back(home: Path) -> None:
    test = start_trial(home)
    choice(test, "bad").click().run()
    (trial,) = trials(home).list()
    assert len(trials(home).ballots(trial.id)) == 1
    test.button(key="undo-vote").click().run()
    assert trials(home).ballots(trial.id) == []


def test_a_name_goes_on_where_it_was_after_a_reload(home: Path) -> None:
    test = start_trial(home)
    test.text_input(key="voter-name").set_value("Ann").run()
    until(test, lambda shown: not choice(shown, "tie").disabled)
    choice(test, "tie").click().run()
    (trial,) = trials(home).list()
    again = page(view="blind", trial=trial.id)
    again.text_input(key="voter-name").set_value("Ann").run()
    assert {ballot.voter for ballot in trials(home).ballots(trial.id)} == {"Ann"}
    progress = t("blind.progress", number=2, total=3)
    assert [str(element.proto.text) for element in again.get("progress")] == [progress]


def test_a_trial_of_ones_own_questions(home: Path) -> None:
    test = choose(page(view="blind"), "blind", "base", "Terse")
    test.toggle(key="blind-own-only").set_value(True).run()
    test.button(key="start-blind").click().run()
    test.text_input(key="own-question").set_value("Why is it so?")
    press(test, "blind.ask.send")
    until(test, lambda shown: any((button.key or "").startswith("vote-first") for button in shown.button))
    until(test, lambda shown: not choice(shown, "first").disabled)
    assert "Why is it so?" in words(test) and not errors(test)


def test_a_trial_in_the_address_that_is_gone_is_named(home: Path) -> None:
    assert "no blind trial 'gone'" in errors(page(view="blind", trial="gone"))


def test_a_trial_whose_checkpoint_was_deleted_says_so_and_waits(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = trials(home).create("x", [TERSE, Variant("Gone", checkpoint="deleted")], QUESTIONS)

    def gone(self: ScriptedEngine, checkpoint: str | None) -> int:
        if checkpoint:
            from assistant.errors import EngineError

            raise EngineError(f"There is no checkpoint {checkpoint!r}.")
        return 4000

    monkeypatch.setattr(Styled, "prompt_capacity", gone)
    test = page(view="blind", trial=trial.id)
    until(test, lambda shown: "no checkpoint 'deleted'" in errors(shown))
    assert choice(test, "first").disabled


# ---- an evaluation


def test_an_evaluation_runs_ends_in_its_result_and_can_be_taken_away(home: Path) -> None:
    test = choose(page(view="evaluation"), "evaluation", "base", "Terse")
    test.selectbox(key="set-evaluation").set_value("own:three").run()
    test.button(key="run-evaluation").click().run()
    until(test, lambda shown: "facts figures" in words(shown))
    assert not errors(test)
    assert t("evaluation.costs.title") in words(test)
    assert f">{t('compare.base')}</td>" in words(test) and ">base</td>" not in words(test)
    (plan,) = Evaluations(home).list()
    assert plan.is_complete and plan.name == "three"
    result = Evaluations(home).result(plan.id)
    assert [result.variants[name].accuracy for name in ("base", "Terse")] == [0.0, 1.0]
    assert len(test.get("download_button")) == 3
    test.button(key="all-evaluations").click().run()
    assert "three" in words(test)


def test_an_interrupted_evaluation_goes_on(home: Path) -> None:
    store = Evaluations(home)
    plan = store.create("broken off", [Variant("base"), TERSE], QUESTIONS, AnswerOptions())
    store.record_progress(plan.id, 2)
    test = page(view="evaluation")
    assert t("evaluation.interrupted", done=2, total=6) in words(test)
    test.button(key=f"go-on-{plan.id}").click().run()
    until(test, lambda shown: "facts figures" in words(shown))
    assert store.get(plan.id).is_complete


def test_a_stopped_evaluation_is_no_failure_and_goes_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.compare.runner._BATCH_SIZE", 1)
    stopped, asked = threading.Event(), Styled.complete

    def wait_for_the_stop(self: Styled, *prompts: Any, **options: Any) -> list[str]:
        assert len(self.prompts) < 1 or stopped.wait(TIMEOUT_SECONDS)
        return asked(self, *prompts, **options)

    monkeypatch.setattr(Styled, "complete", wait_for_the_stop)
    test = choose(page(view="evaluation"), "evaluation", "base", "Terse")
    test.selectbox(key="set-evaluation").set_value("own:three").run()
    test.button(key="run-evaluation").click().run()
    until(test, lambda shown: any(button.key == "stop-evaluation" for button in shown.button))
    test.button(key="stop-evaluation").click().run()
    stopped.set()
    until(test, lambda shown: "Stopped: " in words(shown))
    assert "of 6 answers of “three” are saved" in words(test) and not errors(test)
    test.button(key="go-on-stopped").click().run()
    until(test, lambda shown: "facts figures" in words(shown))
    (plan,) = Evaluations(home).list()
    assert plan.is_complete and not errors(test)


def test_an_evaluation_whose_checkpoint_is_gone_does_not_begin(home: Path) -> None:
    store = Evaluations(home)
    plan = store.create("old", [Variant("Gone", checkpoint="deleted")], QUESTIONS, AnswerOptions())
    test = page(view="evaluation")
    test.button(key=f"go-on-{plan.id}").click().run()
    assert "'deleted' of variant 'Gone' is gone" in errors(test)


def test_the_small_default_is_no_judge(home: Path) -> None:
    test = choose(page(view="evaluation"), "evaluation", "base", "Terse")
    test.selectbox(key="set-evaluation").set_value("own:three").run()
    test.toggle(key="with-judge").set_value(True).run()
    test.text_input(key="judge-model").set_value("smollm2-135m-instruct")
    test.text_input(key="judge-url").set_value("http://127.0.0.1:1/v1").run()
    test.button(key="run-evaluation").click().run()
    assert "too small to judge" in errors(test)
    assert Evaluations(home).list() == []


def test_arms_that_would_be_called_alike_keep_their_names() -> None:
    own = Variant("Model alone", temperature=0.5)
    definitions = {variant.name: variant for variant in (Variant("base"), own)}
    result = EvaluationResult("x", {}, (), (), definitions, "question")
    assert worded(result) == result


def test_a_result_of_many_questions_is_shown_by_the_page(home: Path) -> None:
    store = Evaluations(home)
    plan = store.create("many", [Variant("base"), TERSE], QUESTIONS, AnswerOptions())
    figures = VariantFigures(0.5, 0.5, 0.5, Interval(0.4, 0.6), 30, 1.0, 5000, 10_000, refused_known=0.0)
    answers = {"base": AnswerResult("no", False), "Terse": AnswerResult("yes", True)}
    result = EvaluationResult(
        name="many",
        variants=dict.fromkeys(answers, figures),
        pairs=(),
        rows=tuple(QuestionResult(Question(f"question {n}", ("yes",)), answers) for n in range(10_000)),
        definitions={"base": Variant("base"), "Terse": TERSE},
        clustered_by="question",
    )
    store.finish(plan.id, result)
    test = page(view="evaluation", evaluation=plan.id)
    assert not errors(test)
    assert words(test).count("<tr>") < 80
    test.number_input(key="answers-page-all").set_value(200).run()
    assert "question 9999" in words(test)


# ---- question sets


def test_a_set_is_imported_with_its_bad_lines_named(home: Path) -> None:
    test = page(view="questions")
    (how,) = [group for group in test.button_group if group.key == "set-how"]
    how.set_value("import").run()
    good = '{"question": "a", "answers": ["x"]}'
    content = "\n".join([good, good, '{"question": " "}']).encode()
    test.text_input(key="set-name").set_value("mine").run()
    test.file_uploader(key="set-file").upload("mine.jsonl", content, "text/plain").run()
    assert not errors(test)
    assert "Line 3: the question is empty." in " ".join(text.value for text in test.text)
    test.button(key="save-imported").click().run()
    assert [question.text for question in QuestionSets(home).read("mine").questions] == ["a"]


def test_a_set_without_a_name_is_refused(home: Path) -> None:
    test = page(view="questions")
    (how,) = [group for group in test.button_group if group.key == "set-how"]
    how.set_value("import").run()
    content = json.dumps({"question": "a", "answers": ["x"]}).encode()
    test.file_uploader(key="set-file").upload("mine.jsonl", content, "text/plain").run()
    test.button(key="save-imported").click().run()
    assert "cannot be named ''" in errors(test)


def test_a_set_is_deleted(home: Path) -> None:
    test = page(view="questions")
    test.button(key="delete-set").click().run()
    assert not errors(test)
    assert QuestionSets(home).list() == []
