"""PEFT's adapter_config.json, checked before PEFT sees it: types, bounds, plain names, ranks as in the weights.

PEFT takes regular expressions in many places and allocates what a configuration says; here neither is possible.
Nothing is loaded: of the weights, only the header is read.
"""

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from safetensors import SafetensorError, safe_open

from tuning.errors import CheckpointError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS

MOST_CONFIG_BYTES = 4 * 2**20
MOST_LEVELS = 8  # of brackets within each other; PEFT writes two
MOST_HEADER_BYTES = 16 * 2**20
MOST_WEIGHT_BYTES = 16 * 2**30
Shapes = dict[str, tuple[int, ...]]

_COMMON = {"peft_type", "task_type", "base_model_name_or_path", "inference_mode", "target_modules"}
_LORA = {
    "r", "lora_alpha", "exclude_modules", "lora_dropout", "fan_in_fan_out", "bias", "use_rslora", "use_dora",
    "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern", "lora_bias",
}  # fmt: skip
_TAKEN = {
    "LORA": _COMMON | _LORA,
    "ADALORA": _COMMON | _LORA | {"target_r", "init_r", "tinit", "tfinal", "deltaT", "total_step"},
    "IA3": _COMMON | {"feedforward_modules", "exclude_modules", "fan_in_fan_out"},
    "PREFIX_TUNING": _COMMON | {"num_virtual_tokens", "num_layers", "num_attention_heads", "token_dim"},
}
# Says where it came from or how it was begun: without effect on a trained adapter.
_WITHOUT_EFFECT = {
    "auto_mapping", "peft_version", "revision", "megatron_core", "init_lora_weights", "init_ia3_weights",
    "loftq_config", "eva_config", "corda_config", "lora_ga_config", "qalora_group_size",
    "ensure_weight_tying", "runtime_config", "encoder_hidden_size", "prefix_projection",
    "num_transformer_submodules", "init_weights", "beta1", "beta2", "orth_reg_weight",
}  # fmt: skip

Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]+(\.[A-Za-z0-9_\-]+)*$", max_length=300)
]  # of a module; a dot, which PEFT reads as a pattern, cannot make matching slow
Names = Annotated[list[Name], Field(max_length=20_000)]
Rank = Annotated[int, Field(ge=1, le=65_536)]
Scale = Annotated[float, Field(ge=-1e6, le=1e6)]
Count = Annotated[int, Field(ge=0, le=10**9)]


class _Options(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    task_type: Annotated[str, Field(max_length=100)] | None = None
    base_model_name_or_path: Annotated[str, Field(max_length=4_000)] | None = None
    inference_mode: bool = False
    target_modules: Names | Literal["all-linear"] | None = None
    exclude_modules: Names | None = None
    modules_to_save: Names | None = None
    fan_in_fan_out: bool = False


class _Lora(_Options):
    r: Rank = 8
    lora_alpha: Scale = 8
    lora_dropout: Annotated[float, Field(ge=0, le=1)] = 0.0
    bias: Literal["none", "all", "lora_only"] = "none"
    use_rslora: bool = False
    use_dora: bool = False
    lora_bias: bool = False
    layers_to_transform: Count | Annotated[list[Count], Field(max_length=10_000)] | None = None
    layers_pattern: Name | Names | None = None
    rank_pattern: dict[Name, Rank] | None = None
    alpha_pattern: dict[Name, Scale] | None = None
    # The others (PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA) change the base's own weights first, and belong to those.
    init_lora_weights: bool | Literal["gaussian", "eva", "orthogonal", "mica"] | None = True


class _AdaLora(_Lora):
    target_r: Rank = 8
    init_r: Rank = 12
    tinit: Count = 0
    tfinal: Count = 0
    delta: Annotated[Count, Field(alias="deltaT")] = 1
    total_step: Count | None = None
    rank_pattern: dict[Name, Rank | list[bool]] | None = None  # type: ignore[assignment]


class _IA3(_Options):
    feedforward_modules: Names | None = None


class _Prefix(_Options):
    num_virtual_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    num_layers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    num_attention_heads: Annotated[int, Field(ge=1, le=10_000)] | None = None
    token_dim: Count | None = None


KINDS: dict[str, type[_Options]] = {
    "LORA": _Lora,
    "ADALORA": _AdaLora,
    "IA3": _IA3,
    "PREFIX_TUNING": _Prefix,
}


def read_config(folder: Path) -> dict[str, Any]:
    """The configuration of an adapter's folder, each option of the right type and size. Raises CheckpointError."""
    path = folder / PEFT_CONFIG
    try:
        if path.stat().st_size > MOST_CONFIG_BYTES:
            raise ValueError(f"it has more than {MOST_CONFIG_BYTES} bytes")
        config = json.loads(path.read_text(encoding="utf-8"))
        _check_depth(config)
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}). Copy it again.") from error
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise CheckpointError(f"{path} is a {str(kind)[:80]!r} adapter; {', '.join(KINDS)} can be imported.")
    try:
        KINDS[kind].model_validate(config)
    except ValidationError as error:
        raise CheckpointError(_refusal(path, config, error)) from None
    return dict(config)


def known_options(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The options that are known to be harmless. Raises CheckpointError for one more that would have an effect."""
    taken = _TAKEN[config["peft_type"]]
    for key, value in config.items():
        if key not in taken and key not in _WITHOUT_EFFECT and value not in (None, False, [], {}, ""):
            raise CheckpointError(
                f"{folder / PEFT_CONFIG} sets {key!r} to {quoted(value)}, which is not taken from a file. "
                "Ask its author for another."
            )
    return {key: value for key, value in config.items() if key in taken} | {"inference_mode": True}


def _check_depth(config: object) -> None:
    level = [config]
    for _ in range(MOST_LEVELS):
        level = [one for part in level for one in _inside(part)]
    if level:
        raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels")


def _inside(part: object) -> Iterable[object]:
    return part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


def _refusal(path: Path, config: Mapping[str, Any], error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False)[0]
    option = str(found["loc"][0])
    if "modules" in option or "pattern" in option:
        wanted = "only plain names of modules are taken, in a list, and no patterns"
    elif option == "init_lora_weights":
        wanted = "it was trained beside changed weights of its base, and does not fit the base as it is"
    else:
        wanted = found["msg"][:1].lower() + found["msg"][1:]
    return f"{path} sets {option!r} to {quoted(config.get(option))}: {wanted}. Ask its author for another."


def quoted(value: object) -> str:
    """A value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:80]}…"


def read_shapes(folder: Path) -> Shapes:
    """Name → shape of all tensors of an adapter, from the header of its file. Raises CheckpointError."""
    path = folder / PEFT_WEIGHTS
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            first = file.read(8)
        header = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if size > MOST_WEIGHT_BYTES or header > MOST_HEADER_BYTES:
            raise ValueError("it is larger than any adapter")
        with safe_open(path, framework="pt") as tensors:
            shapes = {name: tuple(tensors.get_slice(name).get_shape()) for name in tensors.keys()}  # noqa: SIM118
    except (OSError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"{path} is no whole safetensors file ({error}). Copy it again.") from error
    if not shapes:
        raise CheckpointError(f"{path} holds no weights.")
    return shapes


def check_ranks(config: Mapping[str, Any], shapes: Shapes, folder: Path) -> None:
    """CheckpointError where a configuration names other ranks than the weights have: PEFT would allocate them."""
    ranks = {name: rank for name, shape in shapes.items() if (rank := _rank(name, shape))}
    if config["peft_type"] == "LORA":
        if not ranks:
            raise CheckpointError(
                f"The weights in {folder} are not named as PEFT's save_pretrained names them (the first is "
                f"{min(shapes, default='')!r}). Save the adapter with it."
            )
        for name, rank in ranks.items():
            if (asked := _asked(config, name.partition(".lora_")[0])) != rank:
                raise CheckpointError(
                    f"{folder / PEFT_CONFIG} says rank {asked}, and {name!r} has rank {rank}. Copy both files again."
                )
    named = [int(config[option]) for option in ("r", "init_r", "target_r") if config.get(option)]
    named += [one for one in (config.get("rank_pattern") or {}).values() if isinstance(one, int)]
    most = max(ranks.values(), default=0)
    if config["peft_type"] == "ADALORA":  # some directions of a trained one are cut off
        most = max([most, *(max(shape) for name, shape in shapes.items() if ".lora_" in name)])
    if config["peft_type"] in ("LORA", "ADALORA") and max(named, default=0) > most:
        asked = max(named)
        raise CheckpointError(
            f"{folder / PEFT_CONFIG} says rank {asked}, and the weights have {most} at most. Copy both files again."
        )


def _rank(name: str, shape: tuple[int, ...]) -> int:
    """The rank of one tensor of a low-rank pair; 0 for others."""
    kind = name.partition(".lora_")[2].removesuffix(".weight")
    if kind in ("A", "embedding_A") and shape:
        return shape[0]
    return shape[1] if kind in ("B", "embedding_B") and len(shape) > 1 else 0


def _asked(config: Mapping[str, Any], module: str) -> int:
    for name, rank in (config.get("rank_pattern") or {}).items():
        if module == name or module.endswith(f".{name}"):
            return int(rank)
    return int(config.get("r", 8))
