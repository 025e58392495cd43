"""The archive and the tags: what is in the list, what is left of them, and what is refused."""

import sqlite3
from contextlib import closing

import pytest

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.labels import MAX_LENGTH, MAX_TAGS


def _asked(store: ConversationStore, title: str) -> int:
    """A conversation with a question: the list has no others."""
    conversation = store.create(title)
    store.add_message(conversation, "user", "Hello")
    return conversation


def test_an_archived_conversation_is_in_its_own_list_alone(store: ConversationStore) -> None:
    first, second = _asked(store, "Clinic"), _asked(store, "Workshop")
    assert not store.labels.has_archived()
    store.labels.archive(first)
    assert store.labels.has_archived() and store.get(first).archived
    assert [one.id for one in store.list(archived=False)] == [second]
    assert [one.id for one in store.list(archived=True)] == [first]
    assert [one.id for one in store.list()] == [second, first]  # a program sees all
    assert [one.id for one in store.list("clinic", archived=True)] == [first]
    store.labels.archive(first, False)
    assert store.list(archived=True) == []


def test_tags_narrow_the_list_and_vanish_with_their_conversation(store: ConversationStore) -> None:
    first, second = _asked(store, "Clinic"), _asked(store, "Workshop")
    store.labels.set_tags(first, [" pets ", "work", "pets"])
    store.labels.set_tags(second, ["work", "客户"])
    assert store.get(first).tags == ("pets", "work")
    assert store.labels.tags() == ["pets", "work", "客户"]
    assert [one.id for one in store.list(tag="work")] == [second, first]
    assert [one.id for one in store.list(tag="客户")] == [second]
    assert [one.tags for one in store.list(tag="pets")] == [("pets", "work")]
    store.labels.set_tags(second, [])
    assert store.labels.tags() == ["pets", "work"]
    store.delete(first)
    assert store.labels.tags() == []
    store.erase(first)
    with closing(sqlite3.connect(store.path)) as database:
        assert database.execute("SELECT count(*) FROM tags").fetchone() == (0,)


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (["  "], "cannot be empty"),
        (["x" * (MAX_LENGTH + 1)], f"at most {MAX_LENGTH} characters"),
        ([str(n) for n in range(MAX_TAGS + 1)], f"at most {MAX_TAGS} tags"),
    ],
)
def test_what_is_no_tag_is_refused_and_changes_nothing(
    store: ConversationStore, tags: list[str], said: str
) -> None:
    conversation = store.create("Clinic")
    store.labels.set_tags(conversation, ["pets"])
    with pytest.raises(ConversationError, match=said):
        store.labels.set_tags(conversation, tags)
    assert store.get(conversation).tags == ("pets",)


def test_a_conversation_that_is_gone_is_neither_archived_nor_tagged(store: ConversationStore) -> None:
    gone = store.create("Clinic")
    store.delete(gone)
    with pytest.raises(ConversationError, match=f"no conversation {gone}"):
        store.labels.archive(gone)
    with pytest.raises(ConversationError, match=f"no conversation {gone}"):
        store.labels.set_tags(gone, ["pets"])
