"""One turn: what is asked, sent, streamed and kept."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assistant.chat import Asked, Budgeted, Chat, Done, How, Retrieved, Token
from assistant.conversations import ConversationStore
from assistant.errors import AssistantError, ConversationError, EngineError, PromptTooLongError
from tests.assistant.scripted import ScriptedEngine


@dataclass
class Shelf:
    """Stands for a knowledge base: gives the passages it was made with and remembers the questions."""

    passages: list[str]

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    @property
    def count(self) -> int:
        return len(self.passages)

    def search(self, question: str, k: int, history: Any = (), documents: Any = None) -> list[Any]:
        self.asked.append((question, tuple(history)))
        return [_hit(text) for text in self.passages[:k] if "irrelevant" not in text]


def _hit(text: str) -> Any:
    from types import SimpleNamespace as Namespace

    passage = Namespace(
        id="p1", text=text, source="a.md", title="A", page=None, headings=("H",), document_id="d1"
    )
    return Namespace(passage=passage, score=1.0)


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations.sqlite3")


def test_events_come_in_the_order_of_the_turn(store: ConversationStore) -> None:
    engine, shelf = ScriptedEngine("640 grams"), Shelf(["The Skerrin weighs 640 grams."])
    chat = Chat(lambda: engine, store, lambda name: shelf)
    conversation = store.create()
    events = list(chat.ask("How heavy?", How("documents"), conversation_id=conversation))
    assert [type(event) for event in events] == [Asked, Retrieved, Budgeted, Token, Token, Done]
    done = events[-1]
    assert isinstance(done, Done)
    assert done.answer == "640 grams" == "".join(e.text for e in events if isinstance(e, Token))
    assert done.sources[0]["text"] == "The Skerrin weighs 640 grams."
    assert 0 < done.seconds_to_first_token <= done.seconds
    assert "The Skerrin weighs 640 grams." in engine.prompts[0][-1]["content"]


def test_what_was_answered_is_kept_with_its_sources_and_figures(store: ConversationStore) -> None:
    chat = Chat(lambda: ScriptedEngine("640 grams"), store, lambda name: Shelf(["It weighs 640 grams."]))
    conversation = store.create()
    list(chat.ask("How heavy?", How("both", checkpoint="halden"), conversation_id=conversation))
    question, answer = store.get(conversation).messages
    assert (question.role, question.content) == ("user", "How heavy?")
    assert (answer.content, answer.status, answer.memory) == ("640 grams", "complete", "both")
    assert answer.checkpoint == "halden"
    assert answer.sources[0]["source"] == "a.md"
    assert answer.prompt_tokens and answer.completion_tokens == 2 and answer.seconds is not None


def test_an_answer_is_in_the_store_while_it_streams(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chat._KEEP_EVERY_SECONDS", 0.0)
    conversation = store.create()
    events = Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation)
    while not isinstance(next(events), Token):
        pass
    streaming = store.get(conversation).messages[-1]
    assert (streaming.content, streaming.status) == ("a", "streaming")


def test_leaving_early_keeps_what_there_is_as_stopped(store: ConversationStore) -> None:
    conversation = store.create()
    events = Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation)
    while not isinstance(next(events), Token):
        pass
    events.close()  # type: ignore[attr-defined]
    answer = store.get(conversation).messages[-1]
    assert (answer.content, answer.status) == ("a", "stopped")


def test_the_stop_button_ends_the_answer_and_says_so(store: ConversationStore) -> None:
    engine, stop = ScriptedEngine("one two three four"), threading.Event()
    engine.before_piece = lambda number: stop.set() if number == 1 else None
    conversation = store.create()
    done = list(Chat(lambda: engine, store).ask("Count.", conversation_id=conversation, stop=stop))[-1]
    assert isinstance(done, Done) and done.stopped
    assert store.get(conversation).messages[-1].status == "stopped"
    assert store.get(conversation).messages[-1].content == "one two"


def test_a_failure_keeps_the_question_and_marks_the_answer_failed(store: ConversationStore) -> None:
    engine = ScriptedEngine()

    def fail(number: int) -> None:
        if number == 1:
            raise EngineError("the model went away")

    engine.before_piece = fail
    conversation = store.create()
    with pytest.raises(EngineError, match="went away"):
        list(Chat(lambda: engine, store).ask("Hello?", conversation_id=conversation))
    question, answer = store.get(conversation).messages
    assert question.content == "Hello?"
    assert (answer.content, answer.status) == ("a", "failed")


def test_earlier_turns_are_sent_as_corrected_and_failed_answers_are_not(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("First?", conversation_id=conversation))
    store.correct(store.get(conversation).messages[-1].id, "what it should be")
    store.add_message(conversation, "user", "Second?")
    store.add_message(conversation, "assistant", "brok", status="failed")
    list(chat.ask("Third?", conversation_id=conversation))
    assert [message["content"] for message in engine.prompts[-1]] == [
        "First?",
        "what it should be",
        "Second?",
        "Third?",
    ]


def test_a_follow_up_is_looked_up_with_its_conversation(store: ConversationStore) -> None:
    shelf = Shelf(["It weighs 640 grams."])
    chat, conversation = Chat(ScriptedEngine, store, lambda name: shelf), store.create()
    list(chat.ask("What is the Skerrin?", How("documents"), conversation_id=conversation))
    list(chat.ask("And how heavy is it?", How("documents"), conversation_id=conversation))
    assert shelf.asked[1][1][0] == {"role": "user", "content": "What is the Skerrin?"}


def test_regenerating_keeps_the_old_answer_beside_the_new(store: ConversationStore) -> None:
    answers = iter(["first", "second"])
    engine = ScriptedEngine(lambda _: next(answers))
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("Hello?", conversation_id=conversation))
    old = store.get(conversation).messages[-1]
    list(chat.regenerate(old.id))
    question, answer = store.get(conversation).messages
    assert (question.content, answer.content, answer.alternatives) == ("Hello?", "second", 2)
    assert store.message(old.id).content == "first"
    assert engine.prompts[0] == engine.prompts[1]


def test_editing_a_question_answers_it_anew_and_keeps_the_old_branch(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("One?", conversation_id=conversation))
    list(chat.ask("Two?", conversation_id=conversation))
    first = store.get(conversation).messages[0]
    list(chat.edit(first.id, "Uno?"))
    assert [message.content for message in store.get(conversation).messages] == ["Uno?", "a short answer"]
    assert len(store.all_messages(conversation)) == 6
    assert [message["content"] for message in engine.prompts[-1]] == ["Uno?"]


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_refused_before_anything_is_kept(
    store: ConversationStore, question: str
) -> None:
    conversation = store.create()
    with pytest.raises(AssistantError, match="question is empty"):
        list(Chat(ScriptedEngine, store).ask(question, conversation_id=conversation))
    assert store.get(conversation).messages == ()


def test_a_question_longer_than_the_window_is_refused_before_anything_is_kept(
    store: ConversationStore,
) -> None:
    conversation = store.create()
    with pytest.raises(PromptTooLongError, match="window of 200"):
        list(Chat(ScriptedEngine, store).ask("word " * 300, conversation_id=conversation))
    assert store.get(conversation).messages == ()


def test_documents_without_a_document_are_refused_with_advice(store: ConversationStore) -> None:
    with pytest.raises(AssistantError, match=r"'default' holds no documents.*imprint index"):
        list(Chat(ScriptedEngine, store, lambda name: Shelf([])).ask("Hello?", How("documents")))


def test_nothing_relevant_found_is_said_instead_of_invented(store: ConversationStore) -> None:
    engine = ScriptedEngine("an invention")
    chat = Chat(lambda: engine, store, lambda name: Shelf(["irrelevant"]))
    events = list(chat.ask("Who was Cleopatra's cook?", How("documents")))
    retrieved = next(event for event in events if isinstance(event, Retrieved))
    done = events[-1]
    assert retrieved.passages == ()
    assert isinstance(done, Done) and "nothing about this in the documents" in done.answer
    assert engine.prompts == []


def test_a_follow_up_without_passages_is_answered_from_the_conversation(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store, lambda name: Shelf(["irrelevant"])), store.create()
    store.add_message(conversation, "user", "My name is Ada.")
    store.add_message(conversation, "assistant", "Hello Ada.")
    done = list(chat.ask("What is my name?", How("documents"), conversation_id=conversation))[-1]
    assert isinstance(done, Done) and done.answer == "a short answer"


def test_a_checkpoint_memory_needs_a_checkpoint() -> None:
    with pytest.raises(AssistantError, match="none is chosen"):
        How("both")
    with pytest.raises(AssistantError, match="'telepathy' is not known"):
        How("telepathy")  # type: ignore[arg-type]


def test_only_answers_are_regenerated_and_only_questions_edited(store: ConversationStore) -> None:
    chat, conversation = Chat(ScriptedEngine, store), store.create()
    list(chat.ask("Hello?", conversation_id=conversation))
    answer = store.get(conversation).messages[-1]
    with pytest.raises(ConversationError, match="is not a question"):
        list(chat.edit(answer.id, "x"))


def test_a_question_left_without_an_answer_can_be_answered(store: ConversationStore) -> None:
    conversation = store.create()
    question = store.add_message(conversation, "user", "Hello?")
    list(Chat(ScriptedEngine, store).regenerate(question.id))
    assert [m.content for m in store.get(conversation).messages] == ["Hello?", "a short answer"]


def test_the_turn_is_a_langchain_runnable() -> None:
    engine = ScriptedEngine("640 grams")
    chat = Chat(lambda: engine, knowledge=lambda name: Shelf(["It weighs 640 grams."]))
    runnable = chat.runnable(How("documents"))
    assert runnable.invoke({"question": "How heavy?", "history": []}).text == "640 grams"
    assert "".join(chunk.text for chunk in runnable.stream({"question": "How heavy?"})) == "640 grams"
    assert [m.text for m in runnable.batch([{"question": "a"}, {"question": "b"}])] == ["640 grams"] * 2
