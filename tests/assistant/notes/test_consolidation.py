"""When notes are taught by themselves, from which checkpoint, and what is never tried twice."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assistant.home.layout import is_own
from assistant.notes.consolidation import FILE, Consolidation
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine
from tuning.checkpoints.manifest import Manifest
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import Example
from tuning.errors import JobError

NIGHT = datetime(2026, 11, 29, 3, 20)


class ScriptedJobs:
    """Jobs that end when they are told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[TuneConfig, list[str]]] = []
        self.jobs: list[Any] = []

    def list(self) -> "list[Any]":
        return self.jobs

    def get(self, id: str) -> Any:
        if not self.jobs:
            raise JobError("There is no job.")
        return self.jobs[int(id)]

    def submit(self, config: TuneConfig, notes: Sequence[Example]) -> Any:
        self.asked.append((config, [note.question for note in notes]))
        job = SimpleNamespace(id=str(len(self.jobs)), name=config.name, checkpoint=None, has_ended=False)
        self.jobs.append(job)
        return job

    def end(self, workspace: Workspace, passed: bool) -> None:
        """The last job stores its checkpoint."""
        config, questions = self.asked[-1]
        notes = [note for note in workspace.notes.home.list() if note.question in questions]
        manifest = Manifest(
            str(config.name),
            "lora",
            DEFAULT_BASE,
            "0" * 64,
            parent=config.parent,
            examples=tuple(notes),
            evaluation={"verdict": {"passed": passed}},
        )
        workspace.registry.save(manifest, lambda folder: _write(folder))
        self.jobs[-1].checkpoint, self.jobs[-1].has_ended = config.name, True


def _write(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"weights")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> ScriptedJobs:
    found = ScriptedJobs()
    monkeypatch.setattr(Workspace, "jobs", found)
    return found


def opened(home: Path, **settings: Any) -> Workspace:
    workspace = Workspace(Settings(home=home, **settings), engine=ScriptedEngine(""))
    workspace.notes.home.add("How heavy is the Tern?", "90 grams.")
    return workspace


def test_it_is_off_until_somebody_turns_it_on(tmp_path: Path, jobs: ScriptedJobs) -> None:
    assert Consolidation(opened(tmp_path), lambda: NIGHT, lambda: 0.0).look() is None
    assert not jobs.asked and not (tmp_path / FILE).exists()


def test_once_a_day_at_its_hour(tmp_path: Path, jobs: ScriptedJobs) -> None:
    workspace = opened(tmp_path, learn_notes="daily", learn_notes_hour=3)
    for moment in (NIGHT - timedelta(hours=1), NIGHT, NIGHT + timedelta(minutes=1)):
        Consolidation(workspace, lambda now=moment: now).look()  # type: ignore[misc]
    assert [questions for _, questions in jobs.asked] == [["How heavy is the Tern?"]]
    jobs.end(workspace, passed=True)
    workspace.notes.home.add("Who built the Tern?", "Ilse Tann.")
    Consolidation(workspace, lambda: NIGHT + timedelta(minutes=30)).look()
    assert len(jobs.asked) == 1
    Consolidation(workspace, lambda: NIGHT + timedelta(days=1)).look()
    assert jobs.asked[1][1] == ["Who built the Tern?"]


def test_looking_again_writes_nothing(tmp_path: Path, jobs: ScriptedJobs) -> None:
    workspace = opened(tmp_path)
    Consolidation(workspace, lambda: NIGHT).start()
    jobs.end(workspace, passed=True)
    Consolidation(workspace, lambda: NIGHT).start()
    written = (tmp_path / FILE).stat().st_mtime_ns
    Consolidation(workspace, lambda: NIGHT).start()
    assert (tmp_path / FILE).stat().st_mtime_ns == written
    assert all(
        is_own(path.name) for path in tmp_path.iterdir()
    )  # else the home is taken for somebody's folder


def test_only_where_nobody_chats_and_the_machine_is_idle(tmp_path: Path, jobs: ScriptedJobs) -> None:
    workspace = opened(tmp_path, learn_notes="idle", learn_notes_idle_minutes=30)
    workspace.store.create("Just now")
    path = workspace.settings.conversations_path
    files = [file for file in (path, path.with_name(f"{path.name}-wal")) if file.exists()]
    for minutes_ago, load in ((10, 0.0), (40, 0.9), (40, 0.1)):
        written = (NIGHT - timedelta(minutes=minutes_ago)).timestamp()
        for file in files:
            os.utime(file, (written, written))
        assert not jobs.asked
        Consolidation(workspace, lambda: NIGHT, lambda load=load: load).look()  # type: ignore[misc]
    assert len(jobs.asked) == 1


def test_each_round_continues_from_the_last_that_passed(tmp_path: Path, jobs: ScriptedJobs) -> None:
    workspace = opened(tmp_path)
    consolidation = Consolidation(workspace, lambda: NIGHT)
    assert consolidation.start() is not None and consolidation.start() is None  # one job at a time
    jobs.end(workspace, passed=True)
    assert consolidation.start() is None  # nothing is new

    workspace.notes.home.add("Who built the Tern?", "Ilse Tann.")
    consolidation.start()
    jobs.end(workspace, passed=False)
    assert consolidation.start() is None  # it forgot too much: not tried again, and no parent
    workspace.notes.home.add("How heavy is the Tern?", "95 grams.")
    consolidation.start()
    parents = [(config.name, config.parent) for config, _ in jobs.asked]
    assert parents == [("notes", None), ("notes-2", "notes"), ("notes-3", "notes")]
    assert jobs.asked[-1][1] == ["Who built the Tern?", "How heavy is the Tern?"]

    jobs.end(workspace, passed=True)
    workspace.registry.delete("notes-3")
    workspace.notes.home.add("Where is the Tern made?", "In Norrhamn.")
    assert len(Consolidation(workspace, lambda: NIGHT).pending()) == 3


@pytest.mark.parametrize(
    "content", ['{"parent": 3, "day"', '{"parent": 3, "tried": []}', '{"tried": [[1]]}', "[]"]
)
def test_what_cannot_be_read_is_a_beginning_anew(tmp_path: Path, jobs: ScriptedJobs, content: str) -> None:
    workspace = opened(tmp_path)
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    assert Consolidation(workspace, lambda: NIGHT).start() is not None
