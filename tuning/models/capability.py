"""What a base model can be asked for: a small one finds a phrase in a few sentences, a capable one follows orders,
a strong one several at once.

Decided by the number of parameters, since that is known of every model before it answers. It opens nothing.
"""

from typing import Literal, get_args

from tuning.config import DEFAULT_BASE, PLAIN_BASE

Capability = Literal["small", "capable", "strong"]
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)
# Between the two models that were measured (benchmarks/reading.py): one of 135 million parameters ignores any
# order that is longer than a sentence, one of 494 million answers in sentences. Told to number its sources as well, it
# answers with bare numbers (13 of 24 questions). Where models begin to do both was not measured.
CAPABLE_PARAMETERS = 400_000_000
STRONG_PARAMETERS = 2_000_000_000
# Packaged models that were taught in English, and write loops where they are asked in Chinese.
ENGLISH_ALONE = frozenset({DEFAULT_BASE, PLAIN_BASE})


def capability(parameters: int | None, *, instructed: bool = True) -> Capability:
    """The capability of a model with so many parameters; None where nobody knows, as at an endpoint.

    A model that was not tuned to follow instructions (`instructed`: it has a chat template) is small, whatever
    its size.
    """
    if not instructed:
        return "small"
    if parameters is None or parameters >= STRONG_PARAMETERS:
        return "strong"
    return "capable" if parameters >= CAPABLE_PARAMETERS else "small"
