"""Several processes train one adapter together, and end with the weights that one would have found."""

import json
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from tests.tuning.distributed.train_methods import EXAMPLES
from tests.tuning.jobs.watching import until
from tuning.config import TuneConfig
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs
from tuning.models.base_model import BaseModel

BARE = (sys.executable, str(Path(__file__).parents[1] / "jobs" / "worker_without_evaluation.py"))
SHORT = (sys.executable, str(Path(__file__).parents[1] / "jobs" / "worker_short_of_memory.py"))


@pytest.fixture(scope="module")
def jobs(base_model: BaseModel, imprint_home: Path) -> Jobs:
    return Jobs(imprint_home, worker=BARE)


def start(jobs: Jobs, processes: int, epochs: int, tokens_per_step: int | None = None) -> Job:
    config = TuneConfig(
        processes=processes, epochs=epochs, replay=0, reading=0, early_stop=False, device="cpu",
        tokens_per_step=tokens_per_step,
    )  # fmt: skip
    return jobs.submit(config, EXAMPLES)


def weights(jobs: Jobs, job: Job) -> dict[str, torch.Tensor]:
    assert job.status == "succeeded" and job.checkpoint is not None, jobs.log(job.id)
    return load_file(jobs.registry.get(job.checkpoint).path / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def short_of_memory(jobs: Jobs) -> Job:
    """What two processes trained, of which one had no memory for the steps that were asked for."""
    short = Jobs(jobs.home, worker=SHORT)
    return short.wait(start(short, 2, epochs=2, tokens_per_step=128).id)


def test_two_processes_find_the_weights_of_one(jobs: Jobs, short_of_memory: Job) -> None:
    one, two = jobs.wait(start(jobs, 1, epochs=2, tokens_per_step=64).id), short_of_memory
    assert "process 1 of 2 joins the training" in jobs.log(two.id)
    alone, together = weights(jobs, one), weights(jobs, two)
    assert alone.keys() == together.keys()
    # Adam's first steps are as long for a small gradient as for a large one, whatever rounding made of it.
    for name in alone:
        apart = (alone[name] - together[name]).abs()
        assert float(apart.mean()) < 0.15 * float(alone[name].abs().mean()) + 1e-4, name


def test_memory_that_one_process_lacks_halves_the_batch_of_all(jobs: Jobs, short_of_memory: Job) -> None:
    done = short_of_memory
    assert done.status == "succeeded", jobs.log(done.id)
    told = [e["message"] for e in jobs.events(done.id) if e["kind"] == "advice"]
    assert len(told) == 1 and "halved to 64 tokens" in told[0] and done.advice == tuple(told)


def test_cancelling_ends_all_processes(jobs: Jobs) -> None:
    job = start(jobs, 2, epochs=500)
    until(jobs, job.id, lambda j: j.step >= 1 or j.has_ended)
    launcher = psutil.Process(int(json.loads((job.folder / "worker.json").read_text())["pid"]))
    members = [launcher, *launcher.children(recursive=True)]
    assert len(members) >= 3
    assert jobs.cancel(job.id).status == "cancelled"
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in members)
