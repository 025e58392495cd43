"""How surely a reward model should speak: the temperature that makes its odds those of votes kept aside."""

import math
from collections.abc import Sequence

_COARSE = [1.15**power for power in range(-20, 36)]  # from a sixteenth to 130


def fitted_temperature(margins: Sequence[float]) -> float:
    """The temperature with the least log loss on margins of preferred over rejected answers.

    The votes count as (n + 1) / (n + 2) certain, as in Platt's scaling (1999): few that are all right prove little.
    """
    if not margins:
        return 1.0
    certain = (len(margins) + 1) / (len(margins) + 2)
    return min(_COARSE, key=lambda one: _loss(margins, one, certain))


def log_loss(margins: Sequence[float], temperature: float = 1.0) -> float:
    """The mean negative log-probability of the votes (nats); 0.69 is a coin's."""
    return _loss(margins, temperature, 1.0)


def _loss(margins: Sequence[float], temperature: float, certain: float) -> float:
    total = 0.0
    for margin in margins:
        odds = margin / temperature
        total += certain * _softplus(-odds) + (1 - certain) * _softplus(odds)
    return total / max(1, len(margins))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
