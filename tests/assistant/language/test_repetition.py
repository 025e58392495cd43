"""What repeats itself or its order is found, with what is to be kept; ordinary text is not."""

import pytest

from assistant.language.repetition import repetition_at, wants_repetition

ORDER = "Answer the question with a short phrase from the context."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("It weighs 640 g. It is very, very light and small. " + "It is light and small. " * 3, 74),
        ("The answer is " + "ha " * 30, 17),
        ("斯克林重640克。" + "它非常轻，非常小，也非常好看，大家都喜欢。" * 4, 30),
    ],
)
def test_a_loop_is_cut_after_its_first_copy(text: str, kept: int) -> None:
    assert repetition_at(text) == kept
    assert repetition_at(text[: len(text) // 2]) is None


def test_a_sentence_said_four_times_between_others_is_a_loop() -> None:
    lines = [f"{at}. The station is heated by the sun.\n{at}. Number {at} is new here.\n" for at in range(4)]
    text = "".join(lines)[:-1].rsplit("\n", 1)[0] + "\n"
    kept = repetition_at(text)
    assert kept is not None and text[:kept].count("The station is heated by the sun") == 1
    assert repetition_at("".join(lines[:3])) is None


def test_an_order_that_is_written_again_is_cut_off() -> None:
    text = f"640 grams.\n\n{ORDER}"
    assert repetition_at(text, [ORDER, ""]) == text.index(ORDER)
    assert repetition_at("640 grams.", [ORDER, "grams"]) is None


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| 1 | 2 |\n| 1 | 3 |\n",
        "-" * 200,
        "1. One thing.\n2. Another thing.\n3. A third thing.\n4. A fourth thing.\n",
        "No, no, no. It weighs 640 grams, and 640 grams it weighs.",
        "1000000000000000000000",
    ],
)
def test_ordinary_text_is_no_loop(text: str) -> None:
    assert all(repetition_at(text[:end], [ORDER]) is None for end in range(len(text) + 1))


def test_repeating_is_an_answer_where_it_was_asked_for() -> None:
    assert wants_repetition("Write ha 30 times.") and wants_repetition("把这句话重复五遍")
    assert not wants_repetition("How heavy is it?")
