"""Passages that hold no answer in the opinion of the judge are not read."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from assistant.chat.chat import Chat
from assistant.chat.nothing_found import nothing_found
from assistant.chat.passage_judge import HARDLY, PassageJudge
from assistant.chat.turn import AnswerOptions, Done
from assistant.compare.questions import Question
from assistant.compare.variant_runner import VariantRunner
from assistant.compare.variants import Variant
from assistant.history.sources import Source
from tests.assistant.chat.conftest import SKERRIN, Shelf
from tests.fakes import FakeLessons, ScriptedEngine

QUESTION = "Who painted the Skerrin?"
DOCUMENTS = AnswerOptions("documents")
BOTH = AnswerOptions("both", checkpoint="halden", notes=True)


class Scores:
    """Every text has the same score; what was asked is kept."""

    def __init__(self, score: float) -> None:
        self.score = score
        self.texts: list[str] = []

    def __call__(self, question: str, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return np.full(len(texts), self.score, dtype=np.float32)


def hardly() -> Scores:
    return Scores(HARDLY - 1)


@pytest.fixture
def chat(shelf: Shelf) -> Callable[..., Chat]:
    """A chat over documents, whose passages are judged so."""

    def opened(engine: ScriptedEngine, scores: Scores) -> Chat:
        return Chat(
            lambda: engine,
            None,
            lambda name: shelf,
            lessons=lambda: FakeLessons(taught=True),
            judge=lambda: PassageJudge(scores),
        )

    return opened


def done(chat: Chat, options: AnswerOptions, question: str = QUESTION) -> Done:
    last = list(chat.ask(question, options))[-1]
    assert isinstance(last, Done)
    return last


def test_a_small_model_reads_no_passages_that_hold_no_answer(chat: Callable[..., Chat]) -> None:
    engine, scores = ScriptedEngine("Ida Brel"), hardly()
    last = done(chat(engine, scores), DOCUMENTS)
    assert (last.answer, last.sources, engine.prompts) == (nothing_found(""), (), [])
    assert scores.texts and scores.texts[0].endswith(SKERRIN)  # below the title of its document


def test_what_may_hold_one_is_read(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("Ida Brel")
    last = done(chat(engine, Scores(HARDLY + 1)), DOCUMENTS)
    assert SKERRIN in engine.prompts[0][-1]["content"] and len(last.sources) == 1


def test_a_person_may_have_them_read_all_the_same(chat: Callable[..., Chat]) -> None:
    last = done(chat(ScriptedEngine("Ida Brel"), hardly()), AnswerOptions("documents", anyway=True))
    assert last.answer == "Ida Brel" and len(last.sources) == 1


def test_with_both_memories_the_checkpoint_answers_without_them(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("Ida Brel")
    last = done(chat(engine, hardly()), BOTH)
    assert (last.answer, last.sources, engine.checkpoints_asked) == ("Ida Brel", (), ["halden"])
    assert [prompt[-1]["content"] for prompt in engine.prompts] == [QUESTION]


def test_what_is_no_matter_of_the_documents_is_left_to_the_model(chat: Callable[..., Chat]) -> None:
    question = "How much is 640 grams in ounces?"  # names nothing that the passage does
    engine = ScriptedEngine("22.6")
    assert done(chat(engine, hardly()), DOCUMENTS, question).answer == "22.6"
    assert SKERRIN in engine.prompts[0][-1]["content"]
    done(chat(engine, hardly()), BOTH, question)  # a checkpoint answers it without them
    assert engine.prompts[1][-1]["content"] == question


def test_a_larger_model_judges_for_itself(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("Ida Brel")
    engine.capability = "capable"
    assert done(chat(engine, hardly()), DOCUMENTS).answer == "Ida Brel"


@pytest.mark.parametrize(
    "question",
    [
        "Summarise what is said about the Skerrin.",
        "Why is the Skerrin painted?",
        "Is the Skerrin painted?",
        "Wie schwer ist die Skerrin eigentlich?",
        "斯凯林是谁漆的？",
    ],
)
def test_other_questions_and_other_languages_are_not_judged(question: str) -> None:
    scores = hardly()
    assert not PassageJudge(scores).holds_no_answer(question, [Source(1, SKERRIN)]) and scores.texts == []


def test_passages_in_another_language_are_not_judged() -> None:
    german = Source(1, "Die Skerrin wiegt 640 Gramm und wurde im Hafen orange gestrichen.")
    assert not PassageJudge(hardly()).holds_no_answer(QUESTION, [german])
    assert not PassageJudge(hardly()).holds_no_answer(QUESTION, [])


def test_a_comparison_says_what_the_chat_says(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("Ida Brel")
    runner = VariantRunner(chat(engine, hardly()), engine, AnswerOptions())
    (answer,) = runner.answer(Variant("rag", documents=True), [Question(QUESTION, ("Ida Brel",))])
    assert (answer.text, answer.refused, answer.correct, engine.prompts) == (
        nothing_found(""),
        True,
        False,
        [],
    )
