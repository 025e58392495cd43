"""Files that go with one message: whole in that prompt and in no other, kept with its answer, refused in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.chat.attachments import Attachment, attachments_of, read_attachment
from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.errors import PromptTooLongError
from assistant.history.conversations import ConversationStore
from knowledge.errors import DocumentError
from tests.fakes import ScriptedEngine

INVOICE = Attachment("invoice.txt", "Invoice 4711. The repair of the tandem cost 49 euros.")
ATTACHED = AnswerOptions("documents", attached=(INVOICE,))


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations.sqlite3")


def test_the_whole_text_is_in_this_prompt_and_in_no_later_one(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    (*_, done) = chat.ask("What did it cost?", ATTACHED, conversation_id=conversation)
    assert isinstance(done, Done) and attachments_of(done.sources) == (INVOICE,)
    assert INVOICE.text in engine.prompts[-1][-1]["content"]
    list(chat.ask("And now?", AnswerOptions(), conversation_id=conversation))
    assert all("4711" not in message["content"] for message in engine.prompts[-1])
    answer = store.get(conversation).messages[1]
    assert answer.sources[0].is_attached and answer.sources[0].name == "invoice.txt"


def test_asked_again_or_in_other_words_it_is_read_again(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("What did it cost?", ATTACHED, conversation_id=conversation))
    question, answer = store.get(conversation).messages
    list(chat.regenerate(answer.id, AnswerOptions()))
    assert INVOICE.text in engine.prompts[-1][-1]["content"]
    list(chat.edit(question.id, "How much was it?", AnswerOptions()))
    assert INVOICE.text in engine.prompts[-1][-1]["content"]
    other = Attachment("other.txt", "Nothing was paid.")
    list(chat.edit(question.id, "How much?", replace(ATTACHED, attached=(other,))))
    assert "4711" not in engine.prompts[-1][-1]["content"]


def test_what_does_not_fit_is_refused_and_nothing_is_stored(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    long = Attachment("long.txt", "word " * engine.window)
    options = replace(ATTACHED, attached=(INVOICE, long))
    said = r"Attached is 'invoice.txt', 'long.txt' with \d+ tokens.*window of 200 leaves \d+ for it"
    with pytest.raises(PromptTooLongError, match=said):
        list(chat.ask("What did it cost?", options, conversation_id=conversation))
    assert store.get(conversation).messages == ()
    with pytest.raises(PromptTooLongError, match=said):
        chat.check_attached(options)
    assert chat.check_attached(ATTACHED) == len(INVOICE.text.split())


def test_files_are_read_as_documents_are_and_empty_ones_refused() -> None:
    read = read_attachment("prices.csv", b"part,price\nbell,4.50\n")
    assert read.name == "prices.csv" and "bell" in read.text and "4.50" in read.text
    for data in (b"", b" \n"):
        with pytest.raises(DocumentError, match=r"blank\.txt"):
            read_attachment("blank.txt", data)
