"""Estimates beside what jobs then took: four methods, each first timed in a few steps, as before a first job.

    IMPRINT_HOME=FOLDER python -m benchmarks.estimates       # about ten minutes on two quiet cores

`--base MODEL --only lora --epochs 2` measures one short job with another model.

The home should be new, or hold the converted model and no jobs: what jobs took before is what an estimate rests on.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.settings import load_settings
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import Example, read_examples
from tuning.jobs.estimates import Estimate
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs

SAMPLE = Path(__file__).resolve().parent.parent / "assistant" / "sample" / "examples.jsonl"


@dataclass(frozen=True)
class Case:
    """One job, small enough to be waited for."""

    method: str
    epochs: int
    examples: int


CASES = (
    Case("lora", 16, 22),
    Case("p-tuning-v2", 12, 12),
    Case("ia3", 12, 12),
    Case("prompt-tuning", 12, 12),
)


def run(jobs: Jobs, case: Case, examples: Sequence[Example], base: str) -> str:
    """Estimate a job, do it, and say both as a row of a table."""
    config = TuneConfig(case.method, base=base, epochs=case.epochs, device="cpu")
    unmeasured = jobs.estimate(config, examples)
    began = time.monotonic()
    jobs.calibrate(config, examples)
    timed = time.monotonic() - began
    estimate = jobs.estimate(config, examples)
    if not estimate.measured:
        print(f"The few steps could not be timed, so this is {estimate.basis}.")
    job = jobs.wait(jobs.submit(config, examples).id)
    if job.status != "succeeded" or job.seconds is None:
        raise SystemExit(f"{case.method} {job.status}: {job.error}")
    print(f"Before anything was timed: {unmeasured.seconds:.0f} s, {unmeasured.bytes / 1e9:.2f} GB.")
    return _row(case, estimate, job, job.seconds, timed)


def _row(case: Case, estimate: Estimate, job: Job, seconds: float, timed: float) -> str:
    memory = job.metrics["job_memory_bytes"]
    return (
        f"| {case.method} | {case.examples} | {job.step} of {estimate.steps} | {timed:.0f} "
        f"| {estimate.seconds:.0f} | {seconds:.0f} | {estimate.seconds / seconds - 1:+.0%} "
        f"| {estimate.bytes / 1e9:.2f} | {memory / 1e9:.2f} | {estimate.bytes / memory - 1:+.0%} |"
    )


def main() -> None:
    """Every case after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--base", default=DEFAULT_BASE)
    parser.add_argument("--only", choices=[case.method for case in CASES])
    parser.add_argument("--epochs", type=int, help="instead of each case's own")
    arguments = parser.parse_args()
    jobs, examples = Jobs(load_settings().home), read_examples(SAMPLE)
    print(
        "| method | examples | steps | timed in, s | estimated, s | took, s | off | estimated, GB | took, GB | off |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for case in CASES:
        if arguments.only in (None, case.method):
            chosen = replace(case, epochs=arguments.epochs or case.epochs)
            print(run(jobs, chosen, examples[: case.examples], arguments.base), flush=True)


if __name__ == "__main__":
    main()
