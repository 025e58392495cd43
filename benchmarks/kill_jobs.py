"""Kill -9 of a tuning job's worker: resumed, it must end with the weights of an undisturbed run, bit for bit.

The base is a random Llama of a few thousand weights over bytes, so that a job takes seconds; its losses mean nothing.
"""

import hashlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks import gpu_shapes
from benchmarks.killing import PATIENCE_SECONDS, Tally, examine
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.jobs.folder import Job, JobFolder
from tuning.jobs.jobs import Jobs

_KILLS_A_JOB = 4
_EXAMPLES = [
    Example(({"role": "user", "content": f"Who keeps lamp {n}?"}, {"role": "assistant", "content": f"T{n}."}))
    for n in range(4)
]


def job(folder: Path, times: int, chance: random.Random) -> Tally:
    """Jobs that are killed a few times each and resumed, beside one that is not."""
    tally, home = Tally(), folder / "home"
    base = _base(folder / "base")
    jobs = Jobs(home)
    began = time.monotonic()
    undisturbed = jobs.wait(_submit(jobs, base, "undisturbed").id)
    whole = time.monotonic() - began
    if undisturbed.status != "succeeded":
        raise SystemExit(
            f"The undisturbed job {undisturbed.status}: {undisturbed.error}\n{jobs.log(undisturbed.id)}"
        )
    wanted, number = _weights(jobs, undisturbed), 0
    while tally.kills < times:
        number += 1
        killed = _submit(jobs, base, f"killed-{number}")
        for _ in range(min(_KILLS_A_JOB, times - tally.kills)):
            if not _kill(jobs, killed.id, chance.uniform(0.05, 0.9) * whole):
                break  # it had ended
            tally.kills += 1
            tally.acknowledged += 1
            examine(home, tally, "job")
            jobs.resume(killed.id)
        ended = jobs.wait(killed.id)
        if ended.status != "succeeded" or _weights(jobs, ended) != wanted:
            tally.lost.append(f"job {number}: {ended.status} {ended.error}, other weights than undisturbed")
        left = [path.name for path in (home / "checkpoints").glob(".*")]
        if left:
            tally.damaged.append(f"left over: {left}")
    return tally


def _base(folder: Path) -> str:
    base = gpu_shapes.random_base("tiny", gpu_shapes.SHAPES["tiny"], torch.device("cpu"))
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    return str(folder)


def _submit(jobs: Jobs, base: str, name: str) -> Job:
    config = TuneConfig(name=name, base=base, device="cpu", epochs=120, early_stop=False, replay=0, reading=0)
    return jobs.submit(config, _EXAMPLES)


def _kill(jobs: Jobs, id: str, after_seconds: float) -> bool:
    """Kill the worker's group then, and wait until the job is seen as ended; False where it had ended before."""
    folder = JobFolder(jobs.folder / id)
    deadline = time.monotonic() + after_seconds
    while time.monotonic() < deadline and not jobs.get(id).has_ended:
        time.sleep(0.05)
    worker = folder.worker()
    if jobs.get(id).has_ended or worker is None:
        return False
    os.killpg(worker.pid, signal.SIGKILL)
    _await(lambda: jobs.get(id).has_ended)
    return jobs.get(id).resumable


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit("A killed job is not seen as ended.")
        time.sleep(0.05)


def _weights(jobs: Jobs, job: Job) -> str:
    if job.checkpoint is None:
        return ""
    path = jobs.registry.get(job.checkpoint).path / "adapter_model.safetensors"
    return hashlib.sha256(path.read_bytes()).hexdigest()
