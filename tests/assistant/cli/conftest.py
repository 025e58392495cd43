"""A home for each test, and commands that run over it with a scripted engine."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Impatient, Run, running
from tests.fakes import ScriptedEngine

PRETEND = (sys.executable, str(Path(__file__).parents[2] / "tuning" / "jobs" / "worker_that_sleeps.py"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path) -> Iterator[Run]:
    """Run a command over a home of its own, with an engine that says what it is told."""
    with running(Workspace(Settings(home=home), engine=ScriptedEngine("640 grams"))) as runner:
        yield runner


@pytest.fixture
def manual(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    text = "# Skerrin\n\nThe Skerrin weighs 640 grams.\n\n# 夜莺\n\n夜莺的电池可以用九十五天。\n"
    (folder / "manual.md").write_text(text, encoding="utf-8")
    return folder / "manual.md"


@pytest.fixture
def tuning(home: Path) -> Iterator[Run]:
    workspace = Workspace(Settings(home=home, device="cpu"), engine=ScriptedEngine())
    workspace.__dict__["jobs"] = Impatient(home, worker=PRETEND)
    with running(workspace) as runner:
        yield runner
    for job in workspace.jobs.list():
        if not job.has_ended:
            workspace.jobs.cancel(job.id)
