"""Other wordings: grammatical, different from the question, and asking for the same thing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.language.paraphrase import MAX_WORDINGS, rephrase
from assistant.language.text import normal


@pytest.mark.parametrize(
    ("question", "answer", "wanted"),
    [
        ("How much does the Skerrin weigh?", "", "How heavy is the Skerrin?"),
        ("What does the Tolva cost?", "", "What is the price of the Tolva?"),
        ("What is the app called?", "", "By what name is the app known?"),
        ("When was Halden founded?", "1974.", "In which year was Halden founded?"),
        ("When is soup served?", "On Thursdays.", "On which day is soup served?"),
        ("Who founded Halden?", "", "By whom was Halden founded?"),
        ("Who leads the tour?", "", "Which person leads the tour?"),
        ("What are the bearings greased with?", "", "With what are the bearings greased?"),
        ("In which town does Ada live?", "", "Which town does Ada live in?"),
        ("How often must the funnel be cleaned?", "", "At what intervals must the funnel be cleaned?"),
        ("What does the app speak?", "", "What is it that the app speaks?"),
        ("Which drone weighs 890 grams?", "", "What is the drone that weighs 890 grams?"),
        ("Hello! What is the capital of Peru?", "", "What capital does Peru have?"),
        ("托尔瓦有多重？", "", "托尔瓦的重量是多少？"),
        ("我的项目叫什么？", "", "我的项目的名字是什么？"),
        ("托尔瓦多久校准一次？", "", "托尔瓦每隔多长时间校准一次？"),
        ("中文客服的负责人是谁？", "", "谁是中文客服的负责人？"),
    ],
)
def test_a_question_is_asked_in_other_words(question: str, answer: str, wanted: str) -> None:
    assert wanted in rephrase(question, answer)


@pytest.mark.parametrize(
    "question",
    [
        "What is the range of the Heron 4?",
        "Where does Ada work?",
        "托尔瓦的机身是什么颜色？",
        "How many legs do spiders have?",
    ],
)
def test_wordings_differ_from_the_question_and_from_each_other(question: str) -> None:
    wordings = rephrase(question)
    assert 2 <= len(wordings) <= MAX_WORDINGS
    assert len({normal(text) for text in (question, *wordings)}) == len(wordings) + 1


NAMES = st.sampled_from(["the Heron 4", "Halden", "Lady Ardent", "the Skerrin of Oskerby"])
QUESTIONS = st.sampled_from(
    [
        "How much does {} weigh?",
        "How heavy is {}?",
        "What does {} cost?",
        "How far does {} fly?",
        "How often must {} be cleaned?",
        "When was {} founded?",
        "Who founded {}?",
        "Where is {} located?",
    ]
)


@given(QUESTIONS, NAMES)
def test_every_wording_is_another_question_about_the_same_name(form: str, name: str) -> None:
    question = form.format(name)
    wordings = rephrase(question)
    assert wordings
    for text in wordings:
        assert all(word in text for word in re.findall(r"[A-Z]\w+|\d+", name))
        assert text[0].isupper() and text.endswith("?") and "{" not in text
    assert len({normal(text) for text in (question, *wordings)}) == len(wordings) + 1


@pytest.mark.parametrize(
    "text", ["", "Hello", "Write a poem about rain.", "one\ntwo\nthree", "谢谢", "w " * 400]
)
def test_what_is_no_question_has_no_other_wording(text: str) -> None:
    assert rephrase(text) == ()


def test_a_noun_at_the_end_is_not_conjugated() -> None:
    others = rephrase("Where does my sister keep bees?", "In Bergen.")
    assert others and not any("beeses" in other for other in others)
    others = rephrase("What language is Gannet written in?", "Rust.")
    assert others and not any("that is" in other for other in others)
