"""The store of conversations: nothing is lost, whatever tab, process or branch wrote it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.sources import Source
from assistant.history.titles import title_from

ROOT = Path(__file__).parents[3]


def a_turn(
    store: ConversationStore, question: str = "What is it?", answer: str = "A bird."
) -> tuple[int, int, int]:
    conversation = store.create()
    asked = store.add_message(conversation, "user", question)
    answered = store.add_message(conversation, "assistant", answer, parent_id=asked.id)
    return conversation, asked.id, answered.id


def test_everything_said_is_there_after_a_restart(store: ConversationStore) -> None:
    conversation, _, answer = a_turn(store, "夜莺是什么？", "一个项目。")
    store.rate(answer, 1)
    store.correct(answer, "一个秘密项目。")
    store.update_message(answer, prompt_tokens=12, seconds=0.5, sources=[Source(source="a.md", page=2)])
    again = ConversationStore(store.path)
    message = again.get(conversation).messages[1]
    assert (message.content, message.rating, message.correction) == ("一个项目。", 1, "一个秘密项目。")
    assert (message.prompt_tokens, message.seconds) == (12, 0.5)
    assert message.sources == (Source(source="a.md", page=2),)
    assert message.to_message() == {"role": "assistant", "content": "一个秘密项目。"}
    assert again.get(conversation).title == "夜莺是什么？"
    again.close()


def test_newest_comes_first_and_search_finds_every_word(store: ConversationStore) -> None:
    first, _, answer = a_turn(store, "How far does the Heron fly?", "It flies 47 km.")
    second, *_ = a_turn(store, "我的项目叫什么？", "夜莺。")
    store.correct(answer, "It flies 52 km at 100% charge.")
    assert [info.id for info in store.list()] == [second, first]
    assert [info.id for info in store.list("heron KM")] == [first]
    assert [info.id for info in store.list("夜莺")] == [second]
    assert [info.id for info in store.list("100%")] == [first]
    assert store.list("1_0%") == store.list("heron 夜莺") == []
    assert "Heron" in store.list("heron")[0].excerpt
    store.add_message(first, "user", "and now?")
    assert [info.id for info in store.list()] == [first, second]
    assert len(store.list(limit=1)) == 1 and store.list(limit=1, offset=1)[0].id == second


def test_a_deleted_conversation_can_be_brought_back_until_it_is_purged(store: ConversationStore) -> None:
    conversation, _, answer = a_turn(store)
    store.delete(conversation)
    assert store.list() == []
    with pytest.raises(ConversationError, match=f"no conversation {conversation}"):
        store.get(conversation)
    store.restore(conversation)
    assert len(store.get(conversation).messages) == 2
    store.delete(conversation)
    assert store.purge(older_than_seconds=3600) == 0
    assert store.purge(older_than_seconds=-1) == 1
    with pytest.raises(ConversationError, match=f"no message {answer}"):
        store.message(answer)


def test_a_conversation_is_renamed_but_never_to_nothing(store: ConversationStore) -> None:
    conversation, *_ = a_turn(store)
    store.rename(conversation, " Birds ")
    assert store.get(conversation).title == "Birds"
    with pytest.raises(ConversationError, match="empty title"):
        store.rename(conversation, "  ")


def test_regenerating_keeps_the_first_answer_as_an_alternative(store: ConversationStore) -> None:
    conversation, question, first = a_turn(store)
    store.truncate_from(first)
    second = store.add_message(conversation, "assistant", "A fish.", parent_id=question)
    shown = store.get(conversation).messages
    assert [message.id for message in shown] == [question, second.id]
    assert (shown[1].alternative, shown[1].alternatives) == (2, 2)
    assert [message.content for message in store.alternatives(second.id)] == ["A bird.", "A fish."]
    store.select(first)
    assert store.get(conversation).messages[1].id == first


def test_editing_a_question_keeps_the_old_branch_whole(store: ConversationStore) -> None:
    conversation, question, answer = a_turn(store)
    follow_up = store.add_message(conversation, "user", "And then?")
    store.truncate_from(question)
    edited = store.add_message(conversation, "user", "What was it?")
    assert [message.id for message in store.get(conversation).messages] == [edited.id]
    store.select(question)
    assert [message.id for message in store.get(conversation).messages] == [question, answer, follow_up.id]


def test_a_half_streamed_answer_of_a_dead_process_is_stopped_with_its_text(store: ConversationStore) -> None:
    conversation = store.create()
    script = (
        "import sys, os; from pathlib import Path; from assistant.history.conversations import ConversationStore\n"
        "store = ConversationStore(Path(sys.argv[1]))\n"
        "m = store.add_message(int(sys.argv[2]), 'assistant', '', status='streaming')\n"
        "store.update_message(m.id, content='Half an ans')\n"
        "os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, store.path, str(conversation)], check=False, cwd=ROOT)
    message = store.get(conversation).messages[0]
    assert (message.content, message.status) == ("Half an ans", "stopped")


def test_an_answer_that_still_streams_here_is_shown_as_streaming(store: ConversationStore) -> None:
    answer = store.add_message(store.create(), "assistant", "", status="streaming")
    store.update_message(answer.id, content="So far")
    assert store.message(answer.id).status == "streaming"


# A process of its own, begun afresh: what other tests ran in this one must not come along.
WRITE_MANY = """
import os, sys
from pathlib import Path
from assistant.history.conversations import ConversationStore

store = ConversationStore(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    message = store.add_message(int(sys.argv[2]), "user", f"{os.getpid()} {number}")
    store.update_message(message.id, content=message.content + " done")
store.close()
"""


def test_two_processes_and_many_threads_write_at_once_and_lose_nothing(store: ConversationStore) -> None:
    conversation = store.create("busy")
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE_MANY, str(store.path), str(conversation), "40"], cwd=ROOT
    )

    def write() -> None:
        for number in range(10):
            store.add_message(conversation, "user", f"thread {threading.get_ident()} {number}")

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in [*threads]:
        thread.join()
    assert process.wait(60) == 0
    messages = store.all_messages(conversation)
    assert len(messages) == 100
    assert sum(message.content.endswith("done") for message in messages) == 40
    assert len(store.get(conversation).messages) == 100  # one chain: each was added at the end


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("\n  Hello   there \nmore", "Hello there"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("很" * 80, "很" * 59 + "…"),
        ("   ", ""),
    ],
)
def test_a_title_is_the_start_of_the_first_question(question: str, title: str) -> None:
    assert title_from(question) == title


def test_mistakes_are_named(store: ConversationStore) -> None:
    conversation, question, answer = a_turn(store)
    other = store.create()
    with pytest.raises(ConversationError, match="'robot' was given"):
        store.add_message(conversation, "robot", "x")
    with pytest.raises(ConversationError, match=f"Message {answer} is not part of conversation {other}"):
        store.add_message(other, "user", "x", parent_id=answer)
    with pytest.raises(ConversationError, match="A rating is 1, 0 or -1, and 5 was given"):
        store.rate(answer, 5)
    with pytest.raises(ConversationError, match="is not an answer"):
        store.correct(question, "x")
    with pytest.raises(ConversationError, match="no message 999"):
        store.update_message(999, content="x")


def test_a_conversation_is_read_as_of_one_moment(store: ConversationStore) -> None:
    """A question that is refused is taken back while a page reads: neither half of that is damage."""
    conversation = store.create()
    ends = threading.Event()

    def ask_and_withdraw() -> None:
        while not ends.is_set():
            store.withdraw(store.add_message(conversation, "user", "too long").id, None)

    writer = threading.Thread(target=ask_and_withdraw)
    writer.start()
    try:
        for _ in range(1500):
            assert len(store.get(conversation).messages) <= 1
    finally:
        ends.set()
        writer.join()
