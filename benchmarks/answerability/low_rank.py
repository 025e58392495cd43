"""A low-rank change of a frozen encoder's matrices: made to be trained, and written as PEFT's."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils import parametrize

from knowledge.search.low_rank import DOWN, ENCODER, MODEL, UP
from tuning.storage import write_json

TARGETS = ("query", "key", "value", "dense")
# The other kinds of attention are several times slower backward in bfloat16 on CPUs (torch 2.13).
ATTENTION = "eager"
_WARMUP = 30  # steps
_PRINTED = 20  # steps whose mean loss is printed
Rated = tuple[Sequence[nn.Parameter], float]  # parameters and their learning rate


class LowRank(nn.Module):
    """A matrix plus a low-rank one, multiplied out: a step costs what the matrix alone costs."""

    def __init__(self, matrix: Tensor, rank: int, alpha: int) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.randn(rank, matrix.shape[1]) / rank)
        self.up = nn.Parameter(torch.zeros(matrix.shape[0], rank))
        self.scale = alpha / rank

    def forward(self, matrix: Tensor) -> Tensor:
        """The changed matrix, of the same shape."""
        return matrix + self.scale * self.up @ self.down


def add_low_rank(encoder: nn.Module, rank: int) -> dict[str, LowRank]:
    """Freeze an encoder but for a low-rank change of its layers' matrices; the changes by the matrices' names."""
    changed = {}
    encoder.requires_grad_(False)
    for name, module in list(encoder.named_modules()):
        if isinstance(module, nn.Linear) and name.startswith("encoder.") and name.split(".")[-1] in TARGETS:
            changed[name] = LowRank(module.weight, rank, 2 * rank)
            parametrize.register_parametrization(module, "weight", changed[name])
    return changed


def fit(losses: Iterable[Tensor], rated: Sequence[Rated], steps: int) -> None:
    """A step for each of so many losses; the rates rise and fall once, in straight lines."""
    groups = [{"params": list(parameters), "lr": rate} for parameters, rate in rated]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / _WARMUP, 1.001 - step / steps)
    )
    started, seen = time.time(), []
    for number, loss in enumerate(losses, 1):
        loss.backward()
        nn.utils.clip_grad_norm_([one for parameters, _ in rated for one in parameters], 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        seen.append(loss.item())
        if number % _PRINTED == 0:
            print(
                f"{number} {sum(seen[-_PRINTED:]) / _PRINTED:.4f} {time.time() - started:.0f} s", flush=True
            )


def parameters_of(changed: Mapping[str, LowRank]) -> list[nn.Parameter]:
    """What is trained of the changes."""
    return [one for change in changed.values() for one in change.parameters()]


def write(
    folder: Path, changed: Mapping[str, LowRank], rest: Mapping[str, Tensor], base: str, task: str
) -> None:
    """The adapter as `knowledge.search.low_rank` opens it, in half precision; `rest` is what was trained besides."""
    folder.mkdir(parents=True, exist_ok=True)
    rank = next(iter(changed.values())).down.shape[0]
    write_json(
        folder / "adapter_config.json",
        {
            "peft_type": "LORA",
            "task_type": task,
            "base_model_name_or_path": base,
            "bias": "none",
            "r": rank,
            "lora_alpha": 2 * rank,
            "target_modules": sorted(TARGETS),
            "modules_to_save": sorted({name.split(".")[0] for name in rest}),
        },
    )
    tensors = {f"{MODEL}{name}": value.detach().half().contiguous() for name, value in rest.items()}
    for name, change in changed.items():
        tensors[f"{ENCODER}{name}{DOWN}"] = change.down.detach().half().contiguous()
        tensors[f"{ENCODER}{name}{UP}"] = change.up.detach().half().contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", {"format": "pt"})


def read_into(folder: Path, changed: Mapping[str, LowRank]) -> dict[str, Tensor]:
    """Go on from an adapter: its change goes into `changed`; returns what it holds besides."""
    tensors = load_file(folder / "adapter_model.safetensors")
    with torch.no_grad():
        for name, change in changed.items():
            change.down.copy_(tensors.pop(f"{ENCODER}{name}{DOWN}"))
            change.up.copy_(tensors.pop(f"{ENCODER}{name}{UP}"))
    return {name.removeprefix(MODEL): value.float() for name, value in tensors.items()}
