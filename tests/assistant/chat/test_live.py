"""Answers in the background: they go on without the page, in the language of whoever asked."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.background import MAX_FINISHED
from assistant.chat.chat import Chat
from assistant.chat.live import LiveAnswers
from assistant.chat.turn import AnswerOptions, ChatEvent, Done
from assistant.errors import AssistantError
from assistant.history.conversations import ConversationStore
from assistant.i18n.texts import TEXTS, use_language
from knowledge.base.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedEngine


class EmptyHanded(KnowledgeBase):
    """It holds documents and finds nothing in them."""

    def __init__(self) -> None:
        self.foreign = False

    @property
    def count(self) -> int:
        return 1

    def is_foreign(self, question: str) -> bool:
        return self.foreign

    def languages(self) -> tuple[str, ...]:
        return ()

    def search(self, *args: object, **options: object) -> list[object]:  # type: ignore[override]
        return []


@pytest.fixture
def chinese() -> Iterator[None]:
    use_language("zh")
    yield
    use_language("en")


@pytest.mark.usefixtures("chinese")
def test_a_chinese_user_gets_and_keeps_that_nothing_was_found_in_chinese(tmp_path: Path) -> None:
    store, base = ConversationStore(tmp_path / "conversations.sqlite3"), EmptyHanded()
    chat, conversation = Chat(ScriptedEngine, store, lambda name: base), store.create()

    def turn(stop: threading.Event) -> Iterator[ChatEvent]:
        return chat.ask("谁写了它？", AnswerOptions("documents"), conversation_id=conversation, stop=stop)

    answer = LiveAnswers().start(conversation, "谁写了它？", turn)
    assert answer.wait(30) and not answer.error
    assert answer.text == TEXTS["chat.nothing_found"]["zh"] == store.get(conversation).messages[-1].content


def test_a_question_in_a_language_of_no_document_is_told_so(tmp_path: Path) -> None:
    base = EmptyHanded()
    base.foreign = True
    store = ConversationStore(tmp_path / "conversations.sqlite3")
    chat = Chat(lambda: ScriptedEngine("an invention"), store, lambda name: base)
    done = list(chat.ask("谁写了它？", AnswerOptions("documents"), conversation_id=store.create()))[-1]
    assert isinstance(done, Done) and done.answer == TEXTS["chat.nothing_found.foreign"]["en"]


def test_an_answer_is_followed_to_its_end_and_one_runs_for_each_key() -> None:
    engine, goes_on = ScriptedEngine("one two"), threading.Event()
    engine.before_piece = lambda number: None if number == 0 else assert_set(goes_on)
    chat, answers = Chat(lambda: engine), LiveAnswers()
    answer = answers.start("key", "Count.", lambda stop: chat.ask("Count.", stop=stop))
    with pytest.raises(AssistantError, match="still being written"):
        answers.start("key", "Count.", lambda stop: chat.ask("Count.", stop=stop))
    goes_on.set()
    assert answer.wait(30)
    assert (answer.text, answer.phase, answer.error) == ("one two", "ended", "")
    assert answer.done and answer.done.answer == "one two" and answers.get("key") is answer


def assert_set(event: threading.Event) -> None:
    assert event.wait(30)


def test_only_the_newest_answers_are_kept() -> None:
    chat, answers = Chat(ScriptedEngine), LiveAnswers()
    for key in range(MAX_FINISHED + 20):
        assert answers.start(key, "Hello?", lambda stop: chat.ask("Hello?", stop=stop)).wait(30)
    assert answers.get(0) is None
    assert answers.get(MAX_FINISHED + 19) is not None
