"""GGUF files of tiny random models of several architectures, written as llama.cpp's converter writes them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from tuning.config import DEFAULT_BASE
from tuning.models.packaged import packaged_file

TOKENS = (
    2000  # the beginning of the packaged model's vocabulary: its special tokens, its bytes, the first merges
)
HIDDEN = 256  # the blocks of the K kinds have as many elements
_NAMES = {
    "gemma2": "gemma2",
    "gemma3_text": "gemma3",
    "llama": "llama",
    "phi3": "phi3",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
}
ARCHITECTURES = tuple(_NAMES)
TEMPLATE = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
_SHAPE: dict[str, Any] = {
    "hidden_size": HIDDEN,
    "intermediate_size": 2 * HIDDEN,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": HIDDEN // 4,
    "max_position_embeddings": 512,
    "vocab_size": TOKENS,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 2,
}


def tiny_llm(architecture: str = "llama", **changes: Any) -> PreTrainedModel:
    """A random model; of its numbers only those that 16 bits hold exactly."""
    config = AutoConfig.for_model(architecture, **{**_SHAPE, "tie_word_embeddings": True, **changes})
    if architecture.startswith("gemma"):
        config.query_pre_attn_scalar = config.head_dim  # llama.cpp's; no file says it
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(mean=0.0, std=0.2 if parameter.ndim > 1 else 0.1)
            if parameter.ndim == 1 and "bias" not in name and not architecture.startswith("gemma"):
                parameter.add_(1.0)
            parameter.copy_(parameter.bfloat16().float())
    return model


def write_gguf(
    path: Path,
    model: PreTrainedModel,
    kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
    *,
    template: str | None = TEMPLATE,
    fields: dict[str, str] | None = None,
    tensors: dict[str, Any] | None = None,
) -> Path:
    """Write the model; matrices as `kind`. `fields` and `tensors` come on top, or in the place of its own."""
    config = model.config
    name = config.model_type.removesuffix("_text")
    writer = gguf.GGUFWriter(path, name)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(_theta(config))
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_vocab_size(TOKENS)
    if getattr(config, "sliding_window", None):
        writer.add_sliding_window(config.sliding_window)
    for key, value in _vocabulary().items():
        getattr(writer, key)(value)
    if template is not None:
        writer.add_chat_template(template)
    for key, text in (fields or {}).items():
        writer.add_string(key, text)
    for gguf_name, tensor in {**dict(_tensors(model, name)), **(tensors or {})}.items():
        _add(writer, gguf_name, tensor, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add(writer: gguf.GGUFWriter, name: str, tensor: Any, kind: gguf.GGMLQuantizationType) -> None:
    if isinstance(tensor, tuple):  # blocks as they are, and their kind
        writer.add_tensor(name, tensor[0], raw_dtype=tensor[1])
    elif tensor.ndim == 1 or kind == gguf.GGMLQuantizationType.F32:
        writer.add_tensor(name, tensor.float().numpy())
    else:
        writer.add_tensor(name, gguf.quants.quantize(tensor.float().numpy(), kind), raw_dtype=kind)


def _theta(config: Any) -> float:
    parameters = config.rope_parameters
    return float(parameters.get("full_attention", parameters)["rope_theta"])


def _tensors(model: PreTrainedModel, name: str) -> Iterator[tuple[str, Tensor]]:
    arch = next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == name)
    names = gguf.get_tensor_name_map(arch, model.config.num_hidden_layers)
    for key, tensor in model.state_dict().items():
        if key == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        stem, suffix = key.rsplit(".", 1)
        found = names.get_name(stem)
        assert found is not None, key
        yield f"{found}.{suffix}", _as_llama_cpp(tensor, stem, model.config)


def _as_llama_cpp(tensor: Tensor, stem: str, config: Any) -> Tensor:
    """What llama.cpp's converter changes: the order of Llama's queries and keys, and one more in Gemma's norms."""
    if config.model_type.startswith("gemma") and "norm" in stem:
        return tensor + 1
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}
    count = heads.get(stem.rsplit(".", 1)[-1])
    if config.model_type != "llama" or count is None:
        return tensor
    rows, columns = tensor.shape
    return (
        tensor.view(count, 2, rows // count // 2, columns).transpose(1, 2).reshape(rows, columns).contiguous()
    )


@cache
def _vocabulary() -> dict[str, Any]:
    packaged = packaged_file(DEFAULT_BASE)
    assert packaged is not None
    fields = gguf.GGUFReader(packaged).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()[:TOKENS]
    known = set(tokens)
    merges = [
        one for one in fields["tokenizer.ggml.merges"].contents()[:TOKENS] if one.replace(" ", "") in known
    ]
    return {
        "add_tokenizer_model": "gpt2",
        "add_tokenizer_pre": "smollm",
        "add_token_list": tokens,
        "add_token_types": fields["tokenizer.ggml.token_type"].contents()[:TOKENS],
        "add_token_merges": merges,
        "add_bos_token_id": 1,
        "add_eos_token_id": 2,
        "add_pad_token_id": 2,
        "add_unk_token_id": 0,
    }


def random_blocks(kind: gguf.GGMLQuantizationType, rows: int, columns: int) -> np.ndarray[Any, Any]:
    """Blocks of a kind that no Python quantises: random bytes, with scales that are small numbers."""
    size, width = gguf.GGML_QUANT_SIZES[kind]
    random = np.random.default_rng(0)
    blocks = random.integers(0, 256, (rows, columns // size, width), dtype=np.uint8)
    scale = np.array([0.002], dtype=np.float16).view(np.uint8)
    places = {"Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (width - 2,), "Q5_0": (0,)}[kind.name]
    for place in places:
        blocks[:, :, place : place + 2] = scale
    return blocks.reshape(rows, -1)
