"""`imprint jobs`, `cancel` and `resume`, with a worker that sleeps instead of training."""

from pathlib import Path

import pytest

from tests.assistant.cli.invoke import Impatient, Run, document, examples_file


def test_ctrl_c_stops_following_and_not_the_job(
    tuning: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Impatient, "interrupts", True)
    tuned = document(tuning("tune", "--examples", examples_file(tmp_path, "400"), "--json"))
    assert tuned["status"] == "running"
    monkeypatch.setattr(Impatient, "interrupts", False)
    listed = document(tuning("jobs", "--json"))["jobs"]
    assert [(job["id"], job["status"]) for job in listed] == [(tuned["job"], "running")]
    assert document(tuning("cancel", tuned["job"], "--json"))["status"] == "cancelled"
    resumed = document(tuning("resume", tuned["job"], "--no-wait", "--json"))
    assert resumed["status"] in ("queued", "running")


def test_the_jobs_are_listed_in_words(tuning: Run, tmp_path: Path) -> None:
    assert "No job yet" in tuning("jobs").stderr
    tuned = document(tuning("tune", "--examples", examples_file(tmp_path, "2"), "--json"))
    listed = tuning("jobs").stdout
    assert tuned["job"] in listed and "succeeded" in listed and "100%" in listed
