"""A question and its answer as one statement."""

import pytest

from assistant.language.statements import statement_of


@pytest.mark.parametrize(
    ("question", "answer", "statement"),
    [
        ("How much does the Skerrin weigh?", "640 grams.", "The Skerrin weighs 640 grams."),
        ("What is the housing made of?", "Basalt fibre.", "The housing is made of Basalt fibre."),
        (
            "How long does the Skerrin run on its battery?",
            "95 days",
            "The Skerrin runs on its battery for 95 days.",
        ),
        (
            "How often must the funnel be cleaned?",
            "Every 11 weeks.",
            "The funnel must be cleaned every 11 weeks.",
        ),
        ("Who founded Halden?", "Marta Quillon", "Marta Quillon founded Halden."),
        ("When was Halden founded?", "1974", "Halden was founded in 1974."),
        ("When do we open?", "At 9.", "We open at 9."),
        ("Why is it so?", "Because.", "The answer to “Why is it so?” is: Because."),
        ("云雀折叠车有多重？", "9.6公斤。", "云雀折叠车重9.6公斤。"),
        ("工坊里的猫叫什么？", "算盘", "工坊里的猫叫算盘。"),
        ("创始人是谁？", "陆怀青", "创始人是陆怀青。"),
    ],
)
def test_it_reads_as_a_person_would_say_it(question: str, answer: str, statement: str) -> None:
    assert statement_of(question, answer) == statement
