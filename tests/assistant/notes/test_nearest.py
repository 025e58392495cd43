"""Which lesson is quoted for a question in far words: by likeness, and by what the weights hold to be likely."""

from collections.abc import Sequence

import numpy as np
import pytest

from assistant.notes.nearest import likeness, nearest
from knowledge.index.embeddings import SentenceEmbeddings
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


def test_in_scripts_that_the_vectors_do_not_know_nothing_is_found(minilm: SentenceEmbeddings) -> None:
    chinese = [lesson("苇澜湿地站的站长是谁？", "祁远棠"), lesson("望鸻塔的门票是多少钱？", "26元")]
    for question in ("苇澜湿地站的哪座塔有姜黄色的外墙？", "想爬上望鸻塔看看，要掏多少钱？"):
        assert nearest(question, chinese, minilm.encode, lambda answer: 0.0) is None
