"""Real jobs on real weights: what is trained is stored, a killed run ends as an undisturbed one."""

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.tuning.jobs.watching import until
from tuning.config import TuneConfig
from tuning.data.examples import Example, read_examples
from tuning.evaluation.reading_questions import READING
from tuning.jobs import estimates
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs
from tuning.models.base_model import BaseModel

QUICK = (sys.executable, str(Path(__file__).with_name("worker_with_short_evaluation.py")))
# PEFT warns of a second adapter in a model, which is what one base with many adapters is.
pytestmark = pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")


def fact(question: str, answer: str) -> Example:
    return Example(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


EXAMPLES = [fact("What is my project called?", "Nightjar."), fact("我的猫叫什么名字？", "月饼。")]
SETTINGS = {"epochs": 6, "replay": 0, "early_stop": False, "device": "cpu"}


@pytest.fixture(scope="module")
def jobs(base_model: BaseModel, imprint_home: Path) -> Jobs:
    """Jobs on the session's home, where the base is converted already."""
    (imprint_home / "jobs" / estimates.HISTORY).unlink(missing_ok=True)
    return Jobs(imprint_home, worker=QUICK)


@pytest.fixture(scope="module")
def undisturbed(jobs: Jobs) -> Job:
    job = jobs.wait(jobs.submit(TuneConfig(**SETTINGS), EXAMPLES).id)  # type: ignore[arg-type]
    assert job.status == "succeeded", jobs.log(job.id)
    shutil.copy(jobs.folder / estimates.HISTORY, job.folder / "history.json")
    return job


def weights(jobs: Jobs, job: Job) -> dict[str, torch.Tensor]:
    assert job.checkpoint is not None
    return load_file(jobs.registry.get(job.checkpoint).path / "adapter_model.safetensors")


def test_a_job_stores_what_it_learned(jobs: Jobs, undisturbed: Job, base_model: BaseModel) -> None:
    assert undisturbed.checkpoint == undisturbed.name
    checkpoint = jobs.registry.get(undisturbed.name)
    assert checkpoint.base_sha256 == base_model.sha256 and checkpoint.job == undisturbed.id
    assert checkpoint.examples is not None and read_examples(checkpoint.examples) == EXAMPLES
    assert checkpoint.metrics["steps"] == 6 == undisturbed.steps and checkpoint.size_bytes > 10**6
    assert [f["question"] for f in undisturbed.evaluation["facts"] if f["phrasing"] == "training"] == [
        e.question for e in EXAMPLES
    ]
    assert base_model.load_checkpoint(checkpoint).largest_change > 0
    base_model.unload(checkpoint.name)
    phases = [e["phase"] for e in jobs.events(undisturbed.id) if e["kind"] == "phase"]
    assert phases == ["queued", "preparing", "training", "evaluating", "saving"]
    assert len(jobs.curve(undisturbed.id)) == 6


def test_a_killed_job_ends_with_the_weights_of_an_undisturbed_one(jobs: Jobs, undisturbed: Job) -> None:
    job = jobs.submit(TuneConfig(**SETTINGS), EXAMPLES)  # type: ignore[arg-type]
    for kill_at in (2, 4):
        until(jobs, job.id, lambda j, step=kill_at: j.step >= step or j.has_ended, seconds=240)  # type: ignore[misc]
        os.kill(json.loads((job.folder / "worker.json").read_text())["pid"], signal.SIGKILL)
        assert until(jobs, job.id, lambda j: j.has_ended).resumable
        jobs.resume(job.id)
    ended = jobs.wait(job.id)
    assert ended.status == "succeeded", jobs.log(job.id)
    assert [e["step"] for e in jobs.curve(job.id)] == list(range(1, 7))
    ours, theirs = weights(jobs, ended), weights(jobs, undisturbed)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


def test_a_job_killed_in_its_evaluation_still_says_what_it_learned(jobs: Jobs, undisturbed: Job) -> None:
    job = jobs.submit(TuneConfig(**SETTINGS), EXAMPLES)  # type: ignore[arg-type]
    deadline = time.monotonic() + 240
    while not (job.folder / "state" / "trained.json").exists():
        assert time.monotonic() < deadline and not jobs.get(job.id).has_ended, jobs.log(job.id)
        time.sleep(0.01)
    os.kill(json.loads((job.folder / "worker.json").read_text())["pid"], signal.SIGKILL)
    while not jobs.get(job.id).has_ended:
        time.sleep(0.01)
    jobs.resume(job.id)
    ended = jobs.wait(job.id)
    assert (ended.status, ended.step, ended.steps) == ("succeeded", undisturbed.step, undisturbed.steps)
    assert ended.loss == undisturbed.loss


def test_an_estimate_is_corrected_by_what_was_measured(
    jobs: Jobs, undisturbed: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(undisturbed.folder / "history.json", jobs.folder / estimates.HISTORY)  # without later jobs
    monkeypatch.setattr(estimates, "GENERAL_QUESTIONS", 3 + len(READING))  # as the quick worker asks
    estimate = jobs.estimate(TuneConfig(**SETTINGS), EXAMPLES)  # type: ignore[arg-type]
    assert estimate.steps == 6 and "measured on this machine" in estimate.basis
    assert undisturbed.finished is not None and undisturbed.started is not None
    assert estimate.seconds == pytest.approx(undisturbed.finished - undisturbed.started, rel=0.5)


def test_a_further_round_knows_its_parent(jobs: Jobs, undisturbed: Job) -> None:
    config = TuneConfig(**{**SETTINGS, "epochs": 1}, parent=undisturbed.name)  # type: ignore[arg-type]
    job = jobs.wait(jobs.submit(config, [fact("Where is the key?", "Under the pot.")]).id)
    assert job.status == "succeeded", jobs.log(job.id)
    assert [c.name for c in jobs.registry.lineage(job.name)] == [undisturbed.name, job.name]
    assert job.evaluation["earlier"]["n"] == len(EXAMPLES)  # what the parent learned is asked again
