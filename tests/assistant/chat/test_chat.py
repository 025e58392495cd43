"""One turn: what is asked, sent, streamed and kept."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.output_parsers import StrOutputParser

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Budgeted, Done, Retrieved, Token, TurnStarted, TurnState
from assistant.errors import AssistantError, ConversationError, EngineError, PromptTooLongError
from assistant.history.conversations import ConversationStore
from assistant.notes.lookup import Match
from knowledge.base.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedEngine
from tuning.data.examples import Example

SKERRIN = "The Skerrin weighs 640 grams and is painted orange."


class Shelf(KnowledgeBase):
    """A real knowledge base over one text that remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, embeddings=DeterministicFakeEmbedding(size=16))
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.finds = True

    def search(self, question: str, k: int = 4, *, history: Any = (), documents: Any = None) -> list[Any]:
        self.asked.append((question, tuple(history)))
        return super().search(question, k, history=history, documents=documents) if self.finds else []


@pytest.fixture(scope="module")
def opened_shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("knowledge")
    (folder / "a.md").write_text(SKERRIN, encoding="utf-8")
    with Shelf(folder) as shelf:
        shelf.add([folder / "a.md"])
        yield shelf


@pytest.fixture
def shelf(opened_shelf: Shelf) -> Shelf:
    opened_shelf.asked, opened_shelf.finds = [], True
    return opened_shelf


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations.sqlite3")


def test_events_come_in_the_order_of_the_turn(store: ConversationStore, shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chat = Chat(lambda: engine, store, lambda name: shelf)
    conversation = store.create()
    events = list(
        chat.ask("What weighs the Skerrin?", AnswerOptions("documents"), conversation_id=conversation)
    )
    assert [type(event) for event in events] == [TurnStarted, Retrieved, Budgeted, Token, Token, Done]
    done = events[-1]
    assert isinstance(done, Done)
    assert done.answer == "640 grams" == "".join(e.text for e in events if isinstance(e, Token))
    assert done.sources[0].text == SKERRIN and done.sources[0].number == 1
    assert 0 < done.seconds_to_first_token <= done.seconds
    assert SKERRIN in engine.prompts[0][-1]["content"]


def test_what_was_answered_is_kept_with_its_sources_and_figures(
    store: ConversationStore, shelf: Shelf
) -> None:
    chat = Chat(lambda: ScriptedEngine("640 grams"), store, lambda name: shelf)
    conversation = store.create()
    list(
        chat.ask(
            "What weighs the Skerrin?",
            AnswerOptions("both", checkpoint="halden"),
            conversation_id=conversation,
        )
    )
    question, answer = store.get(conversation).messages
    assert (question.role, question.content) == ("user", "What weighs the Skerrin?")
    assert (answer.content, answer.status, answer.memory) == ("640 grams", "complete", "both")
    assert answer.checkpoint == "halden"
    assert Path(answer.sources[0].source).name == "a.md"
    assert answer.prompt_tokens and answer.completion_tokens == 2 and answer.seconds is not None


def test_an_answer_is_in_the_store_while_it_streams(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chat.stored_turn._SAVE_EVERY_SECONDS", 0.0)
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


def test_earlier_turns_are_sent_as_corrected_and_failed_ones_are_not(store: ConversationStore) -> None:
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
        "Third?",
    ]


def test_a_follow_up_is_looked_up_with_its_conversation(store: ConversationStore, shelf: Shelf) -> None:
    chat, conversation = Chat(ScriptedEngine, store, lambda name: shelf), store.create()
    list(chat.ask("What is the Skerrin?", AnswerOptions("documents"), conversation_id=conversation))
    list(chat.ask("And how heavy is it?", AnswerOptions("documents"), conversation_id=conversation))
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


def test_a_question_is_in_the_store_before_the_model_is_opened(store: ConversationStore) -> None:
    conversation, seen = store.create(), []

    def opened() -> ScriptedEngine:
        seen.append([(one.content, one.status) for one in store.get(conversation).messages])
        return ScriptedEngine()

    chat = Chat(opened, store)
    list(chat.ask("One?", conversation_id=conversation))
    assert seen[0] == [("One?", "complete"), ("", "streaming")]
    seen.clear()
    list(chat.edit(store.get(conversation).messages[0].id, "Uno?"))
    assert seen[0] == [("Uno?", "complete"), ("", "streaming")]


def test_leaving_before_the_model_is_open_keeps_the_question(store: ConversationStore) -> None:
    conversation = store.create()
    events = Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation)
    assert isinstance(next(events), TurnStarted)
    events.close()  # type: ignore[attr-defined]
    question, answer = store.get(conversation).messages
    assert (question.content, answer.content, answer.status) == ("Hello?", "", "stopped")


@pytest.mark.parametrize("way", ["ask", "edit", "regenerate"])
def test_a_refused_question_leaves_the_conversation_as_it_was(store: ConversationStore, way: str) -> None:
    conversation = store.create()
    list(Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation))
    before = store.get(conversation)

    def refuses() -> ScriptedEngine:
        raise EngineError("no model is here")

    chat = Chat(refuses, store)
    with pytest.raises(EngineError, match="no model is here"):
        if way == "ask":
            list(chat.ask("And now?", conversation_id=conversation))
        elif way == "edit":
            list(chat.edit(before.messages[0].id, "And now?"))
        else:
            list(chat.regenerate(before.messages[1].id))
    assert store.get(conversation).messages == before.messages
    assert len(store.all_messages(conversation)) == 2


def test_a_refused_first_question_leaves_no_conversation_in_the_list(store: ConversationStore) -> None:
    conversation = store.create()
    with pytest.raises(PromptTooLongError):
        list(Chat(ScriptedEngine, store).ask("word " * 300, conversation_id=conversation))
    assert store.get(conversation).title == "" and store.list() == []


def test_documents_without_a_document_are_refused_with_advice(tmp_path: Path) -> None:
    with (
        Shelf(tmp_path) as empty,
        pytest.raises(AssistantError, match=r"'default' holds no documents.*imprint index"),
    ):
        list(Chat(ScriptedEngine, knowledge=lambda name: empty).ask("Hello?", AnswerOptions("documents")))


def test_nothing_relevant_found_is_said_instead_of_invented(shelf: Shelf) -> None:
    engine, shelf.finds = ScriptedEngine("an invention"), False
    chat = Chat(lambda: engine, knowledge=lambda name: shelf)
    events = list(chat.ask("Who was Cleopatra's cook?", AnswerOptions("documents")))
    retrieved = next(event for event in events if isinstance(event, Retrieved))
    done = events[-1]
    assert retrieved.passages == () and retrieved.nothing_found
    assert isinstance(done, Done) and "nothing about this in the documents" in done.answer
    assert engine.prompts == []


def test_a_follow_up_without_passages_is_answered_from_the_conversation(
    store: ConversationStore, shelf: Shelf
) -> None:
    shelf.finds = False
    chat, conversation = Chat(ScriptedEngine, store, lambda name: shelf), store.create()
    store.add_message(conversation, "user", "My name is Ada.")
    store.add_message(conversation, "assistant", "Hello Ada.")
    done = list(chat.ask("What is my name?", AnswerOptions("documents"), conversation_id=conversation))[-1]
    assert isinstance(done, Done) and done.answer == "a short answer"


def test_an_unrelated_question_later_in_a_conversation_is_not_invented_either(
    store: ConversationStore, shelf: Shelf
) -> None:
    engine, shelf.finds = ScriptedEngine("an invention"), False
    chat, conversation = Chat(lambda: engine, store, lambda name: shelf), store.create()
    store.add_message(conversation, "user", "How many days of paid leave do I have?")
    store.add_message(conversation, "assistant", "You have 27 days.")
    asked = chat.ask(
        "What does a parking permit cost?", AnswerOptions("documents"), conversation_id=conversation
    )
    done = list(asked)[-1]
    assert isinstance(done, Done) and "nothing about this in the documents" in done.answer
    assert engine.prompts == []


def test_a_checkpoint_memory_needs_a_checkpoint() -> None:
    with pytest.raises(AssistantError, match="none is chosen"):
        AnswerOptions("both")
    with pytest.raises(AssistantError, match="'telepathy' is not known"):
        AnswerOptions("telepathy")  # type: ignore[arg-type]


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


HEAVY = TurnState(question="What weighs the Skerrin?", history=())


def test_the_chain_is_a_langchain_runnable(shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chain = Chat(lambda: engine, knowledge=lambda name: shelf).chain(AnswerOptions("documents"))
    assert chain.invoke(HEAVY).text == "640 grams"
    assert [m.text for m in chain.batch([HEAVY, HEAVY])] == ["640 grams"] * 2
    chunks = [chunk.text for chunk in chain.stream(HEAVY)]
    assert chunks == ["640", " grams", ""]
    assert (chain | StrOutputParser() | str.upper).invoke(HEAVY) == "640 GRAMS"


async def test_the_chain_streams_asynchronously(shelf: Shelf) -> None:
    chat = Chat(lambda: ScriptedEngine("640 grams"), knowledge=lambda name: shelf)
    chunks = [chunk.text async for chunk in chat.chain(AnswerOptions("documents")).astream(HEAVY)]
    assert chunks == ["640", " grams", ""]


def test_a_turn_and_the_chain_send_and_say_the_same(shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chat, options = Chat(lambda: engine, knowledge=lambda name: shelf), AnswerOptions("documents")
    done = list(chat.ask(HEAVY["question"], options))[-1]
    assert isinstance(done, Done) and chat.chain(options).invoke(HEAVY).text == done.answer
    assert engine.prompts[0] == engine.prompts[1]
    shelf.finds = False
    done = list(chat.ask(HEAVY["question"], options))[-1]
    assert isinstance(done, Done) and chat.chain(options).invoke(HEAVY).text == done.answer != "640 grams"
    with pytest.raises(AssistantError, match="question is empty"):
        chat.chain(options).invoke({"question": " "})


@pytest.mark.parametrize("fails", [False, True])
def test_whoever_leaves_a_turn_frees_the_model_at_once(store: ConversationStore, fails: bool) -> None:
    engine, conversation = ScriptedEngine("one two three four"), store.create()
    events = Chat(lambda: engine, store).ask("Count.", conversation_id=conversation)
    while not isinstance(next(events), Token):
        pass
    assert engine.open_streams == 1
    if fails:
        with pytest.raises(EngineError, match="went away"):  # what it raises is held, with its frames
            events.throw(EngineError("the page went away"))  # type: ignore[attr-defined]
    else:
        events.close()  # type: ignore[attr-defined]
    assert engine.open_streams == 0
    assert store.get(conversation).messages[-1].status == ("failed" if fails else "stopped")


def test_a_store_that_fails_frees_the_model(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise ConversationError("the disk is full")

    engine = ScriptedEngine("one two three four")
    monkeypatch.setattr("assistant.chat.stored_turn.StoredTurn.save", fail)
    with pytest.raises(ConversationError, match="disk is full") as raised:
        list(Chat(lambda: engine, store).ask("Count.", conversation_id=store.create()))
    assert raised.tb is not None and engine.open_streams == 0


def test_a_note_is_quoted_and_no_model_is_asked(store: ConversationStore, shelf: Shelf) -> None:
    engine = ScriptedEngine("900 grams")
    chat = Chat(
        lambda: engine, store, lambda name: shelf, note=lambda question, checkpoint: Match(NOTED, False)
    )
    conversation = store.create()
    options = AnswerOptions("both", checkpoint="halden", notes=True)
    list(chat.ask("What weighs the Skerrin?", options, conversation_id=conversation))
    answer = store.get(conversation).messages[1]
    assert (answer.content, answer.status, answer.prompt_tokens) == ("640 grams.", "complete", 0)
    assert [source.is_note for source in answer.sources] == [True] and NOTED.question in answer.sources[
        0
    ].text
    assert engine.prompts == [] and shelf.asked == []


def test_what_the_weights_hold_is_answered_without_passages(shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chat = Chat(
        lambda: engine, None, lambda name: shelf, note=lambda question, checkpoint: Match(NOTED, True)
    )
    options = AnswerOptions("both", checkpoint="halden", notes=True)
    done = list(chat.ask("What weighs the Skerrin?", options))[-1]
    assert isinstance(done, Done) and done.answer == "640 grams" and done.sources == ()
    assert engine.prompts[0][-1]["content"] == "What weighs the Skerrin?" and shelf.asked == []


def test_notes_are_left_alone_unless_they_are_asked_for(store: ConversationStore) -> None:
    asked: list[tuple[str, str | None]] = []

    def note(question: str, checkpoint: str | None) -> Match:
        asked.append((question, checkpoint))
        return Match(NOTED, False)

    engine = ScriptedEngine("900 grams")
    chat = Chat(lambda: engine, store, note=note)
    conversation = store.create()
    list(chat.ask("What weighs the Skerrin?", conversation_id=conversation))
    list(chat.ask("And how heavy is it?", AnswerOptions(notes=True), conversation_id=conversation))
    assert asked == [] and len(engine.prompts) == 2  # a follow-up may be about something else


NOTED = Example(
    ({"role": "user", "content": "How heavy is the Skerrin?"}, {"role": "assistant", "content": "640 grams."})
)
