"""What is put beside a base's weights: low-rank and scaling adapters through PEFT, prefixes as a KV cache.

Each kind is read from and written to a folder (safetensors and JSON only), switched on and taken off again.
It does not decide which adapter is active (`tuning.models.base_model`) and trains nothing (`tuning.training.trainer`).
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftType, inject_adapter_in_model, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from tuning.errors import CheckpointError
from tuning.models.adapter_files import FULL_WEIGHTS, PEFT_WEIGHTS, PREFIX_CONFIG, PREFIX_WEIGHTS
from tuning.models.peft_config import check_ranks, known_options, read_config, read_shapes
from tuning.ops import lora
from tuning.storage import file_sha256


@dataclass(frozen=True)
class PeftAdapter:
    """LoRA, AdaLoRA, IA3 and their relatives: PEFT's configuration and the trained tensors."""

    config: PeftConfig
    state: dict[str, Tensor]

    def write(self, folder: Path) -> None:
        """Write PEFT's own two files, so that any PEFT reads them."""
        save_file(
            {f"base_model.model.{k}": v.contiguous() for k, v in self.state.items()}, folder / PEFT_WEIGHTS
        )
        self.config.save_pretrained(str(folder))


@dataclass(frozen=True)
class PrefixAdapter:
    """Learned keys and values in front of every layer: (layers, 2, key/value heads, positions, head size)."""

    kv: tuple[Tensor, ...]  # one (2, heads, positions, size) a layer: head sizes may differ between layers
    details: dict[str, Any]  # how it was made, as JSON
    state: dict[str, Tensor]  # what a further round needs beyond the keys and values (prompt encoders)

    @property
    def positions(self) -> int:
        """How many positions the prefix takes."""
        return int(self.kv[0].shape[-2])

    def write(self, folder: Path) -> None:
        """Write the keys and values, what a further round needs, and how it was made."""
        tensors = {f"kv.{index:03d}": layer.contiguous() for index, layer in enumerate(self.kv)}
        tensors |= {f"state.{name}": value.contiguous() for name, value in self.state.items()}
        save_file(tensors, folder / PREFIX_WEIGHTS)
        text = json.dumps(self.details, ensure_ascii=False, indent=2)
        (folder / PREFIX_CONFIG).write_text(text, encoding="utf-8")

    def fill(self, cache: DynamicCache, dtype: torch.dtype, device: torch.device) -> None:
        """Put the prefix in front of an empty cache."""
        for index, layer in enumerate(self.kv):
            keys, values = layer.to(device=device, dtype=dtype).unbind(0)
            cache.update(keys[None], values[None], index)


@dataclass(frozen=True)
class FullAdapter:
    """Full fine-tuning: another value for every weight of the base."""

    state: dict[str, Tensor]

    def write(self, folder: Path) -> None:
        """Write all weights, under the names the base gives them."""
        save_file({name: value.contiguous() for name, value in self.state.items()}, folder / FULL_WEIGHTS)

    def swap(self, model: PreTrainedModel, name: str) -> None:
        """Exchange the model's weights with these; a second time undoes it. No memory is copied or taken."""
        own = dict(model.named_parameters())
        if own.keys() != self.state.keys() or any(own[n].shape != v.shape for n, v in self.state.items()):
            raise CheckpointError(
                f"Checkpoint {name!r} has other weights than this base. Choose its own base."
            )
        for key, parameter in own.items():
            value = self.state[key].to(device=parameter.device, dtype=parameter.dtype)
            self.state[key], parameter.data = parameter.data, value


_NAMES = ("target_modules", "exclude_modules", "feedforward_modules", "rank_pattern", "alpha_pattern")
Adapter = PeftAdapter | PrefixAdapter | FullAdapter


def read_adapter(folder: Path, sha256: Mapping[str, str] | None = None) -> Adapter:
    """The adapter a folder holds. CheckpointError when it holds none, or one that cannot be read.

    `sha256` are the hashes of its files as they were written, where they are known.
    """
    try:
        for name, wanted in (sha256 or {}).items():
            if file_sha256(folder / name) != wanted:
                raise CheckpointError(
                    f"The checkpoint in {folder} is damaged: {name!r} is no longer what was stored. Restore "
                    "it from a backup, or delete it and tune again."
                )
        if (folder / PREFIX_WEIGHTS).is_file():
            return _read_prefix(folder)
        if (folder / PEFT_WEIGHTS).is_file():
            return _read_peft(folder)
        if (folder / FULL_WEIGHTS).is_file():
            return FullAdapter(load_file(folder / FULL_WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointError(
            f"The adapter in {folder} cannot be read: {error}. Its files are damaged, or another "
            "version made them; delete the checkpoint and tune again."
        ) from error
    raise CheckpointError(
        f"{folder} holds no adapter: no {PEFT_WEIGHTS}, {PREFIX_WEIGHTS} or {FULL_WEIGHTS} is there. "
        "Weights in other formats (.bin, .pt) are not loaded, since they can run code."
    )


def _read_peft(folder: Path) -> PeftAdapter:
    try:
        options = read_config(folder)
        known_options(
            options, folder
        )  # whoever wrote it: a checkpoint may come from a backup of somebody else
        check_ranks(options, read_shapes(folder), folder)
    except CheckpointError as error:
        raise ValueError(str(error).rstrip(".")) from error
    config = PeftConfig.from_pretrained(str(folder))
    config.inference_mode = True
    if isinstance(config, LoraConfig):
        config.init_lora_weights = True  # its weights are here: nothing is begun anew from the base's
    tensors = load_file(folder / PEFT_WEIGHTS)
    return PeftAdapter(
        config, {name.removeprefix("base_model.model."): value for name, value in tensors.items()}
    )


def _read_prefix(folder: Path) -> PrefixAdapter:
    tensors = load_file(folder / PREFIX_WEIGHTS)
    details = json.loads((folder / PREFIX_CONFIG).read_text(encoding="utf-8"))
    kv = tuple(tensors[name] for name in sorted(tensors) if name.startswith("kv."))
    state = {
        name.removeprefix("state."): value for name, value in tensors.items() if name.startswith("state.")
    }
    if not kv:
        raise ValueError(f"{PREFIX_WEIGHTS} has no keys and values")
    return PrefixAdapter(kv, details, state)


def check_shape(adapter: PrefixAdapter, model: PreTrainedModel, name: str) -> None:
    """CheckpointError when the prefix was made for a model of another shape."""
    config = model.config.get_text_config(decoder=True)
    heads = config.num_key_value_heads
    if len(adapter.kv) != config.num_hidden_layers or adapter.kv[0].shape[1] != heads:
        raise CheckpointError(
            f"Checkpoint {name!r} has a prefix for {len(adapter.kv)} layers, {adapter.kv[0].shape[1]} heads; "
            f"this base has {config.num_hidden_layers} and {heads}. Choose the base it was tuned from."
        )


def attach(model: PreTrainedModel, adapter: PeftAdapter, key: str, name: str) -> None:
    """Inject the adapter's layers, in the model's precision. CheckpointError when they don't fit."""
    try:
        # A switch may happen while answering, and several adapters side by side are the point.
        with torch.inference_mode(False), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Already found a `peft_config`")
            inject_adapter_in_model(_of_modules(adapter.config, model), model, key)
            outcome: Any = set_peft_model_state_dict(model, adapter.state, adapter_name=key)
    except (RuntimeError, ValueError) as error:
        detach(model, key)
        raise CheckpointError(
            f"Checkpoint {name!r} does not fit this base: {_first_line(error)}. "
            "Choose the base it was tuned from."
        ) from error
    unused = list(outcome.unexpected_keys)
    if unused:
        detach(model, key)
        raise CheckpointError(
            f"Checkpoint {name!r} has {len(unused)} tensors that this base has no place for (the first is "
            f"{unused[0]!r}), so it would not be applied in full. Choose the base it was tuned from."
        )
    missing = [
        one for one in outcome.missing_keys if f".{key}" in one and (".lora_" in one or ".ia3_" in one)
    ]
    if missing:
        detach(model, key)
        raise CheckpointError(
            f"Checkpoint {name!r} lacks {len(missing)} of the tensors that its configuration names (the first is "
            f"{missing[0].replace(f'.{key}', '')!r}): those layers would do nothing. Copy its file again."
        )
    for layer in tuner_layers(model):
        layer.set_adapter([])
        layer.requires_grad_(False)


def _of_modules(config: PeftConfig, model: nn.Module) -> PeftConfig:
    """The configuration with the names that the model has: PEFT compares every name with every module."""
    ends = {
        end for name, _ in model.named_modules() for end in accumulate(reversed(name.split(".")), _before)
    }
    narrowed = copy(config)
    for option in _NAMES:
        names = getattr(config, option, None)
        if isinstance(names, dict) and config.peft_type == PeftType.LORA:  # AdaLoRA's are of its own tensors
            setattr(narrowed, option, {name: value for name, value in names.items() if name in ends})
        elif isinstance(names, set | list) and not ends.isdisjoint(
            names
        ):  # else PEFT says that none is there
            setattr(narrowed, option, type(names)(name for name in names if name in ends))
    return narrowed


def _before(end: str, part: str) -> str:
    return f"{part}.{end}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:300].rstrip(":. ")


def select(model: PreTrainedModel, key: str | None) -> None:
    """Let the injected layers use this adapter, or none."""
    for layer in tuner_layers(model):
        lora.disable_fast_path(layer)
        if key is None:
            layer.enable_adapters(False)
        else:
            layer.enable_adapters(True)
            layer.set_adapter(key, inference_mode=True)
            lora.enable_fast_path(layer, key)


def detach(model: PreTrainedModel, key: str) -> None:
    """Take one adapter's layers out; the last one restores the model's own layers."""
    held = getattr(model, "peft_config", {})
    held.pop(key, None)
    if not held:
        restore(model)
        return
    for layer in tuner_layers(model):
        layer.set_adapter([])
        if any(key in getattr(layer, kind) for kind in layer.adapter_layer_names):
            layer.delete_adapter(key)


def restore(model: nn.Module) -> None:
    """Put the model's own layers back where adapters wrapped them, and forget the adapters."""
    vars(model).pop("peft_config", None)
    for parent in list(model.modules()):
        for child_name, child in list(parent.named_children()):
            if isinstance(child, BaseTunerLayer):
                setattr(parent, child_name, child.get_base_layer())


def tuner_layers(model: nn.Module) -> Iterator[Any]:
    """The injected layers, outermost only."""
    for module in list(model.modules()):
        if isinstance(module, BaseTunerLayer):
            yield module
