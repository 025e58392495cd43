"""`imprint backup`, `restore` and `doctor` as programs see them: JSON, exit status, and damaged settings."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assistant.cli.main import imprint
from assistant.history.conversations import ConversationStore


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("IMPRINT_HOME", str(home))
    store = ConversationStore(home / "conversations.sqlite3")
    store.create("Birds")
    store.close()
    return home


def run(*args: object) -> Result:
    return CliRunner().invoke(imprint, [str(arg) for arg in args])


def test_backup_and_restore_as_json(home: Path, tmp_path: Path) -> None:
    made = json.loads(run("backup", tmp_path / "b.zip", "--json").stdout)
    assert made["file"] == str(tmp_path / "b.zip") and made["kept"] == {"conversations.sqlite3": 1}
    assert (made["files"], made["left_out"], made["problems"]) == (1, [], [])
    assert made["bytes"] > 0 and made["archive_bytes"] == (tmp_path / "b.zip").stat().st_size
    restored = json.loads(run("restore", tmp_path / "b.zip", "--json").stdout)
    assert (restored["files"], restored["restored"]) == (1, {"conversations.sqlite3": 1})
    assert Path(restored["kept"]).parent == home
    told = run("restore", tmp_path / "b.zip").stderr
    assert "1 files of" in told and "What was there before is in" in told


def test_they_run_where_the_settings_are_damaged(home: Path, tmp_path: Path) -> None:
    assert run("backup", tmp_path / "b.zip").exit_code == 0
    (home / "settings.json").write_text("{")
    assert run("jobs").exit_code == 1
    assert run("backup", tmp_path / "damaged.zip").exit_code == 0
    assert run("restore", tmp_path / "b.zip").exit_code == 0
    assert run("jobs").exit_code == 0


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("restore", "gone.zip"), "There is no backup 'gone.zip'"),
        (("backup", "no/such/folder/b.zip"), "There is no folder"),
    ],
)
def test_a_failure_is_one_line(home: Path, args: tuple[str, ...], sentence: str) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("imprint: ") and sentence in last
