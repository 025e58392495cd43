"""What a base model can be asked for: a small one finds a phrase in a few sentences, a capable one follows orders.

Decided by the number of parameters, since that is known of every model before it answers. It opens nothing.
"""

from typing import Literal, get_args

from tuning.config import DEFAULT_BASE, SKILLED_BASE

Capability = Literal["small", "capable"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
# Between the two models that were measured (benchmarks/reading.py): one of 135 million parameters ignores any
# order that is longer than a sentence, one of 494 million answers in sentences and numbers its sources.
CAPABLE_PARAMETERS = 400_000_000
# Packaged models that were taught in English, and write loops where they are asked in Chinese.
ENGLISH_ALONE = frozenset({DEFAULT_BASE, SKILLED_BASE})


def capability(parameters: int | None, *, instructed: bool = True) -> Capability:
    """The capability of a model with so many parameters; None where nobody knows, as at an endpoint.

    A model that was not tuned to follow instructions (`instructed`: it has a chat template) is small, whatever
    its size.
    """
    if not instructed:
        return "small"
    return "capable" if parameters is None or parameters >= CAPABLE_PARAMETERS else "small"
