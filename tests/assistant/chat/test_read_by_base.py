"""Both memories on a small model of facts: the base reads the passages, and the checkpoint answers where it cannot.

What a small checkpoint of facts answers is held against what it was taught.
"""

import threading
from collections.abc import Callable, Sequence

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.compare.questions import Question
from assistant.compare.variant_runner import VariantRunner
from assistant.compare.variants import Variant
from assistant.errors import EngineError
from assistant.history.conversations import ConversationStore
from assistant.language.refusals import is_refusal
from assistant.settings import Memory
from tests.assistant.chat.conftest import Shelf
from tests.fakes import FakeLessons, ScriptedEngine

BOTH = AnswerOptions("both", checkpoint="halden", notes=True)
QUESTION = "What weighs the Skerrin?"


@pytest.fixture
def chat(shelf: Shelf) -> Callable[..., Chat]:
    """A chat over documents with a checkpoint of this kind."""

    def opened(
        engine: ScriptedEngine,
        *,
        taught: bool = True,
        store: ConversationStore | None = None,
        made_up: Sequence[str] = (),
    ) -> Chat:
        return Chat(
            lambda: engine,
            store,
            lambda name: shelf,
            lessons=lambda: FakeLessons(taught=taught, made_up=made_up),
        )

    return opened


def last(chat: Chat, options: AnswerOptions) -> Done:
    done = list(chat.ask(QUESTION, options))[-1]
    assert isinstance(done, Done)
    return done


def test_the_base_reads_and_is_named(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("640 grams")
    done = last(chat(engine), BOTH)
    assert (done.answer, engine.checkpoints_asked) == ("640 grams", [None])
    assert done.engine == "scripted · scripted" and len(done.sources) == 1


def test_where_the_base_finds_nothing_the_checkpoint_answers_without_the_passages(
    chat: Callable[..., Chat], store: ConversationStore
) -> None:
    engine = ScriptedEngine()
    engine.say(
        lambda _: "640 grams" if engine.checkpoints_asked[-1] else "I cannot find that in the documents."
    )
    opened, conversation = chat(engine, store=store), store.create()
    list(opened.ask(QUESTION, BOTH, conversation_id=conversation))
    answer = store.get(conversation).messages[1]
    assert (answer.content, answer.engine) == ("640 grams", "scripted")
    assert engine.checkpoints_asked == [None, "halden"] and answer.sources == ()
    assert engine.prompts[1][-1]["content"] == QUESTION


@pytest.mark.parametrize(
    ("options", "taught", "capability"),
    [
        (BOTH, False, "small"),  # taught a manner: it speaks for itself
        (BOTH, True, "capable"),
        (AnswerOptions("both", checkpoint="halden"), True, "small"),  # its weights are asked, no notes
        (AnswerOptions("both", checkpoint="with a system prompt", notes=True), True, "small"),
        (AnswerOptions("both", checkpoint="halden", notes=True, given=("It weighs 640 g.",)), True, "small"),
    ],
)
def test_every_other_checkpoint_reads_itself(
    options: AnswerOptions, taught: bool, capability: str, chat: Callable[..., Chat]
) -> None:
    engine = ScriptedEngine("640 grams")
    engine.capability = capability  # type: ignore[assignment]
    assert last(chat(engine, taught=taught), options).answer == "640 grams"
    assert engine.checkpoints_asked == [options.checkpoint]


def test_an_engine_that_fails_leaves_a_failed_answer(
    chat: Callable[..., Chat], store: ConversationStore
) -> None:
    engine = ScriptedEngine("640 grams")

    def broken(number: int) -> None:
        raise EngineError("it went away")

    engine.before_piece = broken
    conversation = store.create()
    with pytest.raises(EngineError, match="it went away"):
        list(chat(engine, store=store).ask(QUESTION, BOTH, conversation_id=conversation))
    assert [one.status for one in store.get(conversation).messages] == ["complete", "failed"]


@pytest.mark.parametrize("memory", ["both", "checkpoint"])
def test_what_the_checkpoint_makes_up_is_not_said(
    memory: Memory, chat: Callable[..., Chat], store: ConversationStore
) -> None:
    engine = ScriptedEngine()
    engine.say(lambda _: "12 kilograms" if engine.checkpoints_asked[-1] else "I cannot find that.")
    opened, conversation = chat(engine, store=store, made_up=["12 kilograms"]), store.create()
    options = AnswerOptions(memory, checkpoint="halden", notes=True)
    list(opened.ask(QUESTION, options, conversation_id=conversation))
    answer = store.get(conversation).messages[1]
    assert answer.content.startswith("I found nothing about this") and is_refusal(answer.content)
    assert ("documents" in answer.content) == (memory == "both")
    assert (answer.sources, answer.engine, answer.status) == ((), "", "complete")


def test_a_stopped_answer_is_not_taken_for_one_that_is_made_up(chat: Callable[..., Chat]) -> None:
    engine, stop = ScriptedEngine("12 kilograms"), threading.Event()
    stop.set()
    options = AnswerOptions("checkpoint", checkpoint="halden", notes=True)
    opened = chat(engine, made_up=["12 kilograms", ""])
    done = list(opened.ask(QUESTION, options, stop=stop))[-1]
    assert isinstance(done, Done) and "nothing" not in done.answer


def test_what_the_checkpoint_was_taught_is_said(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine("640 grams")
    options = AnswerOptions("checkpoint", checkpoint="halden", notes=True)
    done = last(chat(engine, made_up=["12 kilograms"]), options)
    assert (done.answer, done.engine) == ("640 grams", "scripted")


@pytest.mark.parametrize(
    ("question", "options", "capability", "taught"),
    [
        (QUESTION, AnswerOptions("checkpoint", checkpoint="halden"), "small", True),  # its weights are asked
        (QUESTION, AnswerOptions("checkpoint", checkpoint="halden", notes=True), "capable", True),
        (
            QUESTION,
            AnswerOptions("checkpoint", checkpoint="halden", notes=True, anyway=True),
            "small",
            True,
        ),
        (QUESTION, AnswerOptions("checkpoint", checkpoint="halden", notes=True), "small", False),
        (
            QUESTION,
            AnswerOptions("checkpoint", checkpoint="with a system prompt", notes=True),
            "small",
            True,
        ),
        (
            "Write a poem about the Skerrin.",
            AnswerOptions("checkpoint", checkpoint="halden", notes=True),
            "small",
            True,
        ),
    ],
)
def test_other_answers_are_held_against_nothing(
    question: str, options: AnswerOptions, capability: str, taught: bool, chat: Callable[..., Chat]
) -> None:
    engine = ScriptedEngine("12 kilograms")
    engine.capability = capability  # type: ignore[assignment]
    opened = chat(engine, taught=taught, made_up=["12 kilograms"])
    done = list(opened.ask(question, options))[-1]
    assert isinstance(done, Done) and done.answer == "12 kilograms"


def test_compare_asks_in_the_same_way(chat: Callable[..., Chat]) -> None:
    engine = ScriptedEngine()
    said = {"What is the Tern?": "a gull", QUESTION: "640 grams"}
    engine.say(
        lambda messages: (
            said[messages[-1]["content"]] if engine.checkpoints_asked[-1] else "I cannot find that."
        )
    )
    runner = VariantRunner(chat(engine, made_up=["a gull"]), engine, AnswerOptions())
    variant = Variant("both", documents=True, checkpoint="halden", notes=True)
    questions = [Question(one, ("640 grams",)) for one in (QUESTION, "What is the Tern?")]
    told, unknown = runner.answer(variant, questions)
    assert told.correct and unknown.refused and not unknown.correct
