"""How large a model is, from its config.json or the header of its GGUF file; weights are not opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from tuning.errors import ModelError
from tuning.models.gguf_header import GgufHeader

_WITHOUT_CACHE = {"linear_attention", "conv", "mamba", "recurrent"}  # kinds of layers that keep a fixed state


@dataclass(frozen=True)
class ModelShape:
    """The sizes that memory and time follow from."""

    architecture: str
    parameters: int
    layers: int
    hidden: int
    inner: int  # width of a feed-forward layer
    kv_width: int  # key/value heads × head size
    vocabulary: int
    window: int
    kv_layers: int = 0  # layers whose keys and values are kept; 0 means all
    tables: int = 1  # of the vocabulary: 2 where the one that is read differs from the one that is written

    @property
    def kv_bytes(self) -> int:
        """What one token of context takes, in 16 bits."""
        return 4 * (self.kv_layers or self.layers) * self.kv_width

    @property
    def body_parameters(self) -> int:
        """The weights that every token passes: all but the embeddings."""
        return self.parameters - self.tables * self.vocabulary * self.hidden


def shape_of_gguf(header: GgufHeader) -> ModelShape:
    """The sizes in a GGUF file's header."""
    hidden, heads = header.number("embedding_length"), header.number("attention.head_count", 1) or 1
    key = header.number("attention.key_length") or hidden // heads
    tokens = header.fields.get("tokenizer.ggml.tokens", 0)
    return ModelShape(
        architecture=header.architecture,
        parameters=header.parameters,
        layers=header.number("block_count"),
        hidden=hidden,
        inner=header.number("feed_forward_length"),
        kv_width=(header.number("attention.head_count_kv") or heads) * key,
        vocabulary=tokens if isinstance(tokens, int) else len(tokens),
        window=header.number("context_length"),
        tables=2 if header.has_output_table else 1,
    )


def shape_of_config(name: str, config: Mapping[str, Any], parameters: int) -> ModelShape:
    """The sizes in a config.json, of its text part where there are several. Raises ModelError."""
    text = {**config, **(config.get("text_config") or {})}
    try:
        heads = int(text.get("num_attention_heads") or text["n_head"])
        hidden = int(text.get("hidden_size") or text["n_embd"])
        layers = int(text.get("num_hidden_layers") or text["n_layer"])
        kinds = text.get("layer_types") or []
        return ModelShape(
            architecture=str(config["model_type"]),
            parameters=parameters,
            layers=layers,
            hidden=hidden,
            inner=int(text.get("intermediate_size") or 4 * hidden),
            kv_width=int(text.get("num_key_value_heads") or heads)
            * int(text.get("head_dim") or hidden // heads),
            vocabulary=int(text["vocab_size"]),
            window=int(text.get("max_position_embeddings") or text.get("n_positions") or 0),
            kv_layers=sum(kind not in _WITHOUT_CACHE for kind in kinds) or layers,
            tables=1 if text.get("tie_word_embeddings", True) else 2,
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise ModelError(
            f"The config.json of {name!r} does not describe a language model ({type(error).__name__}: {error}). "
            "Choose another model, or fetch it again."
        ) from error


def shape_of_folder(name: str, folder: Path) -> ModelShape:
    """The sizes of a folder with config.json and safetensors. Raises ModelError."""
    return shape_of_config(name, read_config(name, folder), count_parameters(name, folder))


def read_config(name: str, folder: Path) -> dict[str, Any]:
    """A model's config.json. Raises ModelError."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The model {name!r} cannot be opened: {path} cannot be read ({error}). Copy it again."
        ) from error
    if not isinstance(config, dict):
        raise ModelError(f"The model {name!r} cannot be opened: {path} holds no JSON object. Copy it again.")
    return config


def count_parameters(name: str, folder: Path) -> int:
    """How many weights the safetensors of a folder hold, from their headers. Raises ModelError."""
    count = 0
    for path in folder.glob("*.safetensors"):
        try:
            with safe_open(path, framework="pt") as tensors:
                count += sum(prod(tensors.get_slice(key).get_shape()) for key in tensors.keys())  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"The model {name!r} cannot be opened: {path} is damaged or cut off ({error}). Fetch it again."
            ) from error
    return count
