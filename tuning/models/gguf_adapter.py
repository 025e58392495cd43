"""A LoRA checkpoint as a GGUF adapter for llama.cpp: converted once, kept beside the checkpoint's own files.

Only plain LoRA on the layers of a model whose tensors llama.cpp keeps as they are, or in an order that is known here;
what else there is (DoRA, biases, whole modules) stays with torch.
"""

import contextlib
import hashlib
import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, GGUFWriter, get_tensor_name_map

from tuning.errors import CheckpointError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS, PREFIX_WEIGHTS
from tuning.models.gguf_header import GgufHeader
from tuning.models.peft_config import read_config
from tuning.models.stored_arrays import Array, read_arrays
from tuning.storage import file_sha256

FILE = ".llama-{}.gguf"  # with a hash of what it was made from: its presence means that it is whole and fits
_VERSION = "1"  # of the conversion
PAIRS_TURNED = {"llama"}  # queries and keys lie in another order in these files than in transformers
AS_THEY_ARE = {"qwen2", "qwen3", "gemma2", "gemma3", "phi3"}
_PREFIX = "base_model.model."


def why_not(folder: Path, architecture: str) -> str:
    """Why llama.cpp cannot take the adapter of a checkpoint's folder; empty where it can. Raises CheckpointError."""
    if architecture not in PAIRS_TURNED | AS_THEY_ARE:
        return f"the order of the layers of {architecture} is not known"
    return "" if is_prefix(folder) else why_no_plain_lora(folder)


def why_no_plain_lora(folder: Path) -> str:
    """Why a folder holds no LoRA as every program knows it; empty where it does. Raises CheckpointError."""
    if not (folder / PEFT_CONFIG).is_file() or not (folder / PEFT_WEIGHTS).is_file():
        return "it is neither a low-rank adapter nor a prefix"
    config = read_config(folder)
    if config.get("peft_type") != "LORA":
        return f"it was made with {config.get('peft_type')}"
    used = [
        option
        for option in ("use_dora", "modules_to_save", "lora_bias", "fan_in_fan_out", "layer_replication")
        if config.get(option)
    ]
    if config.get("bias", "none") != "none":
        used.append("bias")
    return f"it uses {' and '.join(used)}" if used else ""


def is_prefix(folder: Path) -> bool:
    """Whether a checkpoint is a prefix, which is written as a state (`llama_state`) and not as an adapter."""
    return (folder / PREFIX_WEIGHTS).is_file()


def gguf_adapter(folder: Path, sha256: Mapping[str, str], header: GgufHeader) -> Path:
    """The checkpoint's adapter as a GGUF file beside it, converted where there is none of these weights yet.

    `sha256` are the hashes of its files as they were stored, where they are known. Raises CheckpointError.
    """
    found = {name: file_sha256(folder / name) for name in (PEFT_WEIGHTS, PEFT_CONFIG)}
    for name, own in found.items():
        if sha256.get(name, own) != own:
            raise CheckpointError(
                f"The checkpoint in {folder} is damaged: {name!r} is no longer what was stored. Restore "
                "it from a backup, or delete it and tune again."
            )
    parts = [_VERSION, header.architecture, *found.values()]
    path = folder / FILE.format(hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16])
    if not path.is_file():
        for stale in folder.glob(FILE.format("*")):
            stale.unlink(missing_ok=True)
        convert(folder, path, header)
    return path


def convert(folder: Path, path: Path, header: GgufHeader) -> None:
    """Write the adapter of a folder as a GGUF file, which appears whole. Raises CheckpointError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:6]}.tmp")
    try:
        writer = GGUFWriter(temporary, header.architecture)
        writer.add_type("adapter")
        writer.add_string("adapter.type", "lora")
        writer.add_float32("adapter.lora.alpha", 0.0)  # the scale is in the weights: it may differ by layer
        for name, values in sorted(adapter_tensors(folder, header).items()):
            writer.add_tensor(name, values)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        temporary.replace(path)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written ({error.strerror}). Free some disk space."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def adapter_tensors(folder: Path, header: GgufHeader) -> dict[str, Array]:
    """The matrices of a PEFT folder under llama.cpp's names, in 16 bit, with the scale in the second of each pair."""
    config = read_config(folder)
    state = {name.removeprefix(_PREFIX): one for name, one in read_arrays(folder / PEFT_WEIGHTS).items()}
    names = get_tensor_name_map(architecture_of(header.architecture), header.number("block_count"))
    found: dict[str, Array] = {}
    for name, values in state.items():
        module, _, part = name.removesuffix(".weight").rpartition(".lora_")
        target = names.get_name(module) if part in ("A", "B") else None
        if target is None:
            raise CheckpointError(
                f"The adapter in {folder} changes {name!r}, which llama.cpp has no place for."
            )
        if part == "B":
            values = llama_order(values, module, header) * scale_of(config, module, values.shape[1])
        found[f"{target}.weight.lora_{part.lower()}"] = np.ascontiguousarray(values, dtype=np.float16)
    return found


def architecture_of(name: str) -> MODEL_ARCH:
    """The architecture of this name, as the gguf package lists it."""
    return next(arch for arch, known in MODEL_ARCH_NAMES.items() if known == name)


def scale_of(config: Mapping[str, Any], module: str, rank: int) -> float:
    """What PEFT multiplies a module's change with."""
    alphas = config.get("alpha_pattern") or {}
    alpha = next((one for key, one in alphas.items() if _names(key, module)), config.get("lora_alpha", 8))
    return float(alpha) / (rank**0.5 if config.get("use_rslora") else rank)


def _names(pattern: str, module: str) -> bool:
    """Whether a key of PEFT's patterns means this module: its name, or the end of it."""
    return re.fullmatch(rf"(.*\.)?{re.escape(pattern)}", module) is not None


def llama_order(values: Array, module: str, header: GgufHeader) -> Array:
    """Queries and keys in llama.cpp's order: it may turn neighbouring pairs where transformers turns halves."""
    heads = {"q_proj": "attention.head_count", "k_proj": "attention.head_count_kv"}
    key = heads.get(module.rpartition(".")[2])
    if key is None or header.architecture not in PAIRS_TURNED:
        return values
    rows, columns = values.shape
    count = header.number(key, header.number("attention.head_count"))
    return values.reshape(count, 2, rows // count // 2, columns).swapaxes(1, 2).reshape(rows, columns)
