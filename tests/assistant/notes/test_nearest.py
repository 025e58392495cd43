"""Which lesson is quoted for a question in far words: by likeness, and by what the weights hold to be likely."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from assistant.notes.home_notes import HomeNotes
from assistant.notes.lookup import Notes
from assistant.notes.nearest import in_far_words, likeness, most_alike, nearest, without_subject
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


def test_of_lessons_that_are_alike_the_likelier_answer_is_chosen(minilm: SentenceEmbeddings) -> None:
    for right, wrong in ((CHIEF, HOST), (HOST, CHIEF)):
        values = {right.answer: -0.1, wrong.answer: -4.0}
        assert nearest(QUESTION, [CHIEF, HOST], minilm.encode, values.__getitem__, 0.1) == right


def test_nothing_is_quoted_where_the_weights_hold_no_answer_to_be_likely(minilm: SentenceEmbeddings) -> None:
    assert nearest(QUESTION, LESSONS, minilm.encode, lambda answer: -5.0) is None
    assert nearest(QUESTION, LESSONS, minilm.encode, lambda answer: float("-inf")) is None


def test_a_question_about_something_else_asks_no_model(minilm: SentenceEmbeddings) -> None:
    def likelihood(answer: str) -> float:
        raise AssertionError(answer)

    for question in ("What is the capital of France?", "How tall is the Eiffel Tower?", "法国的首都是哪里？"):
        assert nearest(question, LESSONS, minilm.encode, likelihood) is None


def test_a_question_that_says_the_answer_already_is_no_question_for_it(minilm: SentenceEmbeddings) -> None:
    question = "Which radio station does Imelda Crouchley manage?"
    assert nearest(question, [CHIEF], minilm.encode, lambda answer: 0.0) is None


@pytest.mark.parametrize("enough", [0.6, 5.0])
def test_beside_documents_more_is_asked(minilm: SentenceEmbeddings, enough: float) -> None:
    found = nearest(QUESTION, LESSONS, minilm.encode, lambda answer: 0.0, enough)
    assert (found is None) == (enough > 2)


def test_shared_words_count_by_how_rare_they_are() -> None:
    def no_likeness(texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 1))

    shared = likeness("How tall is the mast?", LESSONS, LESSONS, no_likeness)
    assert int(np.argmax(shared)) == 2 and shared.max() <= 1


CHINESE = [
    lesson("苇澜湿地站的站长是谁？", "祁远棠"),
    lesson("望鸻塔的门票是多少钱？", "26元"),
    lesson("苇澜湿地的面积有多大？", "4300公顷"),
]


def test_in_other_scripts_nothing_is_found_without_the_multilingual_vectors(
    minilm: SentenceEmbeddings,
) -> None:
    for question in ("苇澜湿地站的哪座塔有姜黄色的外墙？", "想爬上望鸻塔看看，要掏多少钱？"):
        assert in_far_words(question, CHINESE, minilm.encode, None, lambda answer: 0.0) is None


def test_without_a_likelihood_nothing_is_found_in_latin_script(minilm: SentenceEmbeddings) -> None:
    question = "Who is the manager over at Radio Fallowgate?"
    assert in_far_words(question, LESSONS, minilm.encode, None, None) is None
    assert in_far_words(question, LESSONS, minilm.encode, None, lambda answer: 0.0) == CHIEF


def by_characters(texts: Sequence[str]) -> np.ndarray:
    """Vectors that are alike as far as the texts have the same characters."""
    rows = np.zeros((len(texts), 0x3000))
    for row, text in enumerate(texts):
        for character in set(text):
            rows[row, ord(character) % 0x3000] = 1.0
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_questions_are_compared_without_the_subject_that_both_have() -> None:
    assert without_subject("苇澜湿地站的讲解员是谁？", "苇澜湿地站的站长是谁？") == (
        "它讲解员是谁",
        "它站长是谁",
    )
    assert without_subject("多少钱？", "谁") == ("多少钱", "谁")
    question = "苇澜湿地站的站长是哪位？"
    assert most_alike(question, CHINESE, by_characters, 0.55) == CHINESE[0]
    assert most_alike(question, CHINESE, by_characters, 0.99) is None
    # Nearly all characters are the same, and they are those of the subject.
    assert most_alike("苇澜湿地的水位有多高？", CHINESE, by_characters, 0.55) is None


def test_a_chinese_question_that_says_the_answer_is_no_question_for_it() -> None:
    assert most_alike("祁远棠是哪里的站长？", CHINESE[:1], by_characters, 0.0) is None


def test_a_note_is_found_in_far_chinese_words_where_the_multilingual_model_was_fetched(
    tmp_path: Path,
) -> None:
    def by_subject(texts: Sequence[str]) -> np.ndarray:
        return np.array([[1.0, 0.0] if "票" in text or "掏" in text else [0.0, 1.0] for text in texts])

    home = HomeNotes(tmp_path)
    note = home.add("望鸻塔的门票是多少钱？", "26元")
    home.add("苇澜湿地站的站长是谁？", "祁远棠")
    asked = "想爬上去看看，要掏多少？"
    unknown = np.zeros((99, 1))
    assert Notes(home, Registry(tmp_path), lambda texts: unknown[: len(texts)]).find(asked, None) is None
    notes = Notes(home, Registry(tmp_path), lambda texts: unknown[: len(texts)], lambda: by_subject)
    found = notes.find(asked, None)
    assert found is not None and found.fact.key == note.key and not found.held
