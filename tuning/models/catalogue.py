"""The base models that can be chosen: packaged, in the home, or on a hub; with the memory each needs.

It opens nothing: a model is opened by `tuning.models.base_model`.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import torch
from huggingface_hub import try_to_load_from_cache

from tuning.config import DEFAULT_BASE
from tuning.models.packaged import PACKAGED, packaged_file
from tuning.storage import read_json

log = logging.getLogger(__name__)

Source = Literal["package", "folder", "hub"]
_RUNTIME_BYTES = 700_000_000  # Python, torch and transformers themselves
_STEP_TOKENS = 1024


@dataclass(frozen=True)
class HubModel:
    """A model whose shape is known before it is at hand."""

    name: str
    title: str
    parameters: int
    layers: int
    kv_width: int  # key/value heads × head size
    hidden: int
    window: int
    license: str


KNOWN = (
    HubModel(DEFAULT_BASE, "SmolLM2 135M Instruct", 134_515_008, 30, 192, 576, 8192, "Apache-2.0"),
    HubModel(
        "HuggingFaceTB/SmolLM2-360M-Instruct", "SmolLM2 360M", 361_821_120, 32, 320, 960, 8192, "Apache-2.0"
    ),
    HubModel(
        "HuggingFaceTB/SmolLM2-1.7B-Instruct",
        "SmolLM2 1.7B",
        1_711_376_384,
        24,
        2048,
        2048,
        8192,
        "Apache-2.0",
    ),
    HubModel("HuggingFaceTB/SmolLM3-3B", "SmolLM3 3B", 3_075_098_624, 36, 512, 2048, 65536, "Apache-2.0"),
    HubModel("Qwen/Qwen2.5-0.5B-Instruct", "Qwen2.5 0.5B", 494_032_768, 24, 128, 896, 32768, "Apache-2.0"),
    HubModel("Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5 1.5B", 1_543_714_304, 28, 256, 1536, 32768, "Apache-2.0"),
    HubModel("Qwen/Qwen2.5-7B-Instruct", "Qwen2.5 7B", 7_615_616_512, 28, 512, 3584, 32768, "Apache-2.0"),
    HubModel("Qwen/Qwen3-0.6B", "Qwen3 0.6B", 596_049_920, 28, 1024, 1024, 40960, "Apache-2.0"),
    HubModel("Qwen/Qwen3-4B-Instruct-2507", "Qwen3 4B", 4_022_468_096, 36, 1024, 2560, 262144, "Apache-2.0"),
    HubModel("Qwen/Qwen3-8B", "Qwen3 8B", 8_190_735_360, 36, 1024, 4096, 40960, "Apache-2.0"),
    HubModel("zai-org/GLM-4-9B-0414", "GLM-4 9B", 9_400_279_040, 40, 256, 4096, 32768, "MIT"),
    HubModel(
        "meta-llama/Llama-3.2-1B-Instruct", "Llama 3.2 1B", 1_235_814_400, 16, 512, 2048, 131072, "Llama 3.2"
    ),
    HubModel(
        "meta-llama/Llama-3.1-8B-Instruct", "Llama 3.1 8B", 8_030_261_248, 32, 1024, 4096, 131072, "Llama 3.1"
    ),
)


@dataclass(frozen=True)
class CatalogueEntry:
    """One base model a person can choose. Sizes are bytes, on this machine."""

    name: str
    title: str
    source: Source
    parameters: int
    window: int
    at_hand: bool
    chat_bytes: int
    tune_bytes: int
    fits_chat: bool
    fits_tune: bool
    license: str


def catalogue(home: Path) -> list[CatalogueEntry]:
    """Every known model, and every model folder under the home, with what it needs and whether that fits."""
    known = {model.name for model in KNOWN}
    return [_entry(model, *_whereabouts(model.name, home)) for model in KNOWN] + [
        _entry(model, "folder", True) for model in _folders(home) if model.name not in known
    ]


def memory_bytes(model: HubModel, *, tune: bool, window: int = 4096) -> int:
    """What chatting (weights and a full KV cache) or tuning (weights, activations, adapter) takes."""
    weights = 2 * model.parameters
    if not tune:
        return _RUNTIME_BYTES + weights + 4 * model.layers * model.kv_width * min(window, model.window)
    activations = 2 * _STEP_TOKENS * model.layers * 34 * model.hidden  # arXiv 2205.05198, eq. 2, per token
    adapter = (
        16 * model.layers * 16 * 14 * model.hidden
    )  # rank 16 on all linear layers, fp32 with Adam's state
    return _RUNTIME_BYTES + weights + activations + adapter


def available_bytes() -> int:
    """The memory that is free where models run: the GPU's when there is one."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return int(psutil.virtual_memory().available)


def _whereabouts(name: str, home: Path) -> tuple[Source, bool]:
    if name in PACKAGED:
        return "package", packaged_file(name) is not None or (
            home / "models" / name / "imprint.json"
        ).is_file()
    return "hub", isinstance(try_to_load_from_cache(name, "config.json"), str)


def _entry(model: HubModel, source: Source, at_hand: bool) -> CatalogueEntry:
    chat, tune = memory_bytes(model, tune=False), memory_bytes(model, tune=True)
    free = available_bytes()
    return CatalogueEntry(
        name=model.name,
        title=model.title,
        source=source,
        parameters=model.parameters,
        window=model.window,
        at_hand=at_hand,
        chat_bytes=chat,
        tune_bytes=tune,
        fits_chat=chat <= free,
        fits_tune=tune <= free,
        license=model.license,
    )


def _folders(home: Path) -> list[HubModel]:
    """Models that a person put under the home as plain folders."""
    found = []
    for config_file in sorted((home / "models").glob("*/config.json")):
        folder = config_file.parent
        if folder.name in PACKAGED or folder.name.startswith("."):
            continue
        try:
            found.append(_folder_model(folder, read_json(config_file)))
        except (OSError, ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
            log.warning("%s is left out: its config.json is damaged (%s)", folder, error)
    return found


def _folder_model(folder: Path, config: Mapping[str, Any]) -> HubModel:
    heads = int(config.get("num_attention_heads", 1))
    hidden = int(config.get("hidden_size", 0))
    head = int(config.get("head_dim") or hidden // heads)
    return HubModel(
        name=str(folder),
        title=folder.name,
        parameters=sum(file.stat().st_size for file in folder.glob("*.safetensors")) // 2,
        layers=int(config.get("num_hidden_layers", 0)),
        kv_width=int(config.get("num_key_value_heads") or heads) * head,
        hidden=hidden,
        window=int(config.get("max_position_embeddings", 0)),
        license="unknown",
    )
