"""A few steps and answers, timed on this machine: `python -m tuning.jobs.calibration HOME FOLDER`, its own process.

What it finds is kept for `estimates`; the little that it trains is thrown away. It waits for no job.
"""

import logging
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.config import TuneConfig
from tuning.data.examples import Example, read_examples, write_examples
from tuning.errors import ModelError
from tuning.evaluation.reading_questions import CHATS, READING
from tuning.jobs.estimates import (
    best_device,
    is_known,
    remember_given_up,
    remember_rates,
    typical_rates,
)
from tuning.jobs.rates import STARTED_SECONDS, Rates
from tuning.process import lower_priority, restrict_new_files, worker_environment
from tuning.storage import read_json, write_json

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel
    from tuning.training.train_result import TrainResult

log = logging.getLogger(__name__)

FEW = 20  # examples: four steps of them
MIN_STEPS = 4  # the first of which sets kernels up
PATIENCE_SECONDS = 120.0  # nobody waits longer for an estimate
ASKED = 32  # answers at once, as in an evaluation
READ = 4  # of them about a text, which is longer
ANSWER_TOKENS, REPLAY_TOKENS = 24, 16
HEAP = 1.2  # of a few steps' peak: a whole job's heap grew by 1.18 to 1.27 of it, four methods
FEW_REPLAYED = 24  # general prompts that are answered: a step takes eight
LOCK = ".calibration.lock"


def calibrate(home: Path, config: TuneConfig, examples: Sequence[Example]) -> bool:
    """Time a few steps of a job like this one, where nothing is known of such jobs; whether something is now.

    Takes longer where the base was never opened before: what it does then, conversion and answers to general
    prompts, the job finds done.
    """
    if config.processes > 1 or is_known(home, config):
        return is_known(home, config)
    try:
        (home / "jobs").mkdir(parents=True, exist_ok=True)
        with FileLock(home / "jobs" / LOCK):
            if not is_known(home, config):
                _run(home, config, examples)
    except OSError as error:  # no room, no right to write: the job itself will say so
        log.warning("calibration failed: %s", error)
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
            if not is_known(home, config):  # the steps may have been timed, and the answers not
                remember_given_up(home, config)
            return
        if done.returncode:  # an estimate is optional: the job itself will report what is wrong
            log.warning("calibration failed: %s", done.stderr.strip()[-500:])


def measure(
    home: Path, config: TuneConfig, examples: Sequence[Example], folder: Path, keep: Callable[[Rates], None]
) -> None:
    """Time a few steps, and then some answers with and without what was learned; each is kept once it is known."""
    # Torch takes seconds to import; the program that asks must not wait for it.
    from tuning.evaluation.cached_base import open_cached
    from tuning.evaluation.recall import perplexity
    from tuning.jobs import ram
    from tuning.models.adapters import read_adapter
    from tuning.models.base_model import BaseModel

    began = time.monotonic()
    base = open_cached(config.base, home, config.device or best_device())
    opened = time.monotonic() - began
    replay_seconds = _time_replay(base, config)
    trained, token_seconds, prepared = _time_steps(base, config, examples, folder)
    typical = typical_rates(home, config)
    slower = token_seconds / typical.token_seconds  # than a typical machine: the answers take as much longer
    rates = Rates(
        token_seconds=token_seconds,
        prepare_seconds=STARTED_SECONDS + opened + prepared,
        answer_seconds=slower * typical.answer_seconds,
        memory_bytes=max(typical.memory_bytes, float(ram.peak_bytes())),
        replay_seconds=replay_seconds,
    )
    keep(rates)
    base.add_adapter("calibration", read_adapter(trained.adapter))
    read = [[{"role": "user", "content": prompt}] for prompt, _ in READING[:READ]]
    asked = (read + [list(one.messages[:-1]) for one in examples] * ASKED)[:ASKED]
    answered = time.monotonic()
    for adapter in (None, "calibration"):
        BaseModel.complete(base, asked, adapter=adapter, max_new_tokens=ANSWER_TOKENS)
    answer_seconds = (time.monotonic() - answered) / (2 * ASKED)
    perplexity(  # as an evaluation does: it takes the most memory
        base, CHATS, "calibration", config.system_prompt
    )
    held = HEAP * ram.peak_bytes() if base.device.type == "cpu" else trained.memory_bytes
    keep(replace(rates, answer_seconds=answer_seconds, memory_bytes=float(held)))


def _time_replay(base: "BaseModel", config: TuneConfig) -> float:
    """The seconds that a general prompt's answer takes; what is answered here, a job finds done."""
    from tuning.models.base_model import BaseModel  # torch, as above
    from tuning.training.replay import replay_set

    prompts = [[{"role": "user", "content": prompt}] for prompt in REPLAY_PROMPTS[:FEW_REPLAYED]]
    with base.activate(None):
        began = time.monotonic()
        BaseModel.complete(base, prompts, max_new_tokens=REPLAY_TOKENS)
        taken = (time.monotonic() - began) / FEW_REPLAYED
        replay_set(base, config.system_prompt, FEW_REPLAYED)
    return taken


def _time_steps(
    base: "BaseModel", config: TuneConfig, examples: Sequence[Example], folder: Path
) -> "tuple[TrainResult, float, float]":
    """What a short run gave, the seconds of one token, and those before the first step."""
    from tuning.training.conversations import plan  # torch, as above
    from tuning.training.trainer import train

    short = replace(config, epochs=1, early_stop=False, validation=0.0, parent=None, name=None)
    passes = math.ceil(MIN_STEPS / plan(base, short, examples).steps)
    short = replace(short, epochs=passes)
    workload = plan(base, short, examples)
    steps: list[float] = []
    began = time.monotonic()

    def note(event: dict[str, Any]) -> None:
        if event["kind"] == "step":
            steps.append(time.monotonic())

    result = train(base, short, examples, folder, emit=note, should_stop=lambda: False, replayed=FEW_REPLAYED)
    step_seconds = (steps[-1] - steps[0]) / (len(steps) - 1)
    token_seconds = step_seconds / (workload.tokens / workload.steps)
    return result, token_seconds, steps[0] - began - step_seconds


def check_memory(home: Path, config: TuneConfig) -> None:
    """Raise ModelError where a second copy of the base would push the chat's out of memory."""
    from tuning.models.memory import available_bytes  # torch, as above

    needed = typical_rates(home, config).memory_bytes
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
    check_memory(home, config)
    device = config.device or best_device()
    examples = read_examples(folder / "examples.jsonl")
    measure(
        home, config, examples, folder / "work", lambda rates: remember_rates(home, config, device, rates)
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
