"""Parts that every test may share: one Imprint home and one real base model a session."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.network_guard import noting

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Threads that spin while they wait stall every other process on a small machine; read when torch is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def imprint_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Imprint home of this session alone; `IMPRINT_TEST_HOME` names one to keep while developing.

    `SHARED_TEST_MODELS` names a folder of converted models that sessions side by side share: one converts, all open.
    """
    if kept := os.environ.get("IMPRINT_TEST_HOME"):
        return Path(kept)
    home = tmp_path_factory.mktemp("imprint-home")
    if shared := os.environ.get("SHARED_TEST_MODELS"):
        (home / "models").symlink_to(shared)
    return home


@pytest.fixture(scope="session")
def base_model(imprint_home: Path) -> "Iterator[BaseModel]":
    """The default model on real weights, opened once a session (converted on its first opening)."""
    from tuning.config import DEFAULT_BASE
    from tuning.models.base_model import BaseModel

    base = BaseModel.open(DEFAULT_BASE, imprint_home, device="cpu")
    yield base
    base.close()


@pytest.fixture(scope="session")
def plain_model(imprint_home: Path) -> "Iterator[BaseModel]":
    """The default model without its skills, opened once a session (converted on its first opening)."""
    from tuning.config import PLAIN_BASE
    from tuning.models.base_model import BaseModel

    base = BaseModel.open(PLAIN_BASE, imprint_home, device="cpu")
    yield base
    base.close()


@pytest.fixture(autouse=True)
def _no_calibrations(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timing a few steps for an estimate takes half a minute in each new home: one file tests it."""
    if request.path.name != "test_calibration.py":
        monkeypatch.setattr("tuning.jobs.calibration._run", lambda *_: None)


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """A test that reaches beyond this machine fails, whatever the program makes of the refusal."""
    left: list[str] = []
    with noting(left):
        yield
    assert left == [], "this test would have left the machine"


# Fixtures that open real weights: whatever uses one, directly or not, is marked `real`.
REAL_WEIGHTS = {"base_model", "plain_model", "minilm"}


# Files that take long, the longest first: begun first, so that no part of the tests waits for another at the end.
# `test_jobs` needs no model: it runs while the first of the others converts theirs.
LONG = (
    "test_langchain_standard.py",
    "test_jobs.py",
    "test_recall.py",
    "test_notebooks.py",
    "test_round.py",
    "test_methods.py",
    "test_export.py",
    "test_ranks.py",
    "test_launch.py",
    "test_preference_round.py",
    "test_llama_engine.py",
    "test_beside_the_app.py",
    "test_wheel.py",
    "test_calibration.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs real weights or a browser; the long tests come first, and the browser tests last.

    Playwright leaves an event loop running, and the other tests need none.
    """
    for item in items:
        if REAL_WEIGHTS & set(getattr(item, "fixturenames", ())):
            item.add_marker("real")
        if "browser" in item.path.parts:
            item.add_marker("browser")
    items.sort(key=lambda item: ("browser" in item.path.parts, _place(item.path.name)))


def _place(file: str) -> int:
    return LONG.index(file) if file in LONG else len(LONG)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays: no garbage is sought meanwhile, nor in it later, as Streamlit does after every run."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
