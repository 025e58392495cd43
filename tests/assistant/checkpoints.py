"""Checkpoints without training: a prefix made of the keys and values of a text, which the model then knows."""

from tuning.adapters import PrefixAdapter
from tuning.models import BaseModel
from tuning.registry import Checkpoint, Registry

FACT = "The Skerrin is a weather station. The Skerrin weighs 640 grams. The Skerrin is made in Norvik."


def save_prefix(base: BaseModel, registry: Registry, name: str, text: str = FACT, of: str = "", **about: str) -> Checkpoint:
    """Store a checkpoint whose prefix is `text` as a system message, read by the base."""
    import torch

    ids = base.chat_ids([{"role": "system", "content": text}], add_generation_prompt=False)
    with torch.inference_mode():
        cache = base.model(input_ids=torch.tensor([ids], device=base.device), use_cache=True).past_key_values
    layers = tuple(torch.stack((layer.keys[0], layer.values[0])).clone() for layer in cache.layers)
    facts = {
        "method": "p-tuning-v2",
        "base": of or base.name,
        "base_sha256": base.sha256,
        "template_fingerprint": base.template_fingerprint,
    }
    return registry.save(name, write=PrefixAdapter(layers, {}, {}).write, **{**facts, **about})
