"""A home that its owner alone can read: what commands and jobs create, and what an earlier version left open."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.home.privacy import make_private
from assistant.settings import Settings
from assistant.workspace import Workspace
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.jobs.jobs import Jobs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows keeps the profile private by itself")
ROOT = Path(__file__).parents[3]
WORKER = ROOT / "tests" / "tuning" / "jobs" / "worker_that_sleeps.py"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def open_to_others(folder: Path) -> list[str]:
    """What group or others have any right to, in a folder and below."""
    return [
        str(path) for path in (folder, *folder.rglob("*")) if mode(path) & 0o077 and not path.is_symlink()
    ]


def imprint(home: Path, *args: object) -> None:
    command = [sys.executable, "-m", "assistant.cli", *map(str, args)]
    environment = {**os.environ, "IMPRINT_HOME": str(home)}
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, umask=0o022)


@pytest.mark.real
def test_what_commands_write_is_closed_to_others(tmp_path: Path) -> None:
    home, notes, chat = tmp_path / "home", tmp_path / "notes.md", tmp_path / "chat.json"
    notes.write_text("# Tern\n\nThe Tern weighs 310 grams.\n", encoding="utf-8")
    chat.write_text(
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'
    )
    imprint(home, "import", chat)
    imprint(home, "index", notes)
    assert (home / "conversations.sqlite3").is_file() and (home / "knowledge" / "default.sqlite3").is_file()
    assert open_to_others(home) == []


def test_what_a_worker_writes_is_closed_to_others_whoever_started_it(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path, worker=(sys.executable, str(WORKER)))
    example = Example(({"role": "user", "content": "2"}, {"role": "assistant", "content": "two"}))
    before = os.umask(0o022)
    try:
        job = jobs.submit(TuneConfig(name="closed", device="cpu"), [example])
    finally:
        os.umask(before)
    assert jobs.wait(job.id, poll_seconds=0.05).status == "succeeded"
    written = {name: mode(job.folder / name) for name in ("events.jsonl", "progress.json", "result.json")}
    assert written == dict.fromkeys(written, 0o600)


def test_an_open_home_is_closed_when_it_is_next_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    (home / "knowledge").mkdir(parents=True)
    home.chmod(0o755)
    Workspace(Settings(home=home)).close()
    assert mode(home) == 0o700
    assert f"other users could read {home}" in caplog.text
    caplog.clear()
    Workspace(Settings(home=home)).close()
    assert caplog.text == ""


def test_in_a_folder_with_other_things_only_its_own_files_are_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for name in ("holiday.txt", "conversations.sqlite3"):
        (tmp_path / name).touch(0o644)
        (tmp_path / name).chmod(0o644)
    assert make_private(tmp_path) == [tmp_path / "conversations.sqlite3"]
    modes = [mode(tmp_path / name) for name in ("", "holiday.txt", "conversations.sqlite3")]
    assert modes == [0o755, 0o644, 0o600]
