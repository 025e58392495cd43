"""Collecting: every source is read and named; contradictions, ties, notices and secrets are said and left out."""

from dataclasses import replace
from pathlib import Path

from assistant.chat.turn import AnswerOptions
from assistant.compare.judge import Judge, JudgeChoice, judge_answers
from assistant.compare.questions import Question
from assistant.compare.variants import Variant
from assistant.curation import preferences as reading
from assistant.history.records import NewJudgement, NewPreference
from assistant.i18n.texts import TEXTS
from assistant.preferences import collect as collecting
from assistant.preferences import sources
from assistant.preferences.collect import CollectedPreferences
from tests.assistant.compare.samples import VARIANTS, KnowingEngine, run
from tests.assistant.compare.test_judge import Rule, by_truth
from tests.assistant.preferences.conftest import Home

ASKED = [{"role": "user", "content": "How heavy is the Skerrin?"}]
ARMS = (Variant("base"), Variant("halden", checkpoint="halden"))


def pairs(found: CollectedPreferences) -> list[tuple[str, str, str]]:
    return [(one.kind, one.item.chosen, one.item.rejected) for one in found.pairs]


def reasons(found: CollectedPreferences) -> list[str]:
    return [one.why for one in found.left_out]


def blind(home: Home, question: str, first: str, second: str, outcome: str) -> str:
    """A blind trial of one question with one vote; `first` is the answer on the left."""
    trial = home.trials.create("trial", ARMS, [Question(question, ())], seed=1)
    ballot = home.trials.next_ballot(trial.id, "me")
    assert ballot is not None
    home.trials.keep_answer(trial.id, 0, ballot.first_arm, first)
    home.trials.keep_answer(trial.id, 0, ballot.second_arm, second)
    home.trials.vote(ballot.id, outcome)  # type: ignore[arg-type]
    return trial.id


def test_every_source_is_named(home: Home) -> None:
    blind(home, "q1", "yes", "no", "first")
    home.votes.add(
        NewPreference(prompt=ASKED, chosen="a", rejected="b", chosen_arm="rag", rejected_arm="base")
    )
    home.votes.add_imported(
        [NewPreference(prompt=ASKED, chosen="c", rejected="d", source="file.jsonl, line 1")], []
    )
    (given,) = home.ask("How heavy is it?", "2 kg.")
    home.chats.correct(given, "No, it is 640 grams.")
    better, worse, unrated = home.ask("Who founded Halden?", "Ilse Varga.", "Nobody.", "Who?")
    home.chats.rate(better, 1)
    home.chats.rate(worse, -1)
    assert unrated
    found = home.collected()
    assert sorted(pairs(found)) == [
        ("blind", "yes", "no"),
        ("correction", "640 grams.", "2 kg."),
        ("imported", "c", "d"),
        ("regeneration", "Ilse Varga.", "Nobody."),
        ("side_by_side", "a", "b"),
    ]
    assert found.counts == {
        **dict.fromkeys(("blind", "side_by_side", "correction", "regeneration", "imported"), 1),
        "thumb": 2,
    }
    assert [(one.item.completion, one.item.good, one.kind) for one in found.judgements] == [
        ("Ilse Varga.", True, "thumb"),
        ("Nobody.", False, "thumb"),
    ]
    assert found.left_out == ()
    assert all(one.item.source for one in (*found.pairs, *found.judgements))


def test_a_vote_stays_blind_when_its_trial_is_deleted(home: Home) -> None:
    home.trials.delete(blind(home, "q1", "yes", "no", "second"))
    assert pairs(home.collected()) == [("blind", "no", "yes")]


def test_a_tie_teaches_nothing_and_two_bad_answers_are_two_judgements(home: Home) -> None:
    blind(home, "q1", "yes", "no", "tie")
    blind(home, "q2", "this", "that", "bad")
    found = home.collected()
    assert pairs(found) == [] and reasons(found) == [sources.TIE]
    assert {(one.item.completion, one.item.good, one.kind) for one in found.judgements} == {
        ("this", False, "both_bad"),
        ("that", False, "both_bad"),
    }


def test_a_corrected_turn_stands_in_the_prompt_of_those_after_it(home: Home) -> None:
    (first,) = home.ask("Who?", "Bo.")
    home.chats.correct(first, "Ada.")
    number = home.chats.message(first).conversation_id
    home.chats.add_message(number, "user", "And where?")
    answer = home.chats.add_message(number, "assistant", "Here.")
    home.chats.rate(answer.id, 1)
    (judged,) = home.collected().judgements
    assert [one["content"] for one in judged.item.prompt] == ["Who?", "Ada.", "And where?"]


def test_contradictory_votes_are_left_out_both(home: Home) -> None:
    blind(home, "q1", "yes", "no", "first")
    blind(home, "Q1!", "no", "Yes.", "first")
    blind(home, "q2", "yes", "no", "first")
    blind(home, "q2", "Yes", "no", "first")
    found = home.collected()
    assert pairs(found) == [("blind", "yes", "no")]
    assert reasons(found) == [collecting.CONTRADICTS] * 2


def test_an_answer_judged_both_ways_is_left_out(home: Home) -> None:
    rows = [NewJudgement(prompt=ASKED, completion="2 kg.", good=good, source="f") for good in (True, False)]
    home.votes.add_imported([], rows)
    found = home.collected()
    assert found.judgements == () and reasons(found) == [collecting.JUDGED_BOTH_WAYS] * 2


def test_secrets_are_left_out(home: Home) -> None:
    (given,) = home.ask("What is the password?", "I do not know.")
    home.chats.correct(given, "hunter2")
    home.chats.rate(given, -1)
    found = home.collected()
    assert pairs(found) == []
    assert "a password or key" in reasons(found)[0]


def test_notices_and_broken_answers_are_no_answers_of_a_model(home: Home) -> None:
    (notice,) = home.ask("How heavy?", TEXTS["chat.nothing_found"]["zh"])
    home.chats.rate(notice, -1)
    home.chats.correct(notice, "640 grams.")
    stopped, repeated = home.ask("And where?", "In", "In in in")
    home.chats.update_message(stopped, status="stopped")
    home.chats.update_message(repeated, ending="repeated")
    home.chats.rate(stopped, 1)
    home.chats.rate(repeated, 1)
    found = home.collected()
    assert (found.pairs, found.judgements) == ((), ())
    assert reasons(found) == [reading.NOTICE, reading.UNFINISHED, reading.REPEATED]


def test_numbers_of_passages_are_not_learned(home: Home) -> None:
    from assistant.history.sources import Source

    (answer,) = home.ask("How heavy?", "It weighs 640 grams [1].")
    home.chats.update_message(answer, sources=[Source.from_dict({"title": "Manual", "text": "640 grams"})])
    home.chats.rate(answer, 1)
    (judged,) = home.collected().judgements
    assert judged.item.completion == "It weighs 640 grams."


def test_a_judge_is_marked_and_gives_way_to_a_person(home: Home, tmp_path: Path) -> None:
    choice = JudgeChoice("large", url="http://127.0.0.1:1/v1")
    questions = [Question(f"What is {what} of the Skerrin?", ("640",)) for what in ("the weight", "the mass")]
    plan = home.evaluations.create("judged", VARIANTS, questions, AnswerOptions(), choice)
    result = run(KnowingEngine(), plan)
    answers = {name: [row.answers[name].text for row in result.rows] for name in ("base", "halden")}
    judge = Judge(Rule(rule=by_truth), choice, home.evaluations.verdicts_path)
    home.evaluations.finish(plan.id, replace(result, judge=judge_answers(judge, questions, answers)))
    assert pairs(home.collected()) == [("judge", "640 grams", "2 kg")] * 2

    home.votes.add(
        NewPreference(
            prompt=[{"role": "user", "content": questions[0].text}],
            chosen="2 kg",
            rejected="640 grams",
            chosen_arm="base",
            rejected_arm="halden",
        )
    )
    found = home.collected()
    assert sorted(pairs(found)) == [("judge", "640 grams", "2 kg"), ("side_by_side", "2 kg", "640 grams")]
    assert reasons(found) == [collecting.OVERRULED]


def test_what_is_imported_twice_is_kept_once(home: Home) -> None:
    pair = NewPreference(prompt=ASKED, chosen="c", rejected="d", source="f")
    judgement = NewJudgement(prompt=ASKED, completion="c", good=True, source="f")
    assert home.votes.add_imported([pair], [judgement]) == 2
    assert home.votes.add_imported([pair, pair], [judgement]) == 0
    found = home.collected()
    assert (len(found.pairs), len(found.judgements)) == (1, 1)


def test_a_deleted_conversation_teaches_nothing(home: Home) -> None:
    (given,) = home.ask("How heavy?", "2 kg.")
    home.chats.correct(given, "640 grams.")
    home.chats.delete(home.chats.message(given).conversation_id)
    assert home.collected().pairs == ()


def test_topics_are_the_words_of_several_questions(home: Home) -> None:
    asked = (
        "How long does it run?",
        "How long is a Skerrin?",
        "What does the Skerrin cost?",
        "Who wrote Hamlet?",
    )
    for question in asked:
        blind(home, question, "yes", "no", "first")
    assert home.collected().topics() == [("skerrin", 2)]
