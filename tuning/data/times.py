"""Times of other programs → seconds since 1970. What no chat can have been written at is no time."""

import math
import time
from datetime import datetime

EARLIEST = 631_152_000.0  # 1990: no chat is older
TOLERANCE_SECONDS = 2 * 86_400.0  # clocks and time zones differ
UNITS = (1.0, 1e3, 1e6, 1e9)  # seconds, milliseconds, microseconds, nanoseconds


def plausible_seconds(value: object) -> float | None:
    """A number in whatever unit, or an ISO text, as seconds since 1970; None where it is no time of a chat."""
    number = finite_number(value)
    if number is None:
        return None
    latest = time.time() + TOLERANCE_SECONDS
    return next((number / unit for unit in UNITS if EARLIEST <= number / unit <= latest), None)


def finite_number(value: object) -> float | None:
    """The number that a value is or spells, or the moment that it spells; None for anything else."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, str):
            return _spelled(value.strip())
        number = float(value) if isinstance(value, int | float) else math.nan
    except (ValueError, OverflowError, OSError):
        return None
    return number if math.isfinite(number) else None


def _spelled(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        number = datetime.fromisoformat(text).timestamp()
    return number if math.isfinite(number) else None
