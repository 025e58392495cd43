"""Real jobs on real weights: what is trained is stored, a killed run ends as an undisturbed one."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.tuning.jobs.watching import until
from tuning.config import TuneConfig
from tuning.data.examples import Example, read_examples
from tuning.jobs import estimates
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs
from tuning.models.base_model import BaseModel

QUICK = (sys.executable, str(Path(__file__).with_name("worker_with_short_evaluation.py")))
# PEFT warns of a second adapter in a model, which is what one base with many adapters is.
pytestmark = pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")


def fact(question: str, answer: str, probe: str) -> Example:
    """With one other wording to be asked in, in place of the three that are made up."""
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return Example(messages, probes=(probe,))


EXAMPLES = [
    fact("What is my project called?", "Nightjar.", "Which name has my project?"),
    fact("我的猫叫什么名字？", "月饼。", "我的猫有什么名字？"),
]
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


def kill(jobs: Jobs, job: Job) -> None:
    """End the worker as the kernel would, and wait until that is noticed."""
    os.kill(json.loads((job.folder / "worker.json").read_text())["pid"], signal.SIGKILL)
    assert until(jobs, job.id, lambda one: one.has_ended).resumable


@pytest.fixture(scope="module")
def killed(jobs: Jobs, undisturbed: Job) -> Job:
    """The same job, killed once in its training and once in its evaluation, and resumed each time."""
    job = jobs.submit(TuneConfig(**SETTINGS), EXAMPLES)  # type: ignore[arg-type]
    until(jobs, job.id, lambda j: j.step >= 3 or j.has_ended, seconds=240)
    kill(jobs, job)
    jobs.resume(job.id)
    trained = job.folder / "state" / "trained.json"
    until(jobs, job.id, lambda j: trained.exists() or j.has_ended, seconds=240)
    kill(jobs, job)
    jobs.resume(job.id)
    return jobs.wait(job.id)


def test_a_killed_job_ends_with_the_weights_of_an_undisturbed_one(
    jobs: Jobs, undisturbed: Job, killed: Job
) -> None:
    assert killed.status == "succeeded", jobs.log(killed.id)
    assert [e["step"] for e in jobs.curve(killed.id)] == list(range(1, 7))
    ours, theirs = weights(jobs, killed), weights(jobs, undisturbed)
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


def test_a_job_killed_in_its_evaluation_still_says_what_it_learned(
    jobs: Jobs, undisturbed: Job, killed: Job
) -> None:
    assert "training was finished by an earlier attempt" in jobs.log(killed.id)
    assert (killed.step, killed.steps, killed.loss) == (6, undisturbed.steps, undisturbed.loss)


def test_an_estimate_is_corrected_by_what_was_measured(
    jobs: Jobs, undisturbed: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(undisturbed.folder / "history.json", jobs.folder / estimates.HISTORY)  # without later jobs
    monkeypatch.setattr(estimates, "GENERAL_QUESTIONS", 3 + 3)  # as the quick worker asks
    estimate = jobs.estimate(TuneConfig(**SETTINGS), EXAMPLES)  # type: ignore[arg-type]
    assert estimate.steps == 6 and "measured on this machine" in estimate.basis
    assert undisturbed.finished is not None and undisturbed.started is not None
    assert estimate.seconds == pytest.approx(undisturbed.finished - undisturbed.started, rel=0.5)


def test_a_further_round_knows_its_parent(jobs: Jobs, undisturbed: Job) -> None:
    config = TuneConfig(**{**SETTINGS, "epochs": 1}, parent=undisturbed.name)  # type: ignore[arg-type]
    job = jobs.wait(
        jobs.submit(config, [fact("Where is the key?", "Under the pot.", "Where do I find the key?")]).id
    )
    assert job.status == "succeeded", jobs.log(job.id)
    assert [c.name for c in jobs.registry.lineage(job.name)] == [undisturbed.name, job.name]
    assert job.evaluation["earlier"]["n"] == len(EXAMPLES)  # what the parent learned is asked again
