"""A GGUF file → a folder of bf16 safetensors with its tokenizer, for what llama.cpp cannot do: tuning, and logits.

Only what transformers rebuilds exactly is converted; for the rest the sentence says what to choose instead.
"""

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import gguf
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from tuning.errors import ModelError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.gemma_scale import SCALAR, by_llama_cpp
from tuning.models.gguf_header import GgufHeader, read_header
from tuning.models.gguf_reader import read_once
from tuning.models.loading import UNREADABLE, quiet_loading, without_template
from tuning.models.memory import available_memory, conversion_bytes, in_gb

_log = logging.getLogger(__name__)
# llama.cpp's names of the architectures whose files transformers turns into causal language models.
CONVERTIBLE = {
    *("llama", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "qwen35", "qwen35moe", "gemma2", "gemma3", "gemma4"),
    *("phi3", "falcon", "stablelm", "starcoder2", "nemotron", "gpt2", "gpt-oss", "bloom", "deci", "lfm2"),
    "minimax-m2",
}
_PEFT = "base_model.model."  # before the names of PEFT's tensors
_UNSCALED = ("", "none")
_SPARE_BYTES = 50_000_000  # tokenizer and configuration


def convert(source: Path, target: Path, adapter: Path | None = None) -> None:
    """Write a GGUF file's model as a folder of bf16 safetensors with its tokenizer. Raises ModelError.

    `adapter` is a folder with a low-rank adapter in PEFT's form, which becomes part of the weights.
    """
    header = read_header(source)
    check_convertible(header)
    _check_room(header, target.parent)
    _log.info("Converting %s once", source.name)
    with quiet_loading(), read_once():
        try:
            _write(source, target, adapter)
        except (*UNREADABLE, SafetensorError, NotImplementedError, MemoryError) as error:
            raise ModelError(
                f"{source} cannot be converted to be tuned ({type(error).__name__}: {error}). "
                "Free disk space if it is full; or choose the folder or Hugging Face id that the file was made from."
            ) from error


def check_convertible(header: GgufHeader) -> None:
    """Raise ModelError where a file cannot be turned into what can be tuned."""
    instead = "It can be tuned from the folder or Hugging Face id that the file was made from."
    if header.architecture not in CONVERTIBLE:
        raise ModelError(
            f"{header.path} is of the architecture {header.architecture!r}, which cannot be converted from GGUF. "
            f"{instead}"
        )
    scaling = str(header.fields.get(f"{header.architecture}.rope.scaling.type", "")).lower()
    if scaling not in _UNSCALED:
        raise ModelError(
            f"{header.path} stretches its context window ({scaling!r}), which is not converted from GGUF. {instead}"
        )
    if not header.chat_template:
        raise ModelError(without_template(str(header.path)))


def _check_room(header: GgufHeader, folder: Path) -> None:
    disk, memory = 2 * header.parameters + _SPARE_BYTES, conversion_bytes(header)
    if (free := shutil.disk_usage(folder).free) < disk:
        raise ModelError(
            f"To tune {header.path}, it is converted once, which takes {in_gb(disk)} of disk, and {in_gb(free)} are "
            f"free in {folder}. Free some, or move the home with IMPRINT_HOME."
        )
    if (free := available_memory()) < memory:
        raise ModelError(
            f"Converting {header.path} takes {in_gb(memory)} of memory, and {in_gb(free)} are free. "
            "Close what else uses memory, or choose a smaller model."
        )


def _write(source: Path, target: Path, adapter: Path | None) -> None:
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name, trust_remote_code=False)
    model = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
        trust_remote_code=False,
    )
    if (scalar := by_llama_cpp(model.config.to_dict())) is not None:
        setattr(model.config, SCALAR, scalar)  # no such file says it
    _scale_positions(source, model)
    if adapter is not None:
        merge_low_rank(model, adapter)
    target.mkdir()
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


@torch.no_grad()
def merge_low_rank(model: PreTrainedModel, adapter: Path) -> None:
    """Add a LoRA adapter's change to a model's own weights, summed in float32. PEFT's folder, no DoRA."""
    config = json.loads((adapter / PEFT_CONFIG).read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / config["r"]
    state = load_file(adapter / PEFT_WEIGHTS)
    for name, down in state.items():
        if name.endswith(".lora_A.weight"):
            up = state[name.replace(".lora_A.", ".lora_B.")].float()
            layer: Any = model.get_submodule(name.removeprefix(_PEFT).removesuffix(".lora_A.weight"))
            layer.weight.copy_(layer.weight.float() + scale * up @ down.float())


def _scale_positions(source: Path, model: PreTrainedModel) -> None:
    """Llama 3.1 and later divide their slow rotations; the file says so in a tensor, and the configuration must too."""
    tensors = {one.name: one for one in gguf.GGUFReader(str(source)).tensors}
    if "rope_freqs.weight" not in tensors:
        return
    factors = torch.from_numpy(tensors["rope_freqs.weight"].data.copy()).float().flatten()
    theta = model.config.rope_parameters["rope_theta"]
    model.config.rope_parameters = {
        "rope_type": "llama3",
        "rope_theta": theta,
        "factor": float(factors.max()),
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](model.config, torch.device("cpu"))
    plain = theta ** (-torch.arange(len(factors)) / len(factors))
    if not torch.allclose(scaled.cpu(), plain / factors, rtol=1e-3):
        raise ValueError("its rotations are scaled in a way that is not known here")
