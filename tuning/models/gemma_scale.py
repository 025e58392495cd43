"""What Gemma's queries are scaled by: transformers reads it in the configuration, llama.cpp takes it from the shape."""

from collections.abc import Mapping
from typing import Any

SCALAR = "query_pre_attn_scalar"  # its square root divides the queries
_LARGEST = {"gemma2": 46, "gemma3": 62}  # layers of the 27B ones, which llama.cpp knows by them
_DEFAULT = 256  # of the scalar and of the heads' width, where a configuration does not say


def by_llama_cpp(config: Mapping[str, Any]) -> int | None:
    """What llama.cpp takes for a model of this configuration; None where it is no Gemma 2 or 3."""
    kind = str(config.get("model_type", "")).removesuffix("_text")
    if kind not in _LARGEST:
        return None
    if config.get("num_hidden_layers") == _LARGEST[kind]:
        return int(config["hidden_size"]) // int(config["num_attention_heads"])
    return int(config.get("head_dim", _DEFAULT))


def differs(config: Mapping[str, Any]) -> bool:
    """Whether llama.cpp would take another scale than a folder's configuration says."""
    text = config.get("text_config") or config
    taken = by_llama_cpp({"model_type": config.get("model_type"), **text})
    return taken is not None and text.get(SCALAR, _DEFAULT) != taken
