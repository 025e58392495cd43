"""Both memories on a small model of facts: the base reads the passages, the checkpoint what the base cannot."""

from collections.abc import Callable

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.errors import EngineError
from assistant.history.conversations import ConversationStore
from tests.assistant.chat.conftest import Shelf
from tests.fakes import ScriptedEngine

BOTH = AnswerOptions("both", checkpoint="halden", notes=True)
QUESTION = "What weighs the Skerrin?"


@pytest.fixture
def chat(shelf: Shelf) -> Callable[..., Chat]:
    """A chat over documents with a checkpoint of this kind."""

    def opened(
        engine: ScriptedEngine, *, taught: bool = True, store: ConversationStore | None = None
    ) -> Chat:
        return Chat(
            lambda: engine,
            store,
            lambda name: shelf,
            note=lambda *asked: None,
            was_taught=lambda checkpoint: taught,
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


def test_where_the_base_finds_nothing_the_checkpoint_reads(
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
    assert engine.checkpoints_asked == [None, "halden"]


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
