"""How several processes train one adapter together: a table of Accelerate configurations, or a file of one's own.

It knows what each strategy needs and how its processes are launched; it starts none.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.jobs.retries import MAX_HALVINGS

_FOLDER = Path(__file__).parent
_FIXED = ("qlora",)  # methods whose weights cannot be taken apart
_KINDS = {"MULTI_GPU": "ddp", "MULTI_CPU": "ddp", "FSDP": "fsdp", "DEEPSPEED": "deepspeed"}


@dataclass(frozen=True)
class Strategy:
    """One way to share the work, as a person chooses it."""

    name: str
    sentence: str
    file: Path  # an Accelerate configuration
    shards_base: bool = False  # each process holds only a part of the base
    engine: str = ""  # a package that it needs
    refused: tuple[str, ...] = ()  # methods that it cannot train, though they can be taken apart


STRATEGIES = {
    one.name: one
    for one in (
        Strategy("ddp", "Every process holds the whole base.", _FOLDER / "ddp.yaml"),
        Strategy(
            "fsdp",
            "FSDP2: the base is shared out while it trains.",
            _FOLDER / "fsdp.yaml",
            shards_base=True,
        ),
        Strategy(
            "deepspeed",
            "DeepSpeed ZeRO 3: the base is shared out while it trains, and may wait in the machine's memory.",
            _FOLDER / "deepspeed.yaml",
            shards_base=True,
            engine="deepspeed",
            refused=("full",),
        ),
    )
}


def strategy(name: str) -> Strategy:
    """The strategy of this name, or of an Accelerate configuration file. Raises MethodError."""
    if name in STRATEGIES:
        return STRATEGIES[name]
    file = Path(name)
    if not file.is_file():
        raise MethodError(
            f"There is no strategy {name!r}, nor such a file. Choose {', '.join(STRATEGIES)}, or give an "
            "Accelerate configuration file (`accelerate config` writes one)."
        )
    kind = _kind(file)
    if kind not in _KINDS:
        raise MethodError(
            f"{name!r} is an Accelerate configuration for {kind}, and training knows {', '.join(_KINDS)}. "
            "Write another with `accelerate config`."
        )
    return replace(STRATEGIES[_KINDS[kind]], name=name, sentence="As the file says.", file=file.resolve())


def _kind(file: Path) -> str:
    """Which kind of launch an Accelerate configuration is for. Raises MethodError where it is none."""
    # Imports torch, which takes seconds; listing and cancelling jobs must not wait for it.
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        found = load_config_from_file(str(file))
    except (
        Exception
    ) as error:  # yaml and Accelerate raise whatever they like for a file that is none of theirs
        raise MethodError(f"{str(file)!r} is no Accelerate configuration: {error}") from error
    if getattr(found, "fsdp_config", None) and int(found.fsdp_config.get("fsdp_version", 1)) != 2:
        raise MethodError(f"{str(file)!r} asks for FSDP 1, and training knows FSDP 2: set fsdp_version to 2.")
    if getattr(found, "deepspeed_config", None) and (stage := _stage(file, found.deepspeed_config)) != 3:
        raise MethodError(
            f"{str(file)!r} asks for ZeRO {stage}, which shares out what an optimiser keeps: of an adapter, next to "
            "nothing. Set zero_stage to 3, which shares out the base, or use strategy='ddp'."
        )
    return str(getattr(found.distributed_type, "value", found.distributed_type))


def _stage(file: Path, section: dict[str, Any]) -> int:
    """Which ZeRO stage the DeepSpeed section of a configuration asks for. Raises MethodError."""
    own = section.get("deepspeed_config_file")
    if own is None:
        return int(section.get("zero_stage", 2))
    try:
        return int(json.loads(Path(own).read_text(encoding="utf-8"))["zero_optimization"]["stage"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MethodError(f"{str(file)!r} names {own!r}, which says no ZeRO stage: {error!r}") from error


def check(config: TuneConfig, device: str) -> None:
    """Raise `MethodError` where this configuration cannot be trained by so many processes here."""
    chosen = strategy(config.strategy)
    if config.processes == 1:
        if config.strategy != "ddp":
            raise MethodError(
                f"strategy={config.strategy!r} is for several processes, and processes is 1. Ask for more."
            )
        return
    if chosen.shards_base and (config.method in _FIXED or config.dora):
        what = "DoRA" if config.dora else config.method
        raise MethodError(f"{what} needs the whole base in every process. Use strategy='ddp'.")
    if config.method in chosen.refused:
        raise MethodError(
            f"{config.method} changes the base's own weights, which {chosen.engine} steps by itself. "
            "Use strategy='fsdp'."
        )
    if chosen.engine and find_spec(chosen.engine) is None:
        raise MethodError(
            f"strategy={config.strategy!r} needs the package {chosen.engine}, and it is not installed here: "
            f"pip install {chosen.engine}"
        )
    if device.startswith("cuda"):
        _check_devices(config.processes)


def _check_devices(processes: int) -> None:
    import torch  # as above

    found = torch.cuda.device_count()
    if found < processes:
        raise MethodError(
            f"{processes} processes were asked for, one a GPU, and this machine has {found}. Ask for {found}."
        )


def launch(config: TuneConfig, worker: Sequence[str]) -> list[str]:
    """The command that starts a configuration's processes, each running this Python script or module."""
    settings = {
        "--config_file": strategy(config.strategy).file,
        "--num_processes": config.processes,
        "--main_process_port": 0,  # any that is free: two launches must not meet
        "--max_restarts": MAX_HALVINGS,  # of all processes, where one of them ran out of memory
    }
    options = [str(part) for pair in settings.items() for part in pair]
    return [sys.executable, "-m", "accelerate.commands.launch", *options, *worker]
