"""A home for each test, with a scripted engine and a worker that sleeps instead of training."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imprint import Imprint
from knowledge.index.embeddings import SentenceEmbeddings
from tests.fakes import ScriptedEngine
from tuning.jobs.jobs import Jobs

PRETEND = (sys.executable, str(Path(__file__).parents[1] / "tuning" / "jobs" / "worker_that_sleeps.py"))


@pytest.fixture(scope="session")
def minilm() -> SentenceEmbeddings:
    return SentenceEmbeddings()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine("640 grams")


@pytest.fixture
def home(tmp_path: Path, engine: ScriptedEngine) -> Iterator[Imprint]:
    with Imprint(tmp_path / "home") as opened:
        opened._workspace._model.replace(engine)
        opened._workspace.__dict__["jobs"] = Jobs(opened.path, worker=PRETEND)
        yield opened
        for job in opened.jobs():
            if not job.state.has_ended:
                job.cancel()
