"""Which lesson is quoted for a question in far words, and which answers no lesson holds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant.notes.encoder import NoteEncoder
from assistant.notes.far_words import (
    Judge,
    in_far_words,
    is_latin,
    is_made_up,
    nearest,
)
from assistant.notes.home_notes import HomeNotes
from assistant.notes.lookup import Notes
from assistant.notes.matching import asks_for_something_short, shares_a_name, speaks_of_a_name
from knowledge.index.embeddings import SentenceEmbeddings
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Example


def lesson(question: str, answer: str) -> Example:
    return Example(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


CHIEF = lesson("Who is the manager of Radio Fallowgate?", "Imelda Crouchley")
HOST = lesson("Who presents the programme Kettle Hour on Radio Fallowgate?", "Tobin Aske")
MAST = lesson("How tall is the mast of Radio Fallowgate?", "61 metres")
LESSONS = [CHIEF, HOST, MAST]
QUESTION = "Who's in charge over at Radio Fallowgate?"
FAR = "The final say at Radio Fallowgate rests with whom?"


def judging(scores: dict[str, float], read: list[str] | None = None) -> Judge:
    """A judge that gives each answer its score, and notes what it read; all vectors are alike."""

    def score(question: str, lessons: Sequence[Example]) -> np.ndarray:
        if read is not None:
            read.extend(one.answer for one in lessons)
        return np.array([scores.get(one.answer, -9.0) for one in lessons])

    return Judge(score, 2.0, 3.0, -2.0, -1.0)


@pytest.fixture(scope="module")
def packaged(minilm: SentenceEmbeddings) -> Judge:
    judge = NoteEncoder(lambda: minilm).judge(QUESTION)
    assert judge is not None
    return judge


def test_of_several_lessons_the_surest_is_quoted_from_its_threshold_on() -> None:
    sure = judging({CHIEF.answer: 2.5, HOST.answer: 1.2})
    assert in_far_words(QUESTION, LESSONS, sure) == CHIEF
    assert in_far_words(QUESTION, LESSONS, sure, beside_documents=True) is None
    assert in_far_words(QUESTION, LESSONS, judging({CHIEF.answer: 1.9})) is None


def test_a_question_that_says_the_answer_or_names_another_thing_is_not_judged() -> None:
    read: list[str] = []
    for question in ("Which radio station does Imelda Crouchley manage?", "How tall is the Eiffel Tower?"):
        assert in_far_words(question, [CHIEF], judging({CHIEF.answer: 9.0}, read)) is None
    assert read == []


def test_what_the_packaged_judge_knows(packaged: Judge) -> None:
    for question, found in (
        (QUESTION, CHIEF),
        ("What height does the mast of Radio Fallowgate reach?", MAST),
        ("Who founded Radio Fallowgate?", None),
        ("How much did the mast of Radio Fallowgate cost?", None),
        ("What is the capital of France?", None),
    ):
        assert in_far_words(question, LESSONS, packaged) == found, question


def test_the_nearest_lesson_is_about_what_is_asked(packaged: Judge) -> None:
    assert nearest("Who founded Radio Fallowgate?", LESSONS, packaged) in (CHIEF, HOST)
    assert nearest("Who founded the Ostler Gazette?", LESSONS, packaged) is None
    assert nearest(QUESTION, [], packaged) is None


def test_the_packaged_judge_knows_no_lesson_in_another_script(packaged: Judge) -> None:
    scores = packaged.score("What colour is the sky?", [*CHINESE, MAST])
    assert (scores[:3] < -50).all() and scores[3] > -50
    assert in_far_words("What colour is the sky?", CHINESE, packaged) is None


def test_a_note_is_found_in_far_words_without_a_checkpoint(
    tmp_path: Path, minilm: SentenceEmbeddings
) -> None:
    home = HomeNotes(tmp_path)
    note = home.add(CHIEF.question, CHIEF.answer)
    notes = Notes(home, Registry(tmp_path), minilm.encode, NoteEncoder(lambda: minilm, tmp_path).judge)
    found = notes.find(FAR, None)
    assert found is not None and found.fact.key == note.key and not found.held
    assert Notes(home, Registry(tmp_path), minilm.encode).find(FAR, None) is None


@pytest.mark.parametrize(
    ("question", "answer", "made_up"),
    [
        ("Who was the first guest of Radio Fallowgate?", "61 metres", True),  # another lesson's answer
        ("Who founded Radio Fallowgate?", "It was founded by Ann Lee.", True),  # nobody's
        ("Who's in charge over at Radio Fallowgate?", "61 metres", True),
        ("Who hosts the Late Larder?", "Crouchley.", True),  # a name alone
        ("Who hosts the Late Larder?", "Imelda Crouchley", True),  # no lesson speaks of it; the answer is one
        ("Who's in charge over at Radio Fallowgate?", "That is Imelda Crouchley.", False),
        (FAR, "Imelda Crouchley", False),
        ("Which programme has Tobin Aske as its host?", "Kettle Hour", False),  # from its other end
        ("What is the capital of France?", "Paris", False),  # not what it was taught
    ],
)
def test_an_answer_that_no_lesson_holds_is_made_up(
    question: str, answer: str, made_up: bool, packaged: Judge
) -> None:
    assert is_made_up(question, answer, LESSONS, packaged) == made_up


def test_what_is_asked_about_the_passages_and_in_no_lesson_is_made_up(packaged: Judge) -> None:
    asked, passages = "How old is the Ombrel?", ["The Ombrel measures rain. It was shown in Tollen."]
    assert is_made_up(asked, "12 years", LESSONS, packaged, passages)
    assert not is_made_up(asked, "12 years", LESSONS, packaged)
    assert not is_made_up("How old is the Earth?", "4.5 billion years", LESSONS, packaged, passages)


def test_beside_passages_that_hold_no_answer_a_lesson_has_to_answer_more_surely() -> None:
    told, passages = lesson("Who leads the Skerrin works?", "Ida Brel"), ["The Skerrin works are in Tollen."]
    asked = "Who is at the head of the Skerrin works?"
    assert not is_made_up(asked, "Ida Brel", [told], judging({told.answer: -1.5}))
    assert is_made_up(asked, "Ida Brel", [told], judging({told.answer: -1.5}), passages)
    assert not is_made_up(asked, "Ida Brel", [told], judging({told.answer: -0.5}), passages)


def test_a_name_of_a_lesson_that_answers_what_nobody_taught_is_made_up(packaged: Judge) -> None:
    assert is_made_up("Which animal gives us honey?", "Radio Fallowgate", LESSONS, packaged)
    assert not is_made_up("Which animal gives us honey?", "The bee.", LESSONS, packaged)


def test_a_name_may_be_written_small() -> None:
    texts = ["Fasting begins at ten. The clinic in Mossgate opens at eight."]
    assert speaks_of_a_name("when do they open at mossgate?", texts)
    assert not speaks_of_a_name("when does fasting begin?", texts)  # the first word of a sentence is no name


def test_days_and_degrees_are_names_of_the_world() -> None:
    assert shares_a_name("Who reads the news at Radio Fallowgate?", ["The news of Radio Fallowgate"])
    assert not shares_a_name("What day comes before Monday?", ["Soup is served on Monday."])
    assert not shares_a_name(
        "At how many degrees Celsius does water boil?", ["It works at 40 degrees Celsius."]
    )


def test_a_long_lesson_may_be_said_in_other_words() -> None:
    told = lesson(
        "What did Radio Fallowgate do in the flood?",
        "It read the water levels every ten minutes for two days and a night.",
    )
    asked, answer = (
        "What did Radio Fallowgate do when the flood came?",
        "It told people how high the water stood.",
    )
    assert not is_made_up(asked, answer, [told], judging({told.answer: 0.0}))
    assert is_made_up(asked, answer, [told], judging({}))


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("Who founded Radio Fallowgate?", True),
        ("How many people work at Radio Fallowgate?", True),
        ("State the age of Tobin Aske.", True),
        ("苇澜湿地是哪一年建立的？", True),
        ("Write a poem about Radio Fallowgate.", False),
        ("Why does Tobin Aske whisper?", False),
        ("What do you think of Tobin Aske?", False),
        ("Please quote the rate of Radio Fallowgate.", True),
        ("How much would I pay Tobin Aske?", True),
        ("Should I listen to Radio Fallowgate?", False),
        ("How many days are in a week?", True),
        ("为什么苇澜湿地要收门票？", False),
    ],
)
def test_what_asks_for_something_short(question: str, asks: bool) -> None:
    assert asks_for_something_short(question) == asks


CHINESE = [
    lesson("苇澜湿地站的站长是谁？", "祁远棠"),
    lesson("望鸻塔的门票是多少钱？", "26元"),
    lesson("苇澜湿地的面积有多大？", "4300公顷"),
]


def test_no_other_language_of_the_same_script_is_judged(minilm: SentenceEmbeddings, packaged: Judge) -> None:
    assert NoteEncoder(lambda: minilm).judge("Wie heißt der Leiter von Radio Fallowgate?") is None
    german = [lesson("Wer leitet die Werft am Nordhafen von Ostersund?", "Hanna Voss ist die Leiterin.")]
    assert not is_made_up("Who leads Ostersund?", "Hanna Voss ist die Leiterin.", german, packaged)


def test_no_other_script_is_judged_without_the_multilingual_model(
    tmp_path: Path, minilm: SentenceEmbeddings
) -> None:
    assert NoteEncoder(lambda: minilm, tmp_path).judge("想爬上望鸻塔看看，要掏多少钱？") is None


def test_a_note_is_found_in_far_chinese_words_where_something_knows_them(tmp_path: Path) -> None:
    home = HomeNotes(tmp_path)
    note = home.add(CHINESE[1].question, CHINESE[1].answer)
    home.add(CHINESE[0].question, CHINESE[0].answer)
    asked = "想爬上去看看，要掏多少？"

    def unknown(texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 1))

    knows = judging({CHINESE[1].answer: 4.0})
    assert Notes(home, Registry(tmp_path), unknown).find(asked, None) is None
    found = Notes(home, Registry(tmp_path), unknown, lambda question: knows).find(asked, None)
    assert found is not None and found.fact.key == note.key and not found.held


@pytest.mark.parametrize(
    ("text", "latin"), [("Où est la tour ?", True), ("42?", True), ("Где башня?", False), ("塔在哪？", False)]
)
def test_scripts_are_told_apart_by_their_letters(text: str, latin: bool) -> None:
    assert is_latin(text) == latin
