"""A damaged conversations file, a full disk: one sentence that says what to do, and nothing else gets out."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.preferences import PreferenceStore
from assistant.history.transfer import export
from knowledge.errors import FULL, database_problem, disk_problem
from tests.damage import damaged


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "conversations.sqlite3"
    store = ConversationStore(path)
    for number in range(20):
        conversation = store.create()
        for turn in range(6):
            store.add_message(conversation, ("user", "assistant")[turn % 2], f"text {number} {turn} " * 30)
    store.close()
    return path


def attempt(action: Callable[[], object]) -> object:
    """What an action returns; None where it is refused in words."""
    try:
        return action()
    except ConversationError as error:
        assert "Error" not in str(error)
        return None


@pytest.mark.parametrize("seed", range(80))
def test_whatever_is_damaged_only_known_errors_get_out(filled: Path, file: Path, seed: int) -> None:
    shutil.copy(filled, file)
    damaged(file, seed)
    store = attempt(lambda: ConversationStore(file))
    if not isinstance(store, ConversationStore):
        return
    listed = attempt(store.list) or []
    attempt(lambda: store.list("text 3"))
    for info in list(listed)[:5]:  # type: ignore[call-overload]
        attempt(lambda one=info.id: store.all_messages(one))  # type: ignore[misc]
        attempt(lambda one=info.id: export(store, one, "md"))  # type: ignore[misc]
    attempt(lambda: store.add_message(1, "user", "more"))
    attempt(lambda: store.delete(2))
    attempt(PreferenceStore(file).list)
    store.close()


def test_a_damaged_file_says_what_mends_it(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(
        ConversationError, match=r"it is damaged .* `imprint doctor --mend` .* `imprint restore FILE`"
    ):
        ConversationStore(file)


def test_a_full_disk_loses_nothing_and_says_so(store: ConversationStore) -> None:
    conversation = store.create("Kept")
    pages = store._database.read("PRAGMA page_count")[0][0]
    store._database.read(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ConversationError, match=r"the disk is full\. Free some space"):
        store.add_message(conversation, "user", "x" * 100_000)
    assert store.get(conversation).messages == ()
    store._database.read("PRAGMA max_page_count = 100000")
    store.add_message(conversation, "user", "x" * 100_000)


def test_a_file_that_may_only_be_read_says_so(filled: Path) -> None:
    database = sqlite3.connect(f"file:{filled}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as refused:
        database.execute("DELETE FROM conversations")
    database.close()
    assert database_problem(refused.value, filled).startswith("it is not writable, or its disk is read-only")


def test_where_no_room_is_left_the_disk_is_what_failed(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite says "disk I/O error" where it cannot make the files beside a database."""
    failed = sqlite3.OperationalError("disk I/O error")
    failed.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
    assert database_problem(failed, filled).startswith("its disk failed")
    monkeypatch.setattr("knowledge.errors.shutil.disk_usage", lambda path: SimpleNamespace(free=4096))
    assert database_problem(failed, filled.parent / "none" / "x") == FULL


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (28, "/home/x: the disk is full. Free some space"),
        (30, "/home/x: it cannot be written or read (Read-only file system). Make it accessible"),
        (5, "/home/x: the disk failed"),
        (21, "/home/x: Is a directory"),
    ],
)
def test_errors_of_the_disk_are_sentences(number: int, sentence: str) -> None:
    assert disk_problem(OSError(number, os.strerror(number), "/home/x")).startswith(sentence)
