"""Numbers, times and places as people read them: seconds, bytes, percentages, where a passage stands."""

import math
import re
from datetime import datetime

FIRST_YEAR, LAST_YEAR = 1678, 2261  # what pandas can hold


def plain(text: str) -> str:
    """`text` as a label: nothing in it is markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~>$:<&])", r"\\\1", text)


def seconds(value: float | None) -> str:
    """Seconds as a person says them: 0.8 s, 12 s, 4 min, 1 h 5 min."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 10:
        return f"{value:.1f} s"
    if value < 90:
        return f"{value:.0f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def size(value: float | None) -> str:
    """Bytes as a person says them: 812 KB, 1.4 GB."""
    if value is None or not math.isfinite(value):
        return "–"
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def moment(value: float, form: str = "%d %b %Y, %H:%M") -> str:
    """A time in seconds since 1970 as a person says it here; a dash for a number that is no time."""
    time = local_time(value)
    return "–" if time is None else time.strftime(form)


def local_time(value: float) -> datetime | None:
    """A time in seconds since 1970, here; None for a number that is no time, or none that a table can show."""
    try:
        time = datetime.fromtimestamp(value)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    return time if FIRST_YEAR <= time.year <= LAST_YEAR else None
