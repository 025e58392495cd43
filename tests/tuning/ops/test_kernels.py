"""The compiled passes are kept for the next process, and made anew where what is kept does not fit."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tuning.ops import kernels

pytestmark = pytest.mark.skipif(kernels.compiled() is None, reason="no compiler here")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where they are kept; as in a process that has compiled nothing yet."""
    monkeypatch.setattr(kernels, "_kept_in", None)
    kernels.compiled.cache_clear()
    kernels.keep_in(tmp_path / "compiled")
    yield tmp_path / "compiled"
    kernels.compiled.cache_clear()


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each time that the compiler was asked."""
    asked, run = [], subprocess.run

    def counted(command: list[str], **more: object) -> object:
        asked.append(command)
        return run(command, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", counted)
    return asked


def test_the_next_process_compiles_nothing(folder: Path, compilations: list[object]) -> None:
    assert kernels.compiled() is not None
    (kept,) = folder.iterdir()
    kernels.compiled.cache_clear()
    found = kernels.compiled()
    assert found is not None and found.add_norm and len(compilations) == 1
    assert list(folder.iterdir()) == [kept]


def test_what_is_damaged_is_made_anew(folder: Path, compilations: list[object]) -> None:
    assert kernels.compiled() is not None
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    kept.unlink()
    kept.write_bytes(b"no library")
    kernels.compiled.cache_clear()
    assert kernels.compiled() is not None and len(compilations) == 2
    assert len(kept.read_bytes()) == len(whole)


def test_what_others_can_write_is_not_run(folder: Path, compilations: list[object]) -> None:
    assert kernels.compiled() is not None
    (kept,) = folder.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.chmod(0o666)
    kernels.compiled.cache_clear()
    assert kernels.compiled() is not None and len(compilations) == 2
    assert kept.stat().st_mode & 0o777 == 0o600


def test_another_processor_gets_its_own(
    folder: Path, compilations: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert kernels.compiled() is not None
    monkeypatch.setattr(kernels.platform, "machine", lambda: "another")
    kernels.compiled.cache_clear()
    assert kernels.compiled() is not None
    assert len(compilations) == len(list(folder.iterdir())) == 2


def test_a_folder_that_cannot_be_written_costs_only_time(
    tmp_path: Path, folder: Path, compilations: list[object]
) -> None:
    (tmp_path / "file").write_text("in the way")
    kernels.keep_in(tmp_path / "file" / "compiled")
    assert kernels.compiled() is not None
