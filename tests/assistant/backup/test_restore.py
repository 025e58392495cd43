"""A restore brings everything back or changes nothing, and the content before it stays."""

import hashlib
import json
import os
import sqlite3
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.backup.create import create_backup
from assistant.backup.restore import restore_backup
from assistant.errors import AssistantError, BackupError
from assistant.history.conversations import ConversationStore
from assistant.home.swap import finish_restore, swap
from assistant.home.use import only_app, use_home
from knowledge.base.knowledge_base import KnowledgeBase
from tests.browser.waiting import wait_until
from tests.knowledge.bases import agrees
from tests.tuning.jobs import worker_that_sleeps
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.jobs.jobs import Jobs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
FAKE = DeterministicFakeEmbedding(size=8)
WORKER = (sys.executable, worker_that_sleeps.__file__)


def write_weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"weights")


@pytest.fixture
def archive(home: Path, tmp_path: Path) -> Path:
    return create_backup(home, tmp_path / "b.zip").path


def titles(home: Path) -> list[str]:
    store = ConversationStore(home / "conversations.sqlite3")
    found = [info.title for info in store.list()]
    store.close()
    return found


def content(home: Path) -> dict[str, bytes]:
    """Every file of a home but those of processes."""
    files = (path for path in home.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(home).as_posix(): path.read_bytes() for path in files}


def test_a_backup_comes_back_and_what_was_there_is_kept(home: Path, archive: Path) -> None:
    store = ConversationStore(home / "conversations.sqlite3")
    store.add_message(store.create("written after the backup"), "user", "And now?")
    store.close()
    Registry(home).delete("halden")
    (home / "arms.json").write_text("[]")
    report = restore_backup(home, archive)
    assert titles(home) == ["Birds 夜莺"]
    assert [checkpoint.name for checkpoint in Registry(home).list()] == ["halden"]
    assert not (home / "arms.json").exists() and (home / "models" / "small").is_dir()
    assert report.kept is not None and (report.kept / "arms.json").exists()
    assert titles(report.kept) == ["written after the backup", "Birds 夜莺"]
    with KnowledgeBase(home, embeddings=FAKE) as base:
        assert agrees(base) and base.count == 1
        assert "310" in base.search("How heavy is the Tern?", min_relevance=0)[0].passage.text


def test_in_another_home_uploads_are_found_where_they_are_now(archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert restore_backup(other, archive).kept is None
    with KnowledgeBase(other, embeddings=FAKE) as base:
        (document,) = base.documents()
        assert Path(document.path) == other / "knowledge" / "files" / "default" / "tern.txt"
        assert Path(document.path).stat().st_mtime <= document.indexed
        base.remove(document.id)
    assert not Path(document.path).exists()
    if os.name != "nt":
        assert stat.S_IMODE((other / "conversations.sqlite3").stat().st_mode) & 0o077 == 0


def test_present_keys_stay_with_their_endpoint_only(home: Path, archive: Path) -> None:
    settings = home / "settings.json"
    settings.write_text(json.dumps({"engine_key": "sk-now", "engine_url": "http://127.0.0.1:9/v1"}))
    restore_backup(home, archive)
    assert json.loads(settings.read_text())["engine_key"] == "sk-now"
    settings.write_text(json.dumps({"engine_key": "sk-now", "engine_url": "http://elsewhere:9/v1"}))
    restore_backup(home, archive)
    assert "engine_key" not in json.loads(settings.read_text())


def rewritten(archive: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """The archive with another manifest and other files, hashes and sizes as the files have them."""
    with zipfile.ZipFile(archive) as old:
        files = {name: old.read(name) for name in old.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    change(manifest, files)
    target = archive.with_name("changed.zip")
    with zipfile.ZipFile(target, "w") as new:
        for name, data in files.items():
            new.writestr(name, data)
        new.writestr("manifest.json", json.dumps(manifest))
    return target


def adding(path: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        files[f"home/{path}"] = b"planted"
        digest = hashlib.sha256(b"planted").hexdigest()
        manifest["files"].append({"path": path, "size": 7, "sha256": digest, "modified": 0.0})

    return change


@pytest.mark.parametrize(
    "path",
    ["../outside", "a/../../outside", "/etc/outside", "a\\..\\outside", "C:/outside", "./a", "a//b", ""],
)
def test_a_path_that_leads_out_of_the_home_is_refused(home: Path, archive: Path, path: str) -> None:
    before = content(home)
    with pytest.raises(BackupError, match=r"cannot be restored: .*Nothing was changed"):
        restore_backup(home, rewritten(archive, adding(path)))
    assert content(home) == before and not list(home.glob(".restoring-*"))


@pytest.mark.parametrize(
    "path",
    [
        *("app.json", ".in-use/1.json", "restore.json", "knowledge/chroma/x", "jobs/1/worker.json"),
        "models/.compiled/kernels-1.so",  # it would be run
    ],
)
def test_what_no_backup_holds_is_refused(home: Path, archive: Path, path: str) -> None:
    with pytest.raises(BackupError, match="is nothing that a backup holds"):
        restore_backup(home, rewritten(archive, adding(path)))


def test_links_doublets_and_unlisted_files_are_refused(home: Path, archive: Path) -> None:
    def refused(reason: str) -> None:
        with pytest.raises(BackupError, match=reason):
            restore_backup(home, changed)
        assert content(home) == before

    before, changed = content(home), archive.with_name("changed.zip")
    rewritten(archive, lambda manifest, files: files.update({"home/extra.txt": b"x"}))
    refused("disagree about 'home/extra.txt'")
    rewritten(archive, lambda manifest, files: files.pop("home/prompts.json") and None)
    refused("disagree about 'home/prompts.json'")
    rewritten(archive, lambda manifest, files: manifest["files"].append(manifest["files"][0]))
    refused("disagree")
    rewritten(archive, lambda manifest, files: manifest.update(format=99))
    refused("has format 99, and this Imprint reads 1")
    rewritten(archive, lambda manifest, files: files.update({"home/prompts.json": b"{}"}))
    refused("'prompts.json' is damaged: its sha256")
    rewritten(archive, lambda manifest, files: files.update({"home/prompts.json": b"longer"}))
    refused("'prompts.json' has another size")
    rewritten(archive, adding("notes.txt"))
    with zipfile.ZipFile(changed) as old:
        files = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(changed, "w") as new:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o120777 if name == "home/notes.txt" else 0o100600) << 16
            new.writestr(info, data)
    refused("'notes.txt' is no ordinary file")


@pytest.mark.parametrize("damage", ["cut", "flipped", "other", "missing"])
def test_a_damaged_file_is_one_sentence_and_changes_nothing(home: Path, archive: Path, damage: str) -> None:
    before, data = content(home), bytearray(archive.read_bytes())
    if damage == "missing":
        archive.unlink()
    else:
        at = data.index(b"weights")
        data[at] ^= 1
        archive.write_bytes({"cut": data[: len(data) // 2], "flipped": data, "other": b"PK no zip"}[damage])
    with pytest.raises(BackupError) as refused:
        restore_backup(home, archive)
    assert str(archive) in str(refused.value) and "\n" not in str(refused.value)
    assert content(home) == before and not list(home.glob(".restoring-*"))


def test_a_list_of_files_that_points_before_the_file_is_refused(home: Path, archive: Path) -> None:
    data = bytearray(archive.read_bytes())
    place = len(data) - 6  # where the list begins, as the last 22 bytes of a ZIP file say
    (first,) = struct.unpack_from("<I", data, place)
    struct.pack_into("<I", data, place, first + 10**6)
    archive.write_bytes(data)
    with pytest.raises(BackupError, match=r"cannot be restored: .*Nothing was changed"):
        restore_backup(home, archive)


@pytest.mark.parametrize("when", ["1e308", "NaN", -1e12])
@pytest.mark.parametrize("of", ["backup", "file"])
def test_a_time_that_no_clock_shows_is_refused(home: Path, archive: Path, when: object, of: str) -> None:
    def change(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        if of == "backup":
            manifest["created"] = when
        else:
            manifest["files"][0]["modified"] = when

    before = content(home)
    with pytest.raises(BackupError, match=r"names the time .*Nothing was changed"):
        restore_backup(home, rewritten(archive, change))
    assert content(home) == before and not list(home.glob(".restoring-*"))


def test_a_backup_of_a_newer_version_is_refused(home: Path, tmp_path: Path) -> None:
    database = sqlite3.connect(home / "conversations.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()
    archive = create_backup(home, tmp_path / "b.zip").path
    with pytest.raises(BackupError, match=r"written by a newer Imprint .*Update Imprint"):
        restore_backup(tmp_path / "other", archive)
    assert not (tmp_path / "other" / "conversations.sqlite3").exists()


UNTIL_ASKED = "while not is_asked_to_give_way(home): time.sleep(0.05)"


@contextmanager
def using(home: Path, what: str, *do: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that uses the home while it does something, by default until it is killed."""
    lines = [
        "import sys, time\nfrom pathlib import Path",
        "from assistant.home.giving_way import is_asked_to_give_way\nfrom assistant.home.use import use_home",
        f"home = Path(sys.argv[1])\nwith use_home(home, {what!r}):\n    print('in', flush=True)",
        *(f"    {line}" for line in do or ("sys.stdin.read()",)),
    ]
    with subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as other:
        try:
            assert other.stdout and other.stdout.readline() == "in\n"
            yield other
        finally:
            other.kill()


def test_whoever_does_not_give_way_is_named_and_nothing_changes(home: Path, archive: Path) -> None:
    (home / "arms.json").write_text("[]")
    before = content(home)
    with (
        only_app(home, "http://127.0.0.1:8501"),
        pytest.raises(AssistantError, match=r"the app at http://127"),
    ):
        restore_backup(home, archive, patience_seconds=0.2)
    with KnowledgeBase(home, embeddings=FAKE), pytest.raises(AssistantError, match="knowledge base open"):
        restore_backup(home, archive, patience_seconds=0.2)
    with (
        using(home, "compare") as other,
        pytest.raises(AssistantError, match=rf"`imprint compare` \(process {other.pid}\)"),
    ):
        restore_backup(home, archive, patience_seconds=0.2)
    (mark,) = home.glob(".in-use/*.json")
    assert content(home).keys() == before.keys() | {mark.relative_to(home).as_posix()}
    assert not list(home.glob(".restoring-*"))
    restore_backup(home, archive)  # a process that was killed does not stand in the way
    assert not (home / "arms.json").exists()


def test_the_server_is_not_ended_for_a_command_that_does_not_end(home: Path, archive: Path) -> None:
    with using(home, "serve", UNTIL_ASKED, "print('asked', flush=True)") as server, using(home, "tune"):
        with pytest.raises(AssistantError, match=r"in use by `imprint tune` \(process \d+\)\. End that"):
            restore_backup(home, archive, patience_seconds=1)
        assert server.poll() is None
        server.kill()
        assert server.stdout and server.stdout.read() == ""


def test_a_command_that_ends_in_time_and_a_server_that_gives_way_are_waited_for(
    home: Path, archive: Path
) -> None:
    with using(home, "ask", "time.sleep(1)"), using(home, "serve", UNTIL_ASKED):
        restore_backup(home, archive)
    assert titles(home) == ["Birds 夜莺"] and not (home / "give-way.json").exists()


def test_commands_run_while_the_archive_is_read_and_wait_while_its_content_moves(
    home: Path, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(done: int, total: int) -> None:
        with use_home(home, "ask", patience_seconds=0):
            finish_restore(home)
        assert list(home.glob(".restoring-*"))  # what is being written is not taken for left over

    def move(*args: Any) -> None:
        moved.append(args)
        with (
            pytest.raises(AssistantError, match="is being restored or repaired now"),
            use_home(home, "ask", patience_seconds=0),
        ):
            pass
        swap(*args)

    moved: list[Any] = []
    monkeypatch.setattr("assistant.backup.restore.swap", move)
    restore_backup(home, archive, on_progress=begin)
    assert moved


def test_a_job_that_runs_keeps_its_folder_and_its_parent_and_stores_its_checkpoint(
    home: Path, archive: Path
) -> None:
    registry, jobs = Registry(home), Jobs(home, worker=WORKER)
    config = TuneConfig(name="round-2", base="base", device="cpu", parent="halden")
    example = Example(({"role": "user", "content": "400"}, {"role": "assistant", "content": "steps"}))
    ended = jobs.submit(replace(config, name="ended"), [example])
    jobs.cancel(ended.id)
    running = jobs.submit(config, [example])
    assert wait_until(lambda: jobs.get(running.id).step > 0)
    parent = registry.get("halden").id
    registry.save(Manifest("other", "lora", "base", "0" * 64), write_weights)
    report = restore_backup(home, archive)
    assert report.running == (running.id,) and report.kept is not None
    assert [job.id for job in Jobs(home).list()] == [running.id]
    assert Jobs(home).get(running.id).status == "running"
    assert [one.name for one in registry.list()] == ["halden"] and registry.get("halden").id == parent
    assert (report.kept / "jobs" / ended.id).is_dir() and (report.kept / "checkpoints" / "other").is_dir()
    registry.save(Manifest("round-2", "lora", "base", "0" * 64, parent="halden"), write_weights)
    Jobs(home).cancel(running.id)


KILLED = """
import os, sys
from pathlib import Path
from assistant.backup.restore import restore_backup
moves = int(sys.argv[3])
whole = Path.rename
def rename(self, target):
    global moves
    moves -= 1
    if moves < 0:
        os._exit(9)
    return whole(self, target)
Path.rename = rename
restore_backup(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("moves", range(0, 15, 2))
def test_killed_between_two_moves_the_next_command_finds_the_new_content_whole(
    home: Path, archive: Path, moves: int
) -> None:
    store = ConversationStore(home / "conversations.sqlite3")
    store.add_message(store.create("written after the backup"), "user", "And now?")
    store.close()
    (home / "arms.json").write_text("[]")
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), str(archive), str(moves)], cwd=ROOT)
    assert done.returncode in (9, 0)
    finish_restore(home)
    assert titles(home) == ["Birds 夜莺"]
    assert (home / "questions" / "birds.jsonl").is_file() and not (home / "arms.json").exists()
    (kept,) = home.glob("before-restore-*")
    assert titles(kept) == ["written after the backup", "Birds 夜莺"] and (kept / "arms.json").exists()
    assert not list(home.glob(".restoring-*")) and not (home / "restore.json").exists()


def test_killed_before_the_first_move_everything_is_as_it_was(home: Path, archive: Path) -> None:
    before = content(home)
    code = KILLED.replace(
        "restore_backup(Path", "restore_backup(on_progress=lambda *_: os._exit(9), home=Path", 1
    )
    code = code.replace(", Path(sys.argv[2]))", ", source=Path(sys.argv[2]))")
    assert (
        subprocess.run([sys.executable, "-c", code, str(home), str(archive), "0"], cwd=ROOT).returncode == 9
    )
    assert list(home.glob(".restoring-*"))
    finish_restore(home)
    assert content(home) == before and not list(home.glob(".restoring-*"))
