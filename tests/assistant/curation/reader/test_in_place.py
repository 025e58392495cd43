"""Chinese questions in place: what is kept of a message, and the question word where the answer stood."""

from types import SimpleNamespace

import numpy as np

from assistant.curation.reader.answer_spans import Span
from assistant.curation.reader.in_place import (
    IN_PLACE_HEADS,
    QUESTION_WORDS,
    composed,
    in_answer,
    marked,
    question_in_place,
)
from benchmarks.facts.in_place_labels import from_messages, labelled
from knowledge.search.low_rank import TokenStates

TEXT = "顺便说一下，会费是每人八十块。"
START, END = 9, 14


class OneCharacterATokens:
    """An encoder whose state of a token says whether it is kept, and which word is asked."""

    def __init__(self, kept: str, word: str) -> None:
        self.kept, self.word = kept, word

    def besides(self, name: str) -> np.ndarray:
        size = len(QUESTION_WORDS)
        return {
            IN_PLACE_HEADS[0]: np.eye(1, size + 1, dtype=np.float32),
            IN_PLACE_HEADS[1]: np.array([-0.5], dtype=np.float32),
            IN_PLACE_HEADS[2]: np.eye(size, size + 1, 1, dtype=np.float32),
            IN_PLACE_HEADS[3]: np.zeros(size, dtype=np.float32),
        }[name]

    def tokens(self, text: str, max_tokens: int) -> TokenStates:
        states = np.zeros((len(text), len(QUESTION_WORDS) + 1), dtype=np.float32)
        for place, char in enumerate(text):
            states[place, 0] = char in self.kept
            states[place, 1 + QUESTION_WORDS.index(self.word)] = 20.0
        return TokenStates(states, np.array([(place, place + 1) for place in range(len(text))]))


def test_a_question_keeps_words_and_asks_where_the_answer_stood() -> None:
    spans = SimpleNamespace(encoder=OneCharacterATokens("会费是", "多少"))
    asked, sure = question_in_place(spans, TEXT, Span(START, END, 1.0))  # type: ignore[arg-type]
    assert asked == "会费是多少？" and sure > 0.99


def test_brackets_move_nothing() -> None:
    assert marked(TEXT, START, END) == "顺便说一下，会费是【每人八十块】。"
    kept = [char in "会费是。" for char in TEXT]
    assert composed(TEXT, START, END, kept, "多少") == "会费是多少？"
    inside = in_answer(OneCharacterATokens("", "什么").tokens(marked(TEXT, START, END), 99), START, END)
    assert inside.sum() == END - START + 2 and inside[START] and inside[END + 1]


def test_labels_are_what_message_and_question_share() -> None:
    one = labelled(TEXT, "每人八十块", "会费是多少？")
    assert one is not None and QUESTION_WORDS[one.word] == "多少" and one.covered == 1
    assert composed(one.text, one.start, one.end, one.kept, "多少") == "会费是多少？"


def test_a_single_character_counts_beside_the_answer() -> None:
    one = labelled("表弟不是学兽医，他学动物营养", "动物营养", "表弟学什么？")
    assert one is not None and composed(one.text, one.start, one.end, one.kept, "什么") == "表弟学什么？"


def test_what_cannot_be_labelled_is_none() -> None:
    assert labelled(TEXT, "九十块", "会费是多少？") is None
    assert labelled(TEXT, "每人八十块", "会费不是八十块吗？") is None


def test_most_of_what_is_trained_on_says_most_of_its_question() -> None:
    made = from_messages()
    assert len(made) > 900 and sum(one.covered > 0.8 for one in made) > 0.6 * len(made)
