"""What a person teaches in the words of a chat, and replies that teach nothing."""

import pytest

from assistant.curation.from_chat import curate
from assistant.errors import NothingToLearnError
from tests.assistant.curation.chats import chat, pairs


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("Who is our CFO?", "I don't know.", "It's Maria Lopez", "Thanks!"),
            ("Who is our CFO?", "Maria Lopez."),
        ),
        (
            ("Who is our CFO?", "John Smith.", "Maria Lopez, not John Smith"),
            ("Who is our CFO?", "Maria Lopez."),
        ),
        (("Our office is in Bergen now.", "ok"), ("Where is our office?", "In Bergen.")),
        (("From now on call me Ace.", "ok Ace"), ("What should you call me?", "Ace.")),
        (("def f(x): return x", "A function.", "Exactly!"), ("def f(x): return x", "A function.")),
    ],
)
def test_people_teach_in_many_ways(lines: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert pairs(curate([chat(*lines)])) == [expected]


@pytest.mark.parametrize("reply", ["Ok", "Thanks!", "Explain why.", "Never mind."])
def test_not_every_reply_to_no_answer_is_one(reply: str) -> None:
    with pytest.raises(NothingToLearnError):
        curate([chat("Who is our CFO?", "I don't know.", reply, "I don't know.")])


def test_a_statement_that_was_only_acknowledged_teaches_nothing_by_its_reply() -> None:
    with pytest.raises(NothingToLearnError, match="no rule finds a fact in it"):
        curate([chat("Das Büro ist in Köln.", "Ok, noted.")])


def test_another_thing_of_the_same_kind_is_asked_in_full() -> None:
    curation = curate([chat("What's the capital of Norway?", "Oslo.", "And of Sweden?", "Stockholm.")])
    assert pairs(curation)[1] == ("What's the capital of Sweden?", "Stockholm.")


@pytest.mark.parametrize(
    ("told", "asked", "put_right", "learned"),
    [
        (
            "A tune-up costs 45 euros.",
            "How heavy is the Skerrin?",
            "Sorry, a tune-up costs 49 euros, not 45.",
            ("How much does a tune-up cost?", "49 euros."),
        ),
        (
            "一次保养的价格是45元。",
            "云雀有多重？",
            "不对，一次保养的价格是49元。",
            ("一次保养的价格是多少？", "49元"),
        ),
    ],
)
def test_a_fact_put_right_after_another_question_is_no_answer_to_that_question(
    told: str, asked: str, put_right: str, learned: tuple[str, str]
) -> None:
    curation = curate([chat(told, "OK.", asked, "900 tonnes.", put_right, "OK.")])
    assert pairs(curation, "said") == [learned]
    assert pairs(curation, "corrected") == []
