"""Checkpoints without training: a prefix of the keys and values of a text, which the model then knows."""

from collections.abc import Mapping
from typing import Any

from tuning.checkpoints.manifest import Checkpoint, Manifest
from tuning.checkpoints.registry import Registry
from tuning.models.adapters import PrefixAdapter
from tuning.models.base_model import BaseModel

FACT = "The Skerrin is made in Norvik. The Skerrin weighs 640 grams."


def save_prefix(
    model: BaseModel, registry: Registry, name: str, text: str = FACT, **about: Any
) -> Checkpoint:
    """Store a checkpoint whose prefix is `text` as a system message, read by the model."""
    from tuning.models.prefix import text_kv

    ids = model.chat_ids([{"role": "system", "content": text}], add_generation_prompt=False)
    write = PrefixAdapter(tuple(text_kv(model, ids)), {}, {}).write
    return registry.save(_manifest(model, name, "p-tuning-v2", about), write)


def save_random(
    model: BaseModel,
    registry: Registry,
    name: str,
    method: str,
    scale: float = 0.02,
    options: Mapping[str, Any] | None = None,
    **about: Any,
) -> Checkpoint:
    """Store a checkpoint of this method with small random weights: as if it had learned something."""
    import torch

    from tuning.config import TuneConfig
    from tuning.training.learner import LearnerPlan
    from tuning.training.methods import METHODS, build
    from tuning.training.recipe import recipe

    chat = [[{"role": "user", "content": "How heavy is it?"}, {"role": "assistant", "content": "640 grams."}]]
    config = TuneConfig(method=method, **{"rank": 4, "virtual_tokens": 6, **(options or {})})
    setting = recipe(config, METHODS[method].family, model.config.hidden_size)
    torch.manual_seed(1)  # what is not zero at the beginning is drawn
    learner = build(LearnerPlan(model, config, setting, chat, 10, None))
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(torch.randn_like(parameter) * scale)
    write = learner.adapter().write
    learner.close()
    return registry.save(_manifest(model, name, method, about), write)


def _manifest(model: BaseModel, name: str, method: str, about: dict[str, Any]) -> Manifest:
    """What the model says of itself, unless `about` says otherwise."""
    facts = {
        "method": method,
        "base": model.name,
        "base_sha256": model.sha256,
        "template_fingerprint": model.template_fingerprint,
    }
    return Manifest(name, **{**facts, **about})
