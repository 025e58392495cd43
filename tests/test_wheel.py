"""The wheel alone, outside the checkout: all its data is in it, and it answers on real weights."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PACKAGES = ("assistant", "imprint", "knowledge", "tuning")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git knows, so that nothing that only lies about gets in."""
    source, output = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in tracked("."):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "."]
    run([*command, "--wheel-dir", str(output)], cwd=source)
    (built,) = output.glob("imprint-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site-packages")
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), str(wheel)])
    return folder


def tracked(folder: str) -> list[str]:
    """The files of this folder that git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", folder]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def run(command: Sequence[str], **options: object) -> str:
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr[-3000:]
    return str(done.stdout)


def imprint(installed: Path, home: Path, *words: str) -> str:
    """The command of the wheel, from a folder that is no checkout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "IMPRINT_HOME": str(home)}
    return run([sys.executable, "-P", "-m", "assistant.cli", *words], cwd=home, env=environment)


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    wanted = {name for package in PACKAGES for name in tracked(package)} | {"streamlit_app.py"}
    assert len(wanted) > 250 and wanted <= packed
    assert not [name for name in packed if name.startswith(("tests/", "benchmarks/", "examples/"))]


def test_the_modules_come_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import imprint, tuning; print(imprint.__file__, tuning.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    found = run([sys.executable, "-P", "-c", code], cwd=tmp_path, env=environment).split()
    assert [Path(one).parent.parent for one in found] == [installed, installed]


@pytest.mark.real
def test_the_wheel_indexes_finds_and_answers(installed: Path, imprint_home: Path, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(imprint_home / "models")
    (tmp_path / "kettle.md").write_text("# Kettle\n\nThe kettle weighs 840 grams.\n", encoding="utf-8")
    imprint(installed, tmp_path, "index", "kettle.md")
    asked = "How heavy is the kettle?"
    answered = json.loads(imprint(installed, tmp_path, "ask", asked, "--memory", "rag", "--json"))
    assert "840 grams" in answered["sources"][0]["text"]
    assert answered["answer"].strip() and answered["completion_tokens"] > 0
