"""A backup holds everything that cannot be made again, whole, whatever goes on meanwhile."""

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from assistant.backup.archive import Backup
from assistant.backup.create import create_backup
from assistant.backup.restore import restore_backup
from assistant.errors import BackupError
from assistant.history.conversations import ConversationStore
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


def names(archive: Path) -> set[str]:
    with Backup(archive) as backup:
        return {entry.path for entry in backup.manifest.files}


def test_everything_that_cannot_be_made_again_is_in_it(home: Path, tmp_path: Path) -> None:
    report = create_backup(home, tmp_path / "b.zip")
    assert names(tmp_path / "b.zip") == {
        "conversations.sqlite3",
        "settings.json",
        "prompts.json",
        "questions/birds.jsonl",
        "evaluations/one/rows.jsonl",
        "knowledge/default.sqlite3",
        "knowledge/files/default/tern.txt",
        *(f"checkpoints/halden/{name}" for name in ("imprint.json", "evaluation.json", "examples.jsonl")),
        "checkpoints/halden/adapter_model.safetensors",
    }
    assert report.left_out == report.problems == {}
    assert stat.S_IMODE((tmp_path / "b.zip").stat().st_mode) & 0o077 == 0 or os.name == "nt"
    create_backup(home, tmp_path / "b.zip", with_models=True)
    assert "models/small/model.safetensors" in names(tmp_path / "b.zip")


def test_secrets_are_in_it_only_when_asked_for(home: Path, tmp_path: Path) -> None:
    create_backup(home, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert json.loads(archive.read("home/settings.json")) == {
            "max_new_tokens": 99,
            "engine_url": "http://127.0.0.1:9/v1",
        }
        assert all(b"sk-secret" not in archive.read(name) for name in archive.namelist())
    create_backup(home, tmp_path / "c.zip", with_secrets=True)
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        assert json.loads(archive.read("home/settings.json"))["engine_key"] == "sk-secret"


def test_what_is_written_meanwhile_is_there_whole_or_not_at_all(home: Path, tmp_path: Path) -> None:
    stop, written = threading.Event(), threading.Event()

    def write() -> None:
        store = ConversationStore(home / "conversations.sqlite3")
        while not stop.is_set():
            conversation = store.create("two messages")
            first = store.add_message(conversation, "user", "x" * 5000)
            store.add_message(conversation, "assistant", "y", parent_id=first.id)
            written.set()
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(10)
        create_backup(home, tmp_path / "b.zip")
    finally:
        stop.set()
        writer.join()
    restore_backup(tmp_path / "other", tmp_path / "b.zip")
    database = sqlite3.connect(tmp_path / "other" / "conversations.sqlite3")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    assert database.execute("SELECT count(*) FROM conversations").fetchone()[0] >= 2
    database.close()


def test_a_checkpoint_is_not_deleted_while_it_is_copied(home: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def delete(done: int, total: int) -> None:
        if not refused:
            with pytest.raises(CheckpointError) as error:
                Registry(home).delete("halden")
            refused.append(str(error.value))

    create_backup(home, tmp_path / "b.zip", on_progress=delete)
    assert "a backup is being made" in refused[0]
    Registry(home).delete("halden")


KILLED = """
import os, sys
from pathlib import Path
from assistant.backup.create import create_backup
def end(done, total):
    if done > total / 2:
        os._exit(9)
create_backup(Path(sys.argv[1]), Path(sys.argv[2]), on_progress=end)
"""


def test_killed_on_the_way_it_leaves_the_old_backup_and_the_next_one_tidies_up(
    home: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backups" / "b.zip"
    target.parent.mkdir()
    create_backup(home, target)
    before = target.read_bytes()
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), str(target)], cwd=ROOT)
    assert done.returncode == 9 and target.read_bytes() == before
    assert len(list(target.parent.iterdir())) == 2
    create_backup(home, target)
    assert list(target.parent.iterdir()) == [target]


def test_a_backup_that_is_being_made_beside_is_left_alone(home: Path, tmp_path: Path) -> None:
    parent = psutil.Process().ppid()
    other = tmp_path / f".imprint-backup-{parent}-12345678"
    other.mkdir()
    create_backup(home, tmp_path / "b.zip")
    assert other.is_dir()


def test_a_damaged_database_is_kept_as_it_is_and_said(home: Path, tmp_path: Path) -> None:
    (home / "conversations.sqlite3").write_bytes(b"no database" * 1000)
    report = create_backup(home, tmp_path / "b.zip")
    assert "damaged" in report.problems["conversations.sqlite3"]
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.read("home/conversations.sqlite3") == b"no database" * 1000


FULL = """
import resource, sys
from pathlib import Path
from assistant.backup.create import create_backup
from assistant.errors import BackupError
resource.setrlimit(resource.RLIMIT_FSIZE, (230_000, 230_000))  # as on a full disk, a write fails half-way
try:
    create_backup(Path(sys.argv[1]), Path(sys.argv[2]))
except BackupError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of a process's files")
def test_a_full_disk_is_one_sentence_and_leaves_nothing(home: Path, tmp_path: Path) -> None:
    (home / "questions" / "large.jsonl").write_bytes(os.urandom(400_000))
    target = tmp_path / "backups" / "b.zip"
    target.parent.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(home), str(target)], cwd=ROOT, capture_output=True, text=True
    )
    assert "cannot be written to" in done.stdout and "File too large" in done.stdout
    assert (done.returncode, done.stderr, list(target.parent.iterdir())) == (0, "", [])


def test_what_a_full_disk_keeps_sqlite_from_reading_is_there_all_the_same(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = ConversationStore(home / "conversations.sqlite3")
    # The write-ahead log holds it as long as the file is open.
    writer.add_message(writer.create("not merged yet"), "user", "Hello")
    connect = sqlite3.connect

    def full(path: Any, *args: Any, **options: Any) -> sqlite3.Connection:
        if path == home / "conversations.sqlite3":
            raise sqlite3.OperationalError("disk I/O error")
        return connect(path, *args, **options)

    monkeypatch.setattr(sqlite3, "connect", full)
    assert create_backup(home, tmp_path / "b.zip").problems == {}
    monkeypatch.undo()
    writer.close()
    restore_backup(tmp_path / "other", tmp_path / "b.zip")
    store = ConversationStore(tmp_path / "other" / "conversations.sqlite3")
    assert {info.title for info in store.list()} == {"not merged yet", "Birds 夜莺"}
    store.close()


def test_links_are_left_out_and_said(home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not of this home")
    (home / "questions" / "link.jsonl").symlink_to(tmp_path / "secret.txt")
    assert create_backup(home, tmp_path / "b.zip").left_out == {"questions/link.jsonl": "it is a link"}


def test_checkpoints_on_another_disk_are_in_it(home: Path, tmp_path: Path) -> None:
    (home / "checkpoints").rename(tmp_path / "disk")
    (home / "checkpoints").symlink_to(tmp_path / "disk", target_is_directory=True)
    create_backup(home, tmp_path / "b.zip")
    assert "checkpoints/halden/adapter_model.safetensors" in names(tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("home/b.zip", "would lie in the home that it is of"),
        ("nowhere/b.zip", "There is no folder"),
        ("thesis.docx", "exists and is no backup that could be replaced"),
    ],
)
def test_a_place_that_will_not_do_is_named(home: Path, tmp_path: Path, target: str, reason: str) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(BackupError, match=reason):
        create_backup(home, tmp_path / target)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"
