"""What another CPU, kernel or batch may change of an answer: which of two tokens wins that are about as likely."""

from collections.abc import Sequence

import torch

from tuning.data.examples import Message
from tuning.models.base_model import BaseModel

ROUNDING = 0.7  # logits: what 8-bit activations may change


def largest_gap(base: BaseModel, prompt: Sequence[Message], text: str, adapter: str | None = None) -> float:
    """How far from torch's best a token of an answer was at most, in logits."""
    ids = base.chat_ids(prompt, add_generation_prompt=True)
    tokens = base.tokenizer(text, add_special_tokens=False)["input_ids"]
    logits = base.logits([*ids, *tokens], adapter=adapter)[len(ids) - 1 : -1]
    own = logits.gather(1, torch.tensor(tokens)[:, None])[:, 0]
    return float((logits.amax(1) - own).max())
