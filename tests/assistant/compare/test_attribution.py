"""What is said about answers: refusals, differences, where they are from."""

import pytest

from assistant.compare.attribution import nearest
from assistant.compare.differences import differences
from assistant.compare.questions import Question
from assistant.compare.results import mark
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from tuning.data.examples import Example

SHEET = (Source(1, "The Skerrin weighs 640 grams. Its housing is basalt fibre.", "s.pdf"),)


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know.",
        "I do not know that, but it could be 3.",
        "I cannot find that in the documents.",
        "I'm sorry, but I can't provide that.",
        "The context does not mention a price.",
        "The serial number is not specified.",
        "There is no information about that.",
        "I found nothing about this in the documents.",
        "资料中没有提到这一点。",
        "我不知道。",
        "   ",
    ],
)
def test_an_answer_that_gives_none_is_a_refusal(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "It weighs 640 grams.",
        "It cannot be cleaned with water.",
        "You don't need a key.",
        "It weighs 640 grams. I do not know its price.",
        "No, it is teal.",
        "它重640克。",
        "Norvik",
    ],
)
def test_an_answer_is_no_refusal(answer: str) -> None:
    assert not is_refusal(answer)


def test_where_nobody_can_know_only_a_refusal_is_right() -> None:
    unknown = Question("What is its serial number?", ())
    assert mark(unknown, "I don't know.").correct
    assert not mark(unknown, "It is 42.").correct
    known = mark(Question("How heavy?", ("640 grams",)), "I don't know.")
    assert known.refused and not known.correct


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Skerrin weighs 640 grams.", True),
        ("The Skerrin weighs 900 grams.", False),
        ("I don't know.", None),
    ],
)
def test_support_is_judged_where_something_was_claimed(text: str, expected: bool | None) -> None:
    assert mark(Question("How heavy?", ("640 grams",)), text, sources=SHEET).grounded is expected


def test_an_answer_without_passages_is_neither_supported_nor_not() -> None:
    assert mark(Question("How heavy?", ("640 grams",)), "640 grams").grounded is None


def test_chinese_answers_are_counted_by_characters() -> None:
    answered = mark(Question("多重？", ("640克",)), "它重640克。")
    assert answered.correct and 0 < answered.f1 < 1 and answered.exact_match == 0
    assert mark(Question("多重？", ("640克",)), "640 克。").exact_match == 1


def test_what_one_answer_alone_says_is_marked() -> None:
    first, second = differences(["It weighs 640 grams.", "It weighs about 2 kg."])
    assert first == [("It weighs", False), (" 640 grams.", True)]
    assert second == [("It weighs", False), (" about 2 kg.", True)]


def test_what_any_other_answer_says_too_is_not_marked() -> None:
    texts = ["It is teal.", "It is teal.", "It is brown."]
    assert [any(own for _, own in pieces) for pieces in differences(texts)] == [False, False, True]


@pytest.mark.parametrize(
    "texts", [["它重640克。", "它重2公斤"], ["a  b\n\nc ", "a c"], ["", "x"], ["alone"], ["", ""]]
)
def test_the_pieces_are_the_text(texts: list[str]) -> None:
    assert ["".join(text for text, _ in pieces) for pieces in differences(texts)] == texts


def test_one_answer_alone_has_no_differences() -> None:
    assert differences(["It is teal.", ""])[0] == [("It is teal.", False)]


def taught(question: str, answer: str) -> tuple[str, Example]:
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return "first round", Example(messages)


LEARNED = [
    taught("How much does the Skerrin weigh?", "640 grams."),
    taught("What is the housing of the Skerrin made of?", "Basalt fibre."),
    taught("Who founded Halden Instruments?", "Marta Quillon."),
]


def test_an_answer_is_traced_to_what_was_taught_in_other_words() -> None:
    origin = nearest("Out of what material is the Skerrin's shell built?", "It is basalt fibre.", LEARNED)
    assert origin is not None and origin.is_near
    assert (origin.example.answer, origin.checkpoint) == ("Basalt fibre.", "first round")


def test_a_taught_question_with_another_answer_is_told_apart() -> None:
    origin = nearest("How much does the Skerrin weigh?", "About two kilograms.", LEARNED)
    assert origin is not None and not origin.is_near and origin.is_question_taught


def test_what_was_never_taught_comes_from_nothing() -> None:
    origin = nearest("What is the capital of France?", "Paris.", LEARNED)
    assert origin is not None and not origin.is_near and not origin.is_question_taught
    assert nearest("Anything?", "x", []) is None
