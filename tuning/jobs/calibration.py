"""A few steps and answers, timed on this machine: `python -m tuning.jobs.calibration HOME FOLDER`, its own process.

What it finds is kept for `estimates`; the little that it trains is thrown away. It waits for no job.
"""

import logging
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tuning.config import TuneConfig
from tuning.data.examples import Example, read_examples, write_examples
from tuning.errors import ModelError
from tuning.evaluation.reading_questions import CHATS, READING
from tuning.jobs.estimates import Rates, best_device, is_known, remember_rates, typical_rates
from tuning.process import lower_priority, restrict_new_files, worker_environment
from tuning.storage import read_json, write_json

log = logging.getLogger(__name__)

FEW = 20  # examples: four steps of them
MIN_STEPS = 4  # the first of which sets kernels up
PATIENCE_SECONDS = 120.0  # nobody waits longer for an estimate
ASKED = 32  # answers at once, as in an evaluation
READ = 4  # of them about a text, which is longer
ANSWER_TOKENS = 24
HEAP = 1.2  # of a few steps' peak: a whole job's heap grew by 1.18 to 1.27 of it, four methods
STARTED_SECONDS = 4.0  # a worker's imports
LOCK = ".calibration.lock"


def calibrate(home: Path, config: TuneConfig, examples: Sequence[Example]) -> bool:
    """Time a few steps of a job like this one, where nothing is known of such jobs; whether something is now.

    Takes longer where the base was never opened before: what it does then, conversion and answers to general
    prompts, the job finds done.
    """
    if config.processes > 1 or is_known(home, config):
        return is_known(home, config)
    (home / "jobs").mkdir(parents=True, exist_ok=True)
    with FileLock(home / "jobs" / LOCK):
        if not is_known(home, config):
            _run(home, config, examples)
    return is_known(home, config)


def is_underway(home: Path) -> bool:
    """Whether a calibration runs now, of whichever kind."""
    if not (home / "jobs").is_dir():
        return False
    lock = FileLock(home / "jobs" / LOCK)
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


def _run(home: Path, config: TuneConfig, examples: Sequence[Example]) -> None:
    with tempfile.TemporaryDirectory(prefix=".calibration-", dir=home / "jobs") as folder:
        write_json(Path(folder) / "config.json", config.to_dict())
        write_examples(Path(folder) / "examples.jsonl", list(examples)[:FEW])
        command = [sys.executable, "-P", "-m", "tuning.jobs.calibration", str(home), folder]
        try:
            done = subprocess.run(
                command, env=worker_environment(), capture_output=True, text=True, timeout=PATIENCE_SECONDS
            )
        except subprocess.TimeoutExpired:
            log.warning("calibration was given up: this machine is busy")
            return
        if done.returncode:  # an estimate is optional: the job itself will report what is wrong
            log.warning("calibration failed: %s", done.stderr.strip()[-500:])


def measure(home: Path, config: TuneConfig, examples: Sequence[Example], folder: Path) -> Rates:
    """Time a few steps and two batches of answers, with and without what was learned."""
    # Torch takes seconds to import; the program that asks must not wait for it.
    from tuning.evaluation.cached_base import open_cached
    from tuning.evaluation.recall import perplexity
    from tuning.jobs import ram
    from tuning.models.adapters import read_adapter
    from tuning.models.base_model import BaseModel
    from tuning.training.conversations import plan
    from tuning.training.replay import replay_set
    from tuning.training.trainer import train

    began = time.monotonic()
    base = open_cached(config.base, home, config.device or best_device())
    opened = time.monotonic() - began
    short = replace(config, epochs=1, early_stop=False, validation=0.0, parent=None, name=None)
    passes = math.ceil(MIN_STEPS / plan(base, short, examples).steps)
    short = replace(short, epochs=passes)
    workload = plan(base, short, examples)
    with base.activate(None):  # answers to general prompts are cached, so they are not timed
        replay_set(base, config.system_prompt)
    steps: list[float] = []
    began = time.monotonic()

    def note(event: dict[str, Any]) -> None:
        if event["kind"] == "step":
            steps.append(time.monotonic())

    result = train(base, short, examples, folder, emit=note, should_stop=lambda: False)
    step_seconds = (steps[-1] - steps[0]) / (len(steps) - 1)
    token_seconds = step_seconds / (workload.tokens / workload.steps)
    prepared = opened + steps[0] - began - step_seconds
    base.add_adapter("calibration", read_adapter(result.adapter))
    read = [[{"role": "user", "content": prompt}] for prompt, _ in READING[:READ]]
    asked = (read + [list(one.messages[:-1]) for one in examples] * ASKED)[:ASKED]
    answered = time.monotonic()
    for adapter in (None, "calibration"):
        BaseModel.complete(base, asked, adapter=adapter, max_new_tokens=ANSWER_TOKENS)
    answer_seconds = (time.monotonic() - answered) / (2 * ASKED)
    perplexity(
        base, CHATS, "calibration", config.system_prompt
    )  # as an evaluation does: it takes the most memory
    held = HEAP * ram.peak_bytes() if base.device.type == "cpu" else result.memory_bytes
    return Rates(token_seconds, STARTED_SECONDS + prepared, answer_seconds, float(held))


def check_memory(config: TuneConfig) -> None:
    """Raise ModelError where a second copy of the base would push the chat's out of memory."""
    from tuning.models.memory import available_bytes  # torch, as above

    needed = typical_rates(config).memory_bytes
    if available_bytes() < needed:
        raise ModelError(
            f"Timing {config.method!r} on {config.base!r} takes about {needed / 1e9:.1f} GB, and "
            f"{available_bytes() / 1e9:.1f} GB are free. Close what else uses memory."
        )


def main(arguments: Sequence[str]) -> int:
    """Measure what the folder describes, and keep it in the home."""
    home, folder = map(Path, arguments)
    restrict_new_files()
    lower_priority()
    config = TuneConfig.from_dict(read_json(folder / "config.json"))
    check_memory(config)
    rates = measure(home, config, read_examples(folder / "examples.jsonl"), folder / "work")
    remember_rates(home, config, config.device or best_device(), rates)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
