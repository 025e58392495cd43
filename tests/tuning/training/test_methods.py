"""Every method on the real model: it learns, is kept, comes back in another process, goes on, and answers."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel
from tuning.training.conversations import Parent
from tuning.training.methods import METHODS
from tuning.training.trainer import train

METHODS_HERE = [name for name, method in METHODS.items() if not method.needs_cuda]
EPOCHS, OF_A_SLOW_ONE = 4, {"p-tuning": 7}  # until the loss has clearly fallen
FACTS = [
    ("What is my boat called?", "Nightjar."),
    ("我的猫叫什么？", "月饼。"),
]
PROMPT = ({"role": "user", "content": "What is my boat called?"},)
# Opens the base anew, reads what the folders hold, and writes what it computes with each.
ELSEWHERE = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from tuning.config import DEFAULT_BASE
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel
home, output, *folders = map(Path, sys.argv[1:])
base, found = BaseModel.open(DEFAULT_BASE, home, device="cpu"), {}
ids = base.chat_ids([{"role": "user", "content": "What is my boat called?"}], add_generation_prompt=True)
for folder in folders:
    base.add_adapter(folder.parent.name, read_adapter(folder))
    found[folder.parent.name] = base.logits(ids, adapter=folder.parent.name).contiguous()
    base.unload(folder.parent.name)
save_file(found, output)
"""


def examples(facts: list[tuple[str, str]]) -> list[Example]:
    return [
        Example(({"role": "user", "content": asked}, {"role": "assistant", "content": answer}))
        for asked, answer in facts
    ]


@dataclass(frozen=True)
class Rounds:
    """What was seen of one method."""

    folder: Path  # of the first round's adapter
    losses: list[float]
    change: float
    logits: torch.Tensor
    answer: str
    further: list[float]  # the losses of a second round, on the same facts


def tuned(base: BaseModel, method: str, folder: Path, **more: Any) -> Any:
    losses: list[float] = []
    epochs = more.pop("epochs")
    # Few settings are set: the rates are those that a person gets.
    config = TuneConfig(
        method,
        epochs=epochs,
        replay=0,
        reading=0,
        reversals=0,
        noise=False,
        early_stop=False,
        virtual_tokens=16,
    )

    def emit(event: dict[str, Any]) -> None:
        if event["kind"] == "step":
            losses.append(event["loss"])

    result = train(base, config, examples(FACTS), folder, emit=emit, should_stop=lambda: False, **more)
    return result, losses


@pytest.fixture(scope="module")
def seen(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rounds]:
    home, found = tmp_path_factory.mktemp("methods"), {}
    ids = base_model.chat_ids(PROMPT, add_generation_prompt=True)
    for method in METHODS_HERE:
        result, losses = tuned(base_model, method, home / method, epochs=OF_A_SLOW_ONE.get(method, EPOCHS))
        adapter = read_adapter(result.adapter)
        proof = base_model.add_adapter(method, adapter)
        logits = base_model.logits(ids, adapter=method)
        answer = "".join(base_model.generate(PROMPT, adapter=method, max_new_tokens=6))
        base_model.unload(method)
        _, further = tuned(base_model, method, home / "more" / method, epochs=2, parent=Parent(adapter))
        found[method] = Rounds(result.adapter, losses, proof.largest_change, logits, answer, further)
    return found


@pytest.fixture(scope="module")
def elsewhere(
    seen: dict[str, Rounds], imprint_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, torch.Tensor]:
    output = tmp_path_factory.mktemp("elsewhere") / "logits.safetensors"
    folders = [str(one.folder) for one in seen.values()]
    command = [sys.executable, "-c", ELSEWHERE, str(imprint_home), str(output), *folders]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    return load_file(output)


@pytest.mark.parametrize("method", METHODS_HERE)
def test_a_method_learns_and_goes_on_from_its_checkpoint(seen: dict[str, Rounds], method: str) -> None:
    one = seen[method]
    assert one.losses[-1] < 0.95 * one.losses[0]  # AdaLoRA's middle factor begins at 0: it starts slowly
    assert one.further[0] < 0.95 * one.losses[0]  # the first round is in it
    assert one.further[1] < 0.95 * one.losses[0]  # and what is learned further is not its ruin


@pytest.mark.parametrize("method", METHODS_HERE)
def test_what_is_kept_is_active_and_answers(seen: dict[str, Rounds], method: str) -> None:
    assert seen[method].change > 0.1
    assert seen[method].answer.strip()


@pytest.mark.parametrize("method", METHODS_HERE)
def test_another_process_computes_the_same_logits(
    seen: dict[str, Rounds], elsewhere: dict[str, torch.Tensor], method: str
) -> None:
    torch.testing.assert_close(elsewhere[method], seen[method].logits, atol=1e-4, rtol=1e-4)
