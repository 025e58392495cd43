"""Tiny random models of many architectures behind a real tokenizer: for shapes and arithmetic only."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from tuning.models.base_model import BaseModel

_SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
}
ARCHITECTURES = ("llama", "qwen2", "qwen3", "glm4", "gemma2", "gemma3_text", "mistral", "phi3")


def tiny_model(
    base: BaseModel, architecture: str = "llama", seed: int = 0, dtype: Any = torch.float32
) -> BaseModel:
    """A random model of this architecture with the tokenizer and template of a real one."""
    vocabulary = len(base.tokenizer)
    tokens = {
        "vocab_size": vocabulary,
        "pad_token_id": base.end_id,
        "eos_token_id": base.end_id,
        "bos_token_id": 1,
    }
    config = AutoConfig.for_model(architecture, **_SHAPE, **tokens)
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    model.requires_grad_(False)
    return BaseModel(f"tiny-{architecture}", f"{seed:064d}", model, base.tokenizer)


def save_tiny(base: BaseModel, path: Path) -> Path:
    """A tiny random Llama on disk, to be opened like any other folder."""
    tiny = tiny_model(base, dtype=torch.bfloat16)
    tiny.model.save_pretrained(path)
    tiny.tokenizer.save_pretrained(path)
    return path
