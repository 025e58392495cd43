"""How several processes train one adapter together: a table of Accelerate configurations, or a file of one's own.

It knows what each strategy needs and how its processes are launched; it starts none.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.retries import MAX_HALVINGS

_FOLDER = Path(__file__).parent
_FIXED = ("qlora",)  # methods whose weights cannot be taken apart


@dataclass(frozen=True)
class Strategy:
    """One way to share the work, as a person chooses it."""

    name: str
    sentence: str
    file: Path  # an Accelerate configuration
    shares_base: bool = False  # each process holds only a part of the base


STRATEGIES = {
    one.name: one
    for one in (
        Strategy("ddp", "Every process holds the whole base.", _FOLDER / "ddp.yaml"),
        Strategy(
            "fsdp", "FSDP2: the base is shared out while it trains.", _FOLDER / "fsdp.yaml", shares_base=True
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
    known = {"MULTI_GPU": False, "MULTI_CPU": False, "FSDP": True}
    if kind not in known:
        raise MethodError(
            f"{name!r} is an Accelerate configuration for {kind}, and training knows {', '.join(known)}. "
            "Write another with `accelerate config`."
        )
    return Strategy(name, "As the file says.", file.resolve(), shares_base=known[kind])


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
    return str(getattr(found.distributed_type, "value", found.distributed_type))


def check(config: TuneConfig, device: str) -> None:
    """Raise `MethodError` where this configuration cannot be trained by so many processes here."""
    chosen = strategy(config.strategy)
    if config.processes == 1:
        if config.strategy != "ddp":
            raise MethodError(
                f"strategy={config.strategy!r} is for several processes, and processes is 1. Ask for more."
            )
        return
    if chosen.shares_base and (config.method in _FIXED or config.dora):
        what = "DoRA" if config.dora else config.method
        raise MethodError(f"{what} needs the whole base in every process. Use strategy='ddp'.")
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
