"""Blind trials: order, balance, one vote a ballot, several voters at once, preferences that come of it."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assistant.arena.pairing import BlindTrial
from assistant.arena.trials import BlindTrials
from assistant.chat.turn import AnswerOptions
from assistant.compare.questions import Question
from assistant.compare.ranking import tally
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from assistant.history.preferences import PreferenceStore, to_jsonl
from tuning.data.examples import checked

ARMS = (Variant("base"), Variant("rag", documents=True), Variant("halden", checkpoint="halden"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.sqlite3"


@pytest.fixture
def store(file: Path) -> BlindTrials:
    return BlindTrials(file)


def start(store: BlindTrials, questions: int = 6, arms: tuple[Variant, ...] = ARMS) -> BlindTrial:
    return store.create("trial", arms, [Question(f"q{n}", ("x",)) for n in range(questions)], seed=1)


def vote_all(store: BlindTrials, trial: BlindTrial, voter: str, better: str = "halden") -> None:
    while ballot := store.next_ballot(trial.id, voter):
        for arm in (ballot.first_arm, ballot.second_arm):
            store.keep_answer(trial.id, ballot.place, arm, f"{arm} on {ballot.place}")
        outcome = {ballot.first_arm: "first", ballot.second_arm: "second"}.get(better, "tie")
        assert store.vote(ballot.id, outcome)  # type: ignore[arg-type]


def test_each_pair_and_each_side_comes_equally_often(store: BlindTrials) -> None:
    trial = start(store)
    vote_all(store, trial, "ann")
    ballots = store.ballots(trial.id)
    assert len(ballots) == 6 * 3
    assert set(Counter(frozenset((one.first_arm, one.second_arm)) for one in ballots).values()) == {6}
    assert set(Counter((one.first_arm, one.second_arm) for one in ballots).values()) == {3}
    assert len({(one.place, frozenset((one.first_arm, one.second_arm))) for one in ballots}) == len(ballots)


def test_a_question_comes_back_only_after_all_others(store: BlindTrials) -> None:
    trial = start(store)
    vote_all(store, trial, "ann")
    places = [ballot.place for ballot in store.ballots(trial.id)]
    assert sorted(places[:6]) == sorted(places[6:12]) == list(range(6))


def test_the_order_of_questions_is_not_that_of_the_file(store: BlindTrials) -> None:
    asked = [question.text for question in start(store, 30).questions]
    assert asked != [f"q{n}" for n in range(30)] and sorted(asked) == sorted(f"q{n}" for n in range(30))


def test_people_who_vote_at_once_share_the_balance(store: BlindTrials, file: Path) -> None:
    trial = start(store)
    voters = [f"voter {n}" for n in range(4)]
    threads = [threading.Thread(target=vote_all, args=(BlindTrials(file), trial, voter)) for voter in voters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ballots = store.ballots(trial.id)
    assert Counter(one.voter for one in ballots) == dict.fromkeys(voters, 18)
    sides = Counter((one.first_arm, one.second_arm) for one in ballots)
    assert len(sides) == 6 and max(sides.values()) - min(sides.values()) <= len(voters)


def test_a_ballot_takes_one_vote(store: BlindTrials, file: Path) -> None:
    trial = start(store)
    ballot = store.next_ballot(trial.id, "ann")
    assert ballot is not None
    store.keep_answer(trial.id, ballot.place, ballot.first_arm, "one")
    store.keep_answer(trial.id, ballot.place, ballot.second_arm, "two")
    assert store.next_ballot(trial.id, "ann") == ballot  # a reload shows the same
    assert store.vote(ballot.id, "first") and not store.vote(ballot.id, "second")
    (kept,) = PreferenceStore(file).list()
    assert (kept.chosen, kept.rejected) == ("one", "two")
    assert (kept.chosen_arm, kept.rejected_arm) == (ballot.first_arm, ballot.second_arm)


def test_a_vote_can_be_taken_back_with_its_preference(store: BlindTrials, file: Path) -> None:
    trial = start(store)
    vote_all(store, trial, "ann")
    preferences = PreferenceStore(file)
    before = preferences.list()
    last = store.ballots(trial.id)[-1]
    decided = last.outcome in ("first", "second")
    assert store.withdraw(trial.id, "ann") and len(store.ballots(trial.id)) == 17
    assert len(preferences.list()) == len(before) - decided
    again = store.next_ballot(trial.id, "ann")
    assert again is not None and again.id == last.id
    assert not store.withdraw(trial.id, "somebody else")


def test_taking_a_vote_back_leaves_one_cast_in_the_same_instant(
    store: BlindTrials, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = start(store, questions=1, arms=ARMS[:2])
    monkeypatch.setattr("assistant.arena.trials.time.time", lambda: 1_000.0)
    for voter in ("ann", "bob"):
        vote_all(store, trial, voter, better="rag")
    assert store.withdraw(trial.id, "ann")
    (kept,) = PreferenceStore(file).list()
    (ballot,) = store.ballots(trial.id)
    assert (ballot.voter, kept.ballot_id) == ("bob", ballot.id)


@pytest.mark.parametrize("outcome", ["tie", "bad"])
def test_an_undecided_vote_counts_and_teaches_nothing(store: BlindTrials, file: Path, outcome: str) -> None:
    trial = start(store)
    ballot = store.next_ballot(trial.id, "ann")
    assert ballot is not None
    store.vote(ballot.id, outcome)  # type: ignore[arg-type]
    (duel,) = tally(store.votes(trial.id)).pairs
    assert (duel.share, duel.votes) == (0.5, 1)
    assert PreferenceStore(file).list() == []


def test_answers_that_are_missing_or_the_same_teach_nothing(store: BlindTrials, file: Path) -> None:
    trial = start(store)
    for texts in (("", "something"), ("same", "same")):
        ballot = store.next_ballot(trial.id, "ann")
        assert ballot is not None
        for arm, text in zip((ballot.first_arm, ballot.second_arm), texts, strict=True):
            store.keep_answer(trial.id, ballot.place, arm, text)
        store.vote(ballot.id, "first")
    assert PreferenceStore(file).list() == []
    assert len(store.votes(trial.id)) == 2


def test_everybody_votes_on_the_same_words(store: BlindTrials) -> None:
    trial = start(store)
    store.keep_answer(trial.id, 0, "base", "first")
    store.keep_answer(trial.id, 0, "base", "second")
    assert store.answers(trial.id, 0) == {"base": "first"}


def test_a_persons_own_question_joins_the_trial(store: BlindTrials) -> None:
    trial = store.create("own", ARMS[:2], [])
    assert store.next_ballot(trial.id, "ann") is None
    place = store.add_question(trial.id, "  How heavy   is it? ")
    assert store.add_question(trial.id, "how heavy is it") == place
    ballot = store.next_ballot(trial.id, "ann", at=place)
    assert ballot is not None and ballot.place == place
    with pytest.raises(CompareError, match="question is empty"):
        store.add_question(trial.id, "   ")


def test_the_export_is_the_form_that_trainers_read(store: BlindTrials, file: Path) -> None:
    trial = start(store, arms=ARMS[1:])
    vote_all(store, trial, "ann")
    lines = [json.loads(line) for line in to_jsonl(PreferenceStore(file).list()).splitlines()]
    assert len(lines) == 6
    for line in lines:
        assert line.keys() == {"prompt", "chosen", "rejected"}
        whole = checked([*line["prompt"], *line["chosen"]], "a preference")
        assert [message["role"] for message in whole] == ["user", "assistant"]
        assert line["chosen"][0]["content"].startswith("halden")
    assert to_jsonl(PreferenceStore(file).list(), ["base", "rag"]) == ""


def test_a_cast_vote_has_its_question_and_both_answers(store: BlindTrials) -> None:
    trial = start(store, questions=1, arms=ARMS[:2])
    vote_all(store, trial, "ann", better="rag")
    (vote,) = store.cast_votes(trial.id)
    assert (vote.question, {vote.left, vote.right}) == ("q0", {"base", "rag"})
    assert (vote.left_answer, vote.right_answer) == (f"{vote.left} on 0", f"{vote.right} on 0")
    assert (vote.outcome == "first") == (vote.left == "rag") and vote.voter == "ann"


def test_a_trial_keeps_how_its_variants_answer(store: BlindTrials, file: Path) -> None:
    defaults = AnswerOptions(few_shot=({"role": "user", "content": "q"},), documents=("a",), passages=2)
    trial = store.create("trial", ARMS, [Question("q", ("x",))], defaults)
    assert BlindTrials(file).get(trial.id).defaults == defaults
    assert store.create("trial", ARMS, []).defaults == AnswerOptions()


def test_a_trial_between_one_arm_is_none(store: BlindTrials) -> None:
    with pytest.raises(CompareError, match="two variants or more, and 1"):
        start(store, arms=ARMS[:1])


def test_a_deleted_trial_is_named(store: BlindTrials, file: Path) -> None:
    trial = start(store)
    vote_all(store, trial, "ann")
    kept = len(PreferenceStore(file).list())
    store.delete(trial.id)
    with pytest.raises(CompareError, match="no blind trial"):
        store.next_ballot(trial.id, "ann")
    assert len(PreferenceStore(file).list()) == kept > 0


def test_the_questions_of_a_large_trial_are_read_once(
    store: BlindTrials, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0
    from_dict = Question.from_dict

    def counted(record: Any) -> Question:
        nonlocal read
        read += 1
        return from_dict(record)

    monkeypatch.setattr(Question, "from_dict", counted)
    trial = start(store, 2_000)
    ballot = store.next_ballot(trial.id, "ann")
    assert ballot is not None and store.vote(ballot.id, "tie")
    assert len(store.cast_votes(trial.id)) == len(store.list()) == 1
    store.add_question(trial.id, "How heavy?")
    assert store.get(trial.id).questions[-1].text == "How heavy?"
    assert read == 2_001
