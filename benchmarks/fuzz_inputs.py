"""Give Imprint random and damaged inputs, and count what comes of them: `python -m benchmarks.fuzz_inputs`.

    python -m benchmarks.fuzz_inputs --count 100000 --output inputs.json
    python -m benchmarks.fuzz_inputs --count 5000 --only "chat files" --keep failures/

Chat files, foreign adapters, chat templates, HTTP requests, backups; documents are `benchmarks.fuzz_documents`'. An
input must be taken or refused with the error that is meant for it, in time. It opens no weights and no network.
"""

import argparse
import signal
import tempfile
import time
import warnings
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from benchmarks.fuzz_trials import TRIALS, Trial, inputs
from tuning.process import restrict_new_files
from tuning.storage import write_json

DEADLINE_SECONDS = 180  # of one input; the process that renders templates may take 120 to start
_MOST_FAULTS = 50


class Hung(BaseException):
    """An input took longer than its deadline."""


@dataclass
class Outcome:
    """What came of the inputs of one kind."""

    inputs: int = 0
    refused: int = 0
    accepted: int = 0
    crashed: int = 0
    hung: int = 0
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)  # what was raised → how often


def main(arguments: list[str] | None = None) -> None:
    """Try all kinds and print one Markdown table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--count", type=int, default=10_000, help="inputs, all kinds together (default: 10000)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS), metavar="KIND")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="at most for each kind")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that crashed or hung")
    parser.add_argument("--output", type=Path, help="also write the result there, as JSON")
    options = parser.parse_args(arguments)
    restrict_new_files()
    outcomes = {}
    shares = sum(TRIALS[name][1] for name in options.only)
    for name in options.only:
        kind, share = TRIALS[name]
        with tempfile.TemporaryDirectory(prefix="inputs-") as folder:
            trial = kind(Path(folder, "trial").resolve())
            count = round(options.count * share / shares)
            outcomes[name] = fuzz(trial, count, options.seed, options.seconds, options.keep)
            trial.close()
        print(table({name: outcomes[name]}), flush=True)
    print(table(outcomes))
    if options.output:
        write_json(options.output, {name: asdict(outcome) for name, outcome in outcomes.items()})


def fuzz(trial: Trial, count: int, seed: int, seconds: float, keep: Path | None = None) -> Outcome:
    """Give a trial so many inputs, or as many as there is time for."""
    signal.signal(signal.SIGALRM, _hang)
    outcome, faults = Outcome(), Counter[str]()
    began = time.monotonic()
    for data in inputs(trial, seed):
        if outcome.inputs == count or time.monotonic() - began > seconds:
            break
        begun = time.monotonic()
        came = attempt(trial, data)
        outcome.slowest_seconds = max(outcome.slowest_seconds, round(time.monotonic() - begun, 2))
        what, _, reason = came.partition(": ")
        setattr(outcome, what, getattr(outcome, what) + 1)
        if reason:
            faults[reason] += 1
            if keep and len(faults) <= _MOST_FAULTS:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{type(trial).__name__}-{seed}-{outcome.inputs}.bin").write_bytes(data)
        outcome.inputs += 1
    outcome.seconds = round(time.monotonic() - began, 1)
    outcome.faults = dict(faults.most_common(_MOST_FAULTS))
    return outcome


def attempt(trial: Trial, data: bytes) -> str:
    """accepted, refused, "crashed: why" or "hung: …"."""
    signal.alarm(DEADLINE_SECONDS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what PEFT says of configurations that are odd on purpose
            trial.use(data)
        return "accepted"
    except trial.refusals:
        return "refused"
    except Hung:
        return f"hung: {DEADLINE_SECONDS} seconds"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # this is what is looked for; a panic in Rust is no Exception
        return f"crashed: {_place(error)} {type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.alarm(0)


def _place(error: BaseException) -> str:
    """Where it was raised, as file:line of the last frame in this repository."""
    found, traceback = "", error.__traceback__
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if "site-packages" not in path.parts and path.parent.parent.name in ("assistant", "tuning"):
            found = f"{path.name}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found


def _hang(*_: Any) -> NoReturn:
    raise Hung


def table(outcomes: dict[str, Outcome]) -> str:
    """The result as Markdown, with what was raised below."""
    lines = [
        "| kind | inputs | refused | accepted | crashed | hung | inputs/s | slowest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in outcomes.items():
        counts = (f"{n:,}" for n in (one.inputs, one.refused, one.accepted, one.crashed, one.hung))
        speed = one.inputs / one.seconds if one.seconds else 0
        lines.append(f"| {name} | {' | '.join(counts)} | {speed:.0f} | {one.slowest_seconds:.1f} s |")
    faults = [f"- {name}, {n} ×: {what}" for name, one in outcomes.items() for what, n in one.faults.items()]
    return "\n".join([*lines, *(["", *faults] if faults else [])])


if __name__ == "__main__":
    main()
