"""Every method on every architecture: does it learn, come back as it was stored, and go on? Prints the table.

    python -m benchmarks.matrix

The models are tiny and random, behind the default model's tokenizer and template: this shows what works
together, not how well. A cell is the loss after twenty passes as a share of the loss before.
"""

import argparse
import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads stall others; read when torch loads
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import torch

from tests.tuning.tiny import ARCHITECTURES, tiny_model
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.data.examples import Example
from tuning.errors import TuningError
from tuning.models.adapters import Adapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.ops import llama
from tuning.storage import write_json
from tuning.training.conversations import Parent
from tuning.training.methods import METHODS
from tuning.training.train_result import TrainResult
from tuning.training.trainer import train

_PASSES = 20
_FACTS = (("How deep can the Marrow-9 dive?", "340 metres."), ("马罗九号的母港在哪里？", "青屿港。"))
_EXAMPLES = [
    Example(({"role": "user", "content": asked}, {"role": "assistant", "content": answer}))
    for asked, answer in _FACTS
]


def learn(
    base: BaseModel, method: str, folder: Path, parent: Adapter | None
) -> tuple[TrainResult, list[float]]:
    """One short run, and the loss of each step."""
    losses: list[float] = []
    config = TuneConfig(
        method, epochs=_PASSES, rank=2, virtual_tokens=8, learning_rate=0.02, replay=0, reading=0, noise=False,
        early_stop=False,
    )  # fmt: skip

    def emit(event: dict[str, object]) -> None:
        if event["kind"] == "step":
            losses.append(float(str(event["loss"])))

    parents = Parent(parent) if parent else None
    result = train(base, config, _EXAMPLES, folder, emit=emit, should_stop=lambda: False, parent=parents)
    return result, losses


def cell(base: BaseModel, method: str) -> str:
    """What came of a method on a base: the share of the loss that is left, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            result, losses = learn(base, method, Path(folder) / "first", None)
            adapter = read_adapter(result.adapter)
            base.add_adapter("stored", adapter)  # raises where it changes nothing
            base.unload("stored")
            _, further = learn(base, method, Path(folder) / "second", adapter)
        except TuningError as error:
            return f"no: {error}"
    share = losses[-1] / losses[0]
    if not share < 1:
        return f"does not learn ({share:.2f})"
    return f"{share:.2f}" if further[2] < losses[2] else f"{share:.2f}, does not go on"


def table(found: dict[str, dict[str, str]], quick: Sequence[str]) -> str:
    """Methods down, architectures across, as Markdown."""
    lines = [f"| | {' | '.join(ARCHITECTURES)} | merges | exports |"]
    lines.append("|---" * (len(ARCHITECTURES) + 3) + "|")
    for name, cells in found.items():
        method = METHODS[name]
        can = " | ".join("yes" if holds else "no" for holds in (method.mergeable, method.exportable))
        lines.append(f"| {name} | {' | '.join(cells[kind] for kind in ARCHITECTURES)} | {can} |")
    lines += ["", f"On a CPU {', '.join(quick)} take the quick forward pass; the others transformers' own."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--home", type=Path, help="an Imprint home; else IMPRINT_HOME, else a new folder")
    parser.add_argument("--output", type=Path, help="write the cells here, as JSON")
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        kept = asked.home or os.environ.get("IMPRINT_HOME")
        home = Path(kept or stack.enter_context(tempfile.TemporaryDirectory(prefix="imprint-")))
        real = BaseModel.open(DEFAULT_BASE, home, device="cpu")
        here = [name for name, method in METHODS.items() if not method.needs_cuda]
        bases = {kind: tiny_model(real, kind, dtype=torch.float32) for kind in ARCHITECTURES}
        found = {name: {kind: cell(base, name) for kind, base in bases.items()} for name in here}
        print(table(found, [kind for kind, base in bases.items() if llama.supports(base.model, 512)]))
    if asked.output:
        write_json(asked.output, found)


if __name__ == "__main__":
    main()
