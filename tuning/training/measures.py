"""What is measured of a base while it learns: how surprising an answer is, and how much memory is held."""

import psutil
import torch

from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import Encoded, pack
from tuning.models.prefix import PrefixInput


@torch.no_grad()
def answer_surprise(base: BaseModel, item: Encoded, prefix: PrefixInput) -> float:
    """How surprising an answer is to what is learned now, in nats a token."""
    row = pack([item]).to(base.device)
    logits = forward(base, row, prefix).float()
    return float(torch.nn.functional.cross_entropy(logits, row.targets))


def memory_bytes(base: BaseModel) -> int:
    """What this process holds where the model runs."""
    if base.device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(base.device))
    return int(psutil.Process().memory_info().rss)
