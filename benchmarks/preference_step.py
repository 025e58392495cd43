"""A step of DPO beside TRL's `DPOTrainer`: python -m benchmarks.preference_step HOME (needs `pip install trl`).

The same pairs, weights, rank and layers, eight pairs a step, LoRA, on the CPU; each side in a process of its own, one
after the other, for as many steps. TRL runs at its defaults, as its documentation starts it. Imprint's row
has nothing replayed, as TRL replays nothing; what a job replays besides is the row after it. Seconds of computing time
a step (the first step is left out) with its share of the reference's pass, and the peak of resident memory.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.preferences import TASTES, pairs_of
from tuning.alignment.dataset import PreferenceData, preference_data
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.preferences import PreferencePair

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

PAIRS, RANK = 40, 16
_SIDES = ("TRL", "Imprint", "Imprint, with what a job replays")


def main() -> None:
    """Measure each side and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--base", default=DEFAULT_BASE)
    parser.add_argument("--side", choices=_SIDES, help="one side alone, as JSON: for the processes")
    options = parser.parse_args()
    if options.side:
        print(json.dumps(_measure(options.side, options.base, options.home)))
        return
    found = {side: _apart(side, options.base, options.home) for side in _SIDES}
    peer = found["TRL"]
    print("| | CPU seconds a step | TRL's, times | peak memory, GB | of TRL's |\n|---|---|---|---|---|")
    for side, one in found.items():
        faster, less = peer["step"] / one["step"], one["memory"] / peer["memory"]
        print(f"| {side} | {one['step']:.2f} | {faster:.2f} | {one['memory']:.2f} | {less:.0%} |")


def _apart(side: str, base: str, home: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.preference_step", str(home), "--base", base, "--side", side]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(side: str, base: str, home: Path) -> dict[str, float]:
    data = preference_data("dpo", pairs_of(TASTES["source"], PAIRS * 2))
    data = replace(data, pairs=data.pairs[:PAIRS])
    step = _trl(base, home, data.pairs) if side == "TRL" else _imprint(base, home, data, side != "Imprint")
    return {"step": step, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def _imprint(base: str, home: Path, data: PreferenceData, replayed: bool) -> float:
    from tuning.alignment.loop import LoopHooks
    from tuning.alignment.training import train_preferences
    from tuning.models.base_model import BaseModel

    replay = None if replayed else 0
    config = TuneConfig("dpo", base=base, rank=RANK, layers="all", epochs=1, replay=replay, device="cpu")
    ends: list[float] = []

    def emit(event: dict[str, Any]) -> None:
        if event.get("kind") == "step":
            ends.append(time.process_time())

    opened = BaseModel.open(base, home, device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        hooks = LoopHooks(emit, lambda: False)
        reference = _timed(lambda: _reference(opened, config, data))
        train_preferences(opened, config, data, Path(folder), hooks)
    # Two passes are usual, and the reference is asked once.
    return _median(ends) + reference / len(ends) / 2


def _reference(base: "BaseModel", config: TuneConfig, data: PreferenceData) -> None:
    from tuning.alignment.pairwise import encoded_units, with_reference

    found = encoded_units(base, config, data, base.window)
    with base.activate(None):
        with_reference(base, found.learned, None)


def _trl(base: str, home: Path, pairs: Sequence[PreferencePair]) -> float:
    from datasets import IterableDataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    from tuning.models.sizes import weights_folder

    ends: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Notes when a step ends."""

        def on_step_end(self, *_: Any, **__: Any) -> None:
            """As the trainer calls it."""
            ends.append(time.process_time())

    rows = [
        {
            "prompt": list(one.prompt),
            "chosen": [{"role": "assistant", "content": one.chosen}],
            "rejected": [{"role": "assistant", "content": one.rejected}],
        }
        for one in pairs
    ]
    folder = weights_folder(base, home)
    if folder is None:
        raise SystemExit(f"{base} is not converted in {home}: tune or ask there once.")
    model = AutoModelForCausalLM.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as output:
        # An iterable set: another one is hashed by its contents, which fails with these releases' pyarrow.
        trainer = DPOTrainer(
            model,
            args=DPOConfig(output_dir=output, max_steps=len(rows) // 8, use_cpu=True, report_to="none"),
            train_dataset=IterableDataset.from_generator(lambda: iter(rows)),
            processing_class=AutoTokenizer.from_pretrained(folder),
            peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear"),
            callbacks=[Clock()],
        )
        trainer.train()
    return _median(ends)


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _median(ends: list[float]) -> float:
    return statistics.median(later - earlier for earlier, later in pairwise(ends))


if __name__ == "__main__":
    main()
