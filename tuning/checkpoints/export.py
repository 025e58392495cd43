"""Checkpoints for other programs: the formats, and how an export appears whole. What each holds: docs/export.md."""

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuning.checkpoints.export_gguf import write_f16, write_lora, write_ollama, write_q4_k_m, write_q8_0
from tuning.checkpoints.export_merged import write_merged
from tuning.checkpoints.export_peft import write_peft, write_peft_with_base, write_vllm
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.remote_model import require_weights
from tuning.errors import CheckpointError
from tuning.storage import files_of


@dataclass(frozen=True)
class Exporter:
    """One format: what it is for, and how it is written into a folder."""

    name: str
    title: str
    write: Callable[[Checkpoint, Path, Path], None]  # checkpoint, Imprint home, folder


def export(checkpoint: Checkpoint, format: str, output: Path, home: Path) -> list[Path]:
    """Write a checkpoint in a format of `EXPORTERS` into a new folder, which appears whole; the files in it.

    Raises `CheckpointError` where the format is unknown or does not suit the method, or the folder exists.
    """
    exporter = EXPORTERS.get(format)
    if exporter is None:
        raise CheckpointError(f"There is no export format {format!r}. There are: {', '.join(EXPORTERS)}.")
    if checkpoint.is_reward_model:
        raise CheckpointError(
            f"{checkpoint.name!r} is a reward model: without its head, which no other program reads, it would answer "
            "as no model should. Export the checkpoint that it judges."
        )
    require_weights(checkpoint, "export")
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CheckpointError(f"{output} exists already and is not empty. Choose a new folder.")
    temporary = output.with_name(f".{output.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir(parents=True)
    try:
        exporter.write(checkpoint, Path(home), temporary)
        if output.exists():
            output.rmdir()
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return files_of(output)


EXPORTERS: dict[str, Exporter] = {
    entry.name: entry
    for entry in (
        Exporter("peft", "PEFT adapter folder", write_peft),
        Exporter(
            "peft-with-base", "PEFT adapter folder with the base that it was tuned on", write_peft_with_base
        ),
        Exporter("vllm", "LoRA folder for vLLM", write_vllm),
        Exporter("merged", "Model folder with merged weights", write_merged),
        Exporter("gguf", "GGUF file for llama.cpp, 16 bit", write_f16),
        Exporter("gguf-q8_0", "GGUF file for llama.cpp, 8 bit", write_q8_0),
        Exporter("gguf-q4_k_m", "GGUF file for llama.cpp, 4 bit", write_q4_k_m),
        Exporter("gguf-lora", "GGUF adapter for llama.cpp", write_lora),
        Exporter("ollama", "Ollama folder", write_ollama),
    )
}
