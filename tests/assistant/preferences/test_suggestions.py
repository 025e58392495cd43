"""What to vote on next: where two variants disagree most, and never what was voted on."""

from pathlib import Path

import pytest

from assistant.chat.turn import AnswerOptions
from assistant.compare.variants import Variant
from assistant.history.records import NewPreference
from assistant.preferences import suggestions
from assistant.preferences.suggestions import Suggestions, disagreement, open_trial, suggest
from tests.assistant.compare.samples import QUESTIONS, VARIANTS, KnowingEngine, run
from tests.assistant.preferences.conftest import Home


def suggested(home: Home, *checkpoints: str, has_documents: bool = False) -> Suggestions:
    return suggest(home.evaluations, home.chats, home.collected(), checkpoints, has_documents=has_documents)


def evaluated(home: Home) -> None:
    plan = home.evaluations.create("weights", VARIANTS, QUESTIONS, AnswerOptions())
    home.evaluations.finish(plan.id, run(KnowingEngine(), plan))


def test_disagreement_is_one_less_the_shared_words() -> None:
    assert disagreement("640 grams", "640 grams") == 0.0
    assert disagreement("640 grams", "2 kg") == 1.0
    assert disagreement("it weighs 640 grams", "640 grams") == pytest.approx(1 - 2 / 3)


def test_questions_on_which_the_variants_agree_are_not_suggested(home: Home) -> None:
    evaluated(home)
    found = suggested(home, "halden")
    assert found.variants == VARIANTS
    assert [(one.question, one.disagreement) for one in found.questions] == [
        (QUESTIONS[0].text, 1.0),
        (QUESTIONS[1].text, 1.0),
    ]


def test_what_was_voted_on_is_not_suggested_again(home: Home) -> None:
    evaluated(home)
    home.votes.add(
        NewPreference(
            prompt=[{"role": "user", "content": "how heavy is the SKERRIN"}], chosen="640 g", rejected="2 kg"
        )
    )
    assert [one.question for one in suggested(home, "halden").questions] == [QUESTIONS[1].text]


def test_without_evaluations_recent_chats_are_asked_again(home: Home) -> None:
    home.ask("Who founded\nHalden?", "Nobody.")
    home.ask("who founded Halden", "Nobody.")
    found = suggested(home)
    assert [(one.question, one.disagreement) for one in found.questions] == [("who founded Halden", None)]
    assert found.variants == (Variant("base"), suggestions.SAMPLED)
    assert suggested(home, has_documents=True).variants[1] == Variant("rag", documents=True)
    assert suggested(home, "old", "new").variants[1] == Variant("new", checkpoint="new")


def test_a_variant_whose_checkpoint_is_gone_is_not_asked(home: Home) -> None:
    evaluated(home)
    assert suggested(home).questions == ()


def test_one_trial_takes_all_suggested_questions(home: Home, tmp_path: Path) -> None:
    evaluated(home)
    found = suggested(home, "halden")
    second = found.questions[1].question
    trial, place = open_trial(home.trials, found, second, "votes", AnswerOptions())
    assert trial.questions[place].text == second
    assert {one.text for one in trial.questions} == {one.question for one in found.questions}
    again, other = open_trial(home.trials, found, "What is new?", "votes", AnswerOptions())
    assert (again.id, other) == (trial.id, 2)
