"""A Llama-shaped model as one GGUF file in float16, for llama.cpp and what is built on it."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, LlamaFileType
from torch import Tensor

from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.packaged import PACKAGED, packaged_file

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OTHER_NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
# What the file says of itself is written anew; how the text becomes tokens is taken over as it is.
TAKEN_OVER = ("llama.", "tokenizer.")


def write_llama(base: BaseModel, path: Path, *, title: str) -> None:
    """Write the weights of `base` with the tokenizer of the packaged file.

    Raises `CheckpointError` for models that no package carries.
    """
    original = packaged_file(base.name) if base.name in PACKAGED else None
    if original is None or base.model.config.model_type != "llama":
        raise CheckpointError(
            f"A GGUF file can be written for {', '.join(PACKAGED)}, not for {base.name!r}. Export it as "
            "'merged', and convert that folder with llama.cpp's convert_hf_to_gguf.py."
        )
    writer = GGUFWriter(path, "llama")
    writer.add_name(title)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)
    _take_over(GGUFReader(original), writer)
    config = base.model.config
    for name, tensor in sorted(base.model.state_dict().items()):
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue  # llama.cpp uses the embeddings, as the model does
        _add(writer, _gguf_name(name), _permuted(name, tensor, config))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _take_over(reader: GGUFReader, writer: GGUFWriter) -> None:
    for key, field in reader.fields.items():
        if key.startswith(TAKEN_OVER):
            kind, contents = field.types[0], field.contents()
            of = field.types[-1] if kind == GGUFValueType.ARRAY else None
            writer.add_key_value(key, contents, kind, of)


def _add(writer: GGUFWriter, name: str, tensor: Tensor) -> None:
    is_vector = tensor.dim() == 1  # norms stay exact
    values: np.ndarray[Any, Any] = tensor.to(torch.float32 if is_vector else torch.float16).numpy()
    kind = GGMLQuantizationType.F32 if is_vector else GGMLQuantizationType.F16
    writer.add_tensor(name, values, raw_dtype=kind)


def _gguf_name(name: str) -> str:
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    _, _, number, rest = name.split(".", 3)
    return f"blk.{number}.{LAYER_NAMES[rest.removesuffix('.weight')]}.weight"


def _permuted(name: str, tensor: Tensor, config: Any) -> Tensor:
    """Queries and keys in llama.cpp's order: it turns neighbouring pairs where transformers turns halves."""
    tensor = tensor.detach().cpu()
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = next((n for part, n in heads.items() if part in name), None)
    if count is None:
        return tensor.contiguous()
    rows, columns = tensor.shape
    halves = tensor.view(count, 2, rows // count // 2, columns)
    return halves.transpose(1, 2).reshape(rows, columns).contiguous()
