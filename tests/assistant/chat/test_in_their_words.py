"""Documents answer a fact in their own words: a small model says whether they do."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.chat.chat import Chat
from assistant.chat.passage_judge import HARDLY, SURELY, SURELY_BESIDE, PassageJudge
from assistant.chat.presets import Order
from assistant.chat.turn import AnswerOptions, Done
from assistant.compare.questions import Question
from assistant.compare.variant_runner import VariantRunner
from assistant.compare.variants import Variant
from assistant.history.conversations import ConversationStore
from assistant.history.records import QUOTED
from assistant.history.sources import Source
from assistant.notes.lookup import Match
from tests.assistant.chat.conftest import SKERRIN, Shelf
from tests.fakes import FakeLessons, ScriptedEngine
from tuning.data.examples import Example

QUESTION = "How many grams does the Skerrin weigh?"
DOCUMENTS = AnswerOptions("documents")
BOTH = AnswerOptions("both", checkpoint="halden", notes=True)
REFUSAL = "I cannot find that in the documents."


def holding(word: str, sure: float = SURELY + 1) -> Callable[[str, Sequence[str]], np.ndarray]:
    """A judge that knows which text answers: the shortest with the word."""

    def score(question: str, texts: Sequence[str]) -> np.ndarray:
        return np.array([sure - len(text) / 10_000 if word in text else -9.0 for text in texts])

    return score


@pytest.fixture
def chat(shelf: Shelf) -> Callable[..., Chat]:
    """A chat over a document, with what its small model says."""

    def opened(
        engine: ScriptedEngine, sure: float = SURELY + 1, store: ConversationStore | None = None
    ) -> Chat:
        return Chat(
            lambda: engine,
            store,
            lambda name: shelf,
            lessons=lambda: FakeLessons(taught=True),
            judge=lambda: PassageJudge(holding("640", sure)),
        )

    return opened


def done(chat: Chat, options: AnswerOptions, question: str = QUESTION) -> Done:
    last = list(chat.ask(question, options))[-1]
    assert isinstance(last, Done)
    return last


@pytest.mark.parametrize("said", [REFUSAL, "95 days.", "640 grams.", ""])
@pytest.mark.parametrize("options", [DOCUMENTS, BOTH], ids=["documents", "both"])
def test_documents_answer_in_their_own_words(
    chat: Callable[..., Chat], said: str, options: AnswerOptions
) -> None:
    engine = ScriptedEngine(said)
    last = done(chat(engine), options)
    assert last.answer in SKERRIN and "640" in last.answer
    assert (last.ending, last.engine) == (QUOTED, "")
    assert last.prompt_tokens > 0 and len(engine.prompts) == 1  # the model was asked
    assert [source.sent for source in last.sources] == [
        SKERRIN
    ]  # whole: the sentence may be none that it read


@pytest.mark.parametrize("options", [DOCUMENTS, BOTH], ids=["documents", "both"])
def test_a_model_that_finds_nothing_is_believed_unless_the_judge_is_sure(
    chat: Callable[..., Chat], options: AnswerOptions
) -> None:
    last = done(chat(ScriptedEngine(REFUSAL), SURELY - 0.1), options)
    assert (last.answer, last.ending) == (REFUSAL, "")
    assert done(chat(ScriptedEngine("95 days."), HARDLY + 0.1), options).ending == QUOTED


@pytest.mark.parametrize(
    "options",
    [
        replace(DOCUMENTS, anyway=True),
        replace(DOCUMENTS, system_prompt="Answer like a pirate."),
        replace(DOCUMENTS, order=Order("Answer in one word.")),
        AnswerOptions("documents", given=(SKERRIN,)),
        AnswerOptions("nothing"),
        AnswerOptions("checkpoint", checkpoint="halden"),
    ],
)
def test_a_person_who_chose_how_it_answers_gets_the_model(
    chat: Callable[..., Chat], options: AnswerOptions
) -> None:
    assert done(chat(ScriptedEngine("95 days.")), options).answer == "95 days."


@pytest.mark.parametrize(
    "question",
    [
        "Summarise the Skerrin.",
        "Why is the Skerrin orange?",
        "斯凯林有多重？",
        "Wie schwer ist die Skerrin denn nun?",
    ],
)
def test_other_questions_are_the_models(question: str) -> None:
    judge = PassageJudge(holding("640"))
    assert judge.may_hold_an_answer(QUESTION, [Source(1, SKERRIN)])
    assert not judge.may_hold_an_answer(QUESTION, [])
    assert not judge.may_hold_an_answer(question, [Source(1, SKERRIN)])


@pytest.mark.parametrize(
    "question", ["Skerrin, weight?", "Is the Skerrin heavy?", "State the weight of the skerrin"]
)
def test_a_fact_may_be_asked_for_in_any_form(question: str) -> None:
    judge = PassageJudge(holding("640", HARDLY + 1))
    assert judge.may_hold_an_answer(question, [Source(1, SKERRIN)])
    assert not judge.may_hold_an_answer("Thanks for the Skerrin.", [Source(1, SKERRIN)])


def test_what_is_not_about_the_documents_has_to_stand_there_surely(chat: Callable[..., Chat]) -> None:
    question, engine = "How many ounces are 640 grams?", ScriptedEngine("22.6")  # names nothing that they do
    assert done(chat(engine, SURELY - 0.1), DOCUMENTS, question).answer == "22.6"
    assert SKERRIN in engine.prompts[0][-1]["content"]
    assert done(chat(engine, SURELY - 0.1), BOTH, question).answer == "22.6"
    assert engine.prompts[1][-1]["content"] == question  # a checkpoint does not read them
    assert done(chat(engine, SURELY + 0.1), DOCUMENTS, question).ending == QUOTED
    assert done(chat(engine, SURELY + 0.1), BOTH, question).answer == "22.6"
    assert engine.prompts[-1][-1]["content"] == question
    assert done(chat(engine, SURELY_BESIDE + 0.1), BOTH, question).ending == QUOTED


def test_a_larger_model_reads_for_itself(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("95 days.")
    engine.capability = "capable"
    assert done(chat(engine), DOCUMENTS).answer == "95 days."


def test_it_is_kept_in_the_history(chat: Callable[..., Chat], tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "conversations.sqlite3")
    conversation = store.create()
    list(chat(ScriptedEngine("95 days."), store=store).ask(QUESTION, DOCUMENTS, conversation_id=conversation))
    answer = store.get(conversation).messages[-1]
    assert "640" in answer.content and (answer.ending, answer.status) == (QUOTED, "complete")


@pytest.mark.parametrize(
    "variant", [Variant("rag", documents=True), Variant("b", documents=True, checkpoint="halden", notes=True)]
)
def test_a_comparison_says_what_the_chat_says(chat: Callable[..., Chat], variant: Variant) -> None:
    engine = ScriptedEngine("95 days.")
    runner = VariantRunner(chat(engine), engine, AnswerOptions())
    (answer,) = runner.answer(variant, [Question(QUESTION, ("640 grams",))])
    assert answer.correct and answer.text in SKERRIN


def test_what_is_quoted_can_be_understood_by_itself() -> None:
    table = "machine | rate | size\nband saw | £9 | 310 mm\nlathe | £7 | 900 mm"
    text = f"The bridge was built in 1911. It cost £9,000. The tolls went in 1950.\n\n{table}\n\nHours\n\nOpen from 9."
    passages = [Source(1, text, title="Bridges")]

    def quoted(word: str) -> str:
        return PassageJudge(holding(word)).in_their_words("How much?", passages, REFUSAL)

    assert quoted("900 mm") == "machine: lathe; rate: £7; size: 900 mm"
    assert quoted("£9,000") == "The bridge was built in 1911. It cost £9,000."
    assert quoted("1911") == "The bridge was built in 1911."
    assert quoted("1950") == "The tolls went in 1950."
    assert quoted("from 9") == "Open from 9."


def test_a_model_that_names_a_cell_of_the_row_asked_for_is_believed() -> None:
    table = Source(
        1, "product | price | days\nVesk | 3260 | 38\nVesk float | 142 | 20\nOmbrel | 174 | 5", title="Prices"
    )
    judge = PassageJudge(holding("142"))
    assert judge.in_their_words("How much is a Vesk?", [table], "3260.") == ""
    assert judge.in_their_words("How much is a Vesk?", [table], "174.").startswith("product: Vesk float")
    assert judge.in_their_words("How much is a Vesk?", [table], REFUSAL).startswith("product: Vesk float")


@pytest.mark.parametrize(
    ("lesson", "otherwise"),
    [
        ("Tollen", True),  # it stands there, and answers something else
        ("Oskerby", False),  # the documents do not know it: a person told it
        ("Ida Brel", False),
    ],
)
def test_documents_that_answer_otherwise_speak_against_a_lesson(lesson: str, otherwise: bool) -> None:
    passages = [
        Source(1, "Ida Brel leads the Skerrin works."),
        Source(2, "The works were built there. Tollen grew."),
    ]
    asked = "Who leads the Skerrin works?"
    assert PassageJudge(holding("Brel")).answer_otherwise(asked, passages, lesson) == otherwise
    assert not PassageJudge(holding("Brel", SURELY - 0.1)).answer_otherwise(asked, passages, lesson)


@pytest.mark.parametrize("is_far", [True, False])
def test_a_lesson_in_far_words_gives_way_to_them(tmp_path: Path, is_far: bool) -> None:
    weight = "The Skerrin weighs 640 grams."
    (tmp_path / "a.md").write_text(
        f"{weight} It has a mast. The mast of the Skerrin is orange.", encoding="utf-8"
    )
    told = ({"role": "user", "content": "Which colour has it?"}, {"role": "assistant", "content": "orange"})
    match = Match(Example(told), held=False, is_far=is_far)
    with Shelf(tmp_path / "base") as shelf:
        shelf.add([tmp_path / "a.md"])
        chat = Chat(
            lambda: ScriptedEngine("640 grams"),
            None,
            lambda name: shelf,
            lessons=lambda: FakeLessons(match, taught=True),
            judge=lambda: PassageJudge(holding("640")),
        )
        assert done(chat, BOTH).answer == (weight if is_far else "orange")
        shelf.finds = False
        assert done(chat, BOTH).answer == "orange"


def test_two_sentences_are_quoted_where_either_may_answer() -> None:
    def score(question: str, texts: Sequence[str]) -> np.ndarray:
        return np.array([3.0 if len(text) > 40 else 1.0 for text in texts])

    passage = Source(1, "The tower has a hall. The hall has 219 steps.")
    assert PassageJudge(score).in_their_words("How many?", [passage], "219") == passage.text


def test_of_pieces_that_answer_alike_that_of_the_better_passage_is_quoted() -> None:
    def score(question: str, texts: Sequence[str]) -> np.ndarray:
        return np.array([1.0 if "Vera" in text else 1.2 for text in texts])

    passages = [Source(1, "Vera leads."), Source(2, "Ida leads.")]
    assert PassageJudge(score).in_their_words("Who leads?", passages, "Ida") == "Vera leads."
