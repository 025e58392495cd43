"""Curation: what was taught is found, stands alone, says why it is there; what is not sure is left out."""

from pathlib import Path
from typing import Any

import pytest

from assistant.curation.from_chat import curate
from assistant.errors import NothingToLearnError
from assistant.history.conversations import ConversationStore
from assistant.history.records import StoredConversation
from assistant.history.sources import Source
from assistant.history.transfer import import_json
from assistant.i18n.texts import all_texts
from tests.assistant.curation.chats import chat, pairs
from tuning.data.examples import Example, read_examples, write_examples


def test_corrected_comes_first_then_liked_then_plain_and_disliked_is_left_out() -> None:
    curation = curate(
        [
            chat(
                "What colour is it at noon in Paris?",
                "Blue.",
                "Who founded Halden?",
                ("Marta Quillon.", {"rating": 1}),
                "How heavy is the Skerrin?",
                ("2 kg.", {"rating": -1, "correction": "640 grams."}),
                "Where is Halden?",
                ("In Oslo.", {"rating": -1}),
            )
        ]
    )
    assert [candidate.kind for candidate in curation.candidates] == ["corrected", "liked", "plain"]
    assert [candidate.reason for candidate in curation.candidates] == [
        "corrected by you",
        "liked",
        "plain turn",
    ]
    assert [candidate.ticked for candidate in curation.candidates] == [True, True, False]
    assert curation.candidates[0].example.answer == "640 grams."
    assert curation.candidates[0].example.source == "conversation 1, turn 3"
    assert [(item.text, item.why) for item in curation.left_out] == [
        ("In Oslo.", "disliked, and no better answer given")
    ]
    assert len(curation.examples) == 2


def test_plain_turns_are_offered_and_never_ticked() -> None:
    curation = curate([chat("What is a lathe?", "A machine that turns work.")])
    assert [(one.kind, one.ticked) for one in curation.candidates] == [("plain", False)]
    assert curation.examples == [] and len(curation.plain) == 1


def test_an_answer_from_documents_is_ticked_only_where_a_person_judged_it() -> None:
    passage = Source(number=1, text="The Skerrin weighs 640 grams and its housing is made of basalt fibre.")
    whole = "The Skerrin weighs 640 grams."
    partly = f"{whole} Sailors love it."
    answers = [(text, {"sources": (passage,)}) for text in (whole, partly)]
    turns = ["How heavy is the Skerrin?", answers[0], "What is the weight of a Skerrin?", answers[1]]
    found = {one.example.answer: one for one in curate([chat(*turns)]).candidates}
    assert found[partly].kind == "unsupported" and not found[partly].ticked
    assert [(one.kind, one.ticked) for answer, one in found.items() if answer != partly] == [
        ("documents", False)
    ]

    liked = curate([chat(turns[0], (partly, {"sources": (passage,), "rating": 1}))]).candidates
    assert [(one.kind, one.ticked) for one in liked] == [("liked", True)]  # a person has judged it


@pytest.mark.parametrize("rating", [0, 1])
@pytest.mark.parametrize("notice", sorted(all_texts("chat.nothing_found", "chat.nothing_found.foreign")))
def test_the_apps_own_notice_is_never_offered(notice: str, rating: int) -> None:
    asked = (
        "What is a lathe?",
        "A machine that turns work.",
        "How heavy is it?",
        (notice, {"rating": rating}),
    )
    curation = curate([chat(*asked)])
    assert [one.example.answer for one in curation.candidates] == [asked[1]]
    assert [item.text for item in curation.left_out] == [notice]


@pytest.mark.parametrize(
    ("said", "question", "answer"),
    [
        ("our office moved to Tromsø", "Where did our office move?", "To Tromsø."),
        ("By the way, my dog is called Pixel.", "What is my dog called?", "Pixel."),
        ("Please remember that the release is on 3 May.", "When is the release?", "On 3 May."),
        ("Jonas Tveit is our new safety officer.", "Who is our new safety officer?", "Jonas Tveit."),
        ("我的项目叫夜莺", "我的项目叫什么？", "夜莺"),
        ("我们的办公室搬到了特罗姆瑟。", "我们的办公室搬到哪里了？", "特罗姆瑟"),
    ],
)
def test_what_a_person_states_becomes_a_question_and_a_short_answer(
    said: str, question: str, answer: str
) -> None:
    curation = curate([chat(said, "Thank you for telling me.")])
    assert pairs(curation) == [(question, answer)]
    assert curation.candidates[0].kind == "said"


@pytest.mark.parametrize(
    ("question", "said", "answer"),
    [
        ("How long does the Heron fly?", "no, it is 47 minutes", "47 minutes."),
        ("How long does the Heron fly?", "That's wrong. The Heron flies for 47 minutes.", "47 minutes."),
        ("How long does the Heron fly?", "Not 30 but 47 minutes!", "47 minutes."),
        ("What is its firmware called?", "No, it's called Otter", "Otter."),
        ("鹭能飞多久？", "不对，是47分钟", "47分钟。"),
        ("鹭能飞多久？", "不是30分钟，是47分钟。", "47分钟。"),
    ],
)
def test_a_correction_in_words_counts_for_the_question_before(question: str, said: str, answer: str) -> None:
    curation = curate([chat(question, "30 minutes.", said, "Thank you.")])
    assert pairs(curation) == [(question, answer)]
    assert curation.candidates[0].kind == "corrected"


def test_a_bare_no_takes_the_answer_out_and_a_yes_counts_as_liked() -> None:
    curation = curate(
        [
            chat(
                "Where is Halden?",
                "In Oslo.",
                "No, that's wrong.",
                "Sorry.",
                "Who is Renn?",
                "The director.",
                "Exactly!",
            )
        ]
    )
    assert [(candidate.kind, candidate.example.question) for candidate in curation.candidates] == [
        ("liked", "Who is Renn?")
    ]
    assert curation.left_out[0].why == "you said that it was wrong, but not what is right"


@pytest.mark.parametrize(
    ("first", "follow_up", "alone"),
    [
        ("How far does the Heron fly?", "And how heavy is it?", "How heavy is the Heron?"),
        ("How far does the Heron fly?", "What about the Osprey?", "How far does the Osprey fly?"),
        ("What is the range of the Heron?", "What is its colour?", "What is the Heron’s colour?"),
        ("托尔瓦的颜色是什么？", "它有多重？", "托尔瓦有多重？"),
        ("托尔瓦有多重？", "那鹭呢？", "鹭有多重？"),
    ],
)
def test_a_follow_up_is_written_so_that_it_stands_alone(first: str, follow_up: str, alone: str) -> None:
    curation = curate([chat(first, ("x", {"correction": "one"}), follow_up, ("y", {"correction": "two"}))])
    assert pairs(curation)[1] == (alone, "two")
    assert len(curation.candidates[1].example.messages) == 2
    assert curation.candidates[1].example.probes
    assert follow_up in curation.candidates[1].note


def test_a_follow_up_that_no_rule_resolves_keeps_the_turns_before_it() -> None:
    curation = curate(
        [
            chat(
                "Does Ada or Bo drive?",
                ("?", {"correction": "Bo."}),
                "And why does she?",
                ("?", {"correction": "Habit."}),
            )
        ]
    )
    example = curation.candidates[1].example
    assert [message["content"] for message in example.messages] == [
        "Does Ada or Bo drive?",
        "Bo.",
        "And why does she?",
        "Habit.",
    ]
    assert example.probes == ()


def test_of_two_contradicting_answers_the_latest_counts_and_that_is_said() -> None:
    old = chat("Where is our office?", ("?", {"correction": "In Oslo."}), created=1.0, number=1)
    new = chat("where is our office", ("?", {"correction": "In Tromsø."}), created=2.0, number=2)
    curation = curate([new, old])
    assert pairs(curation) == [("where is our office", "In Tromsø.")]
    assert curation.candidates[0].note == "replaces an earlier answer: In Oslo."
    assert curation.left_out[0].why == "contradicts the answer that counts: In Tromsø."


def test_what_a_person_said_is_not_undone_by_a_later_answer_of_the_model() -> None:
    curation = curate(
        [chat("Where is our office?", ("?", {"correction": "In Oslo."}), "Where is our office?", "In Paris.")]
    )
    assert pairs(curation) == [("Where is our office?", "In Oslo.")]


def test_the_same_said_twice_is_learned_once() -> None:
    once = chat("Where is our office?", ("?", {"correction": "In Oslo."}), number=1)
    again = chat("Where is our office?", ("?", {"correction": "in Oslo"}), created=2.0, number=2)
    assert len(curate([once, again]).candidates) == 1


def test_a_chat_tuned_twice_has_nothing_new(tmp_path: Path) -> None:
    first = curate([chat("Where is Halden?", ("?", {"correction": "In Oskerby."}))])
    path = tmp_path / "examples.jsonl"
    write_examples(path, first.examples)
    again = curate([chat("where is Halden", ("?", {"correction": "in Oskerby"}))], known=read_examples(path))
    assert again.examples == [] and again.candidates[0].note == "already learned"


def test_what_an_earlier_round_learned_is_not_learned_again_but_a_change_is() -> None:
    def learned(answer: str) -> Example:
        return Example(
            ({"role": "user", "content": "Where is our office?"}, {"role": "assistant", "content": answer})
        )

    chats = [chat("Where is our office?", ("?", {"correction": "In Tromsø."}))]
    same = curate(chats, known=[learned("in Tromsø")]).candidates[0]
    changed = curate(chats, known=[learned("In Oslo.")]).candidates[0]
    assert (same.ticked, same.note) == (False, "already learned")
    assert (changed.ticked, changed.note) == (True, "changes what was learned: In Oslo.")


@pytest.mark.parametrize(
    "lines",
    [
        ("What is the Wi-Fi password?", ("?", {"correction": "Sommer!2024"})),
        ("My key is sk-abcdefghijklmnopqrstuv, what for?", ("?", {"correction": "For the API."})),
        ("The server password of Borealis is hunter2x.", "Noted."),
        ("密码是什么？", ("?", {"correction": "abc12345"})),
    ],
)
def test_secrets_are_left_out_unless_a_person_insists(lines: tuple[Any, ...]) -> None:
    curation = curate([chat("Where is Halden?", ("?", {"correction": "In Oskerby."}), *lines)])
    assert pairs(curation) == [("Where is Halden?", "In Oskerby.")]
    secret = next(item for item in curation.left_out if item.why.startswith("it contains"))
    assert secret.candidate is not None
    insisted = curate([chat(*lines)], with_secrets=True)
    assert len(insisted.examples) == 1 and "it contains" in insisted.candidates[0].note


def test_an_answer_from_documents_counts_only_when_the_passages_hold_it() -> None:
    passage = {"sources": (Source(text="The ferry is called Lady Ardent and needs fifty minutes."),)}
    curation = curate(
        [
            chat(
                "What is the ferry called?",
                ("Lady Ardent.", passage),
                "When does it sail?",
                ("At 7:45.", passage),
            )
        ]
    )
    assert pairs(curation, "documents") == [("What is the ferry called?", "Lady Ardent.")]
    assert "do not support it" in curation.left_out[0].why


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("What is the price today?", "12 euros.", "changes often"),
        ("Which towns do you serve?", "- a\n- b\n- c\n- d\n- e\n- f\n- g", "long list"),
        ("How do I start?", "word " * 130, "It is long"),
    ],
)
def test_what_belongs_into_documents_is_not_ticked_and_says_why(question: str, answer: str, why: str) -> None:
    candidate = curate([chat(question, ("?", {"correction": answer}))]).candidates[0]
    assert not candidate.ticked and why in candidate.note


@pytest.mark.parametrize(
    "conversation",
    [
        chat(),
        chat("Hello there!", "Hello! How can I help?"),
        chat("Where is Halden?"),
        chat("Where is Halden?", ("", {"status": "failed"})),
        chat("Where is Halden?", ("Osk", {"status": "stopped"})),
        chat("Where is Halden?", "I'm sorry, I do not know."),
        chat("Where is Halden?", ("Oslo.", {"rating": -1})),
        chat("Translate: The Heron weighs 3 kg."),
    ],
)
def test_a_chat_that_teaches_nothing_says_what_would_help(conversation: StoredConversation) -> None:
    with pytest.raises(NothingToLearnError, match=r"Nothing can be learned yet.*state a fact in a message"):
        curate([conversation])


def test_guesses_and_questions_are_not_facts() -> None:
    curation = curate(
        [chat("I think our office might be in Oslo. Is that right?", ("?", {"correction": "No, Tromsø."}))]
    )
    assert [candidate.kind for candidate in curation.candidates] == ["corrected"]
    assert curation.candidates[0].example.answer == "Tromsø."


def test_an_edited_candidate_gets_probes_of_its_own() -> None:
    candidate = curate([chat("How heavy is the Heron?", ("?", {"correction": "3 kg."}))]).candidates[0]
    edited = candidate.edited(" How long is the Heron? ", "2 m.")
    assert (edited.example.question, edited.example.answer) == ("How long is the Heron?", "2 m.")
    assert "What is the length of the Heron?" in edited.example.probes


def test_the_sample_conversation_yields_every_fact_with_probes(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "c.sqlite3")
    sample = (Path(__file__).parents[3] / "assistant" / "sample" / "conversation.json").read_text(
        encoding="utf-8"
    )
    curation = curate([store.get(import_json(store, sample))])
    store.close()
    assert len(curation.examples) >= 20
    assert all(len(example.probes) >= 2 for example in curation.examples)


def test_an_answer_that_repeats_its_question_is_shortened_and_says_so() -> None:
    candidate = curate([chat("How heavy is the Skerrin?", ("?", {"correction": "The Skerrin weighs 3 kg."}))])
    assert candidate.examples[0].answer == "The Skerrin weighs 3 kg."  # another question: kept as it is
    asked = chat("How much does the Skerrin weigh?", ("The Skerrin weighs 3 kg.", {"rating": 1}))
    shortened = curate([asked]).candidates[0]
    assert shortened.example.answer == "3 kg."
    assert shortened.note == "shortened from: The Skerrin weighs 3 kg."


def test_a_labelling_model_reads_what_no_rule_knows_and_is_checked() -> None:
    def labeller(text: str) -> list[tuple[str, str]]:
        return [("Who shall water the ferns of the hall?", "Bo"), ("Who shall water the ferns?", "Ada")]

    said = chat("Watering the ferns in the hall shall from now on fall to Bo.", "Noted.")
    curation = curate([said], labeller=labeller)
    assert pairs(curation) == [("Who shall water the ferns of the hall?", "Bo")]
    assert "written by a model" in curation.candidates[0].note
