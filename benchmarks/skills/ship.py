"""Puts a trained adapter where Imprint ships it: in 16 bit, with a short configuration; prints the hashes to note.

    python -m benchmarks.skills.ship RUN/adapter-00110 tuning/models/skills

The hashes belong into tuning/models/packaged.py.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from tuning.config import PLAIN_BASE
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.packaged import PACKAGED
from tuning.storage import file_sha256, write_json

_KEPT = ("peft_type", "task_type", "r", "lora_alpha", "bias")


def ship(trained: Path, folder: Path, base: str = PACKAGED[PLAIN_BASE].hub) -> None:
    """Write the two files of an adapter; `base` is the model that it changes."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: value.to(torch.bfloat16).contiguous()
        for name, value in load_file(trained / PEFT_WEIGHTS).items()
    }
    save_file(state, folder / PEFT_WEIGHTS, metadata={"format": "pt"})
    config = json.loads((trained / PEFT_CONFIG).read_text(encoding="utf-8"))
    layers = sorted({name.rpartition(".lora_")[0].rpartition(".")[2] for name in state})
    write_json(
        folder / PEFT_CONFIG,
        {key: config[key] for key in _KEPT} | {"base_model_name_or_path": base, "target_modules": layers},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Ship, and print the hashes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trained", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(arguments)
    ship(options.trained, options.folder)
    for name in (PEFT_WEIGHTS, PEFT_CONFIG):
        path = options.folder / name
        print(f"{file_sha256(path)}  {path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
