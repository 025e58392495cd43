"""Values as text to read: seconds, bytes, times, the location of a passage; names that markdown must not format."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from assistant.i18n.texts import t

FIRST_YEAR, LAST_YEAR = 1678, 2261  # what pandas can hold


def escape_markdown(text: str) -> str:
    """`text` on one line with every sign of markdown escaped, for labels."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~>$:<&])", r"\\\1", re.sub(r"\s", " ", text))


def seconds(value: float | None) -> str:
    """Seconds in the unit that suits them: 0.8 s, 12 s, 4 min, 1 h 5 min."""
    if value is None or not math.isfinite(value):
        return "–"
    if value < 90:
        return t("time.seconds", value=f"{value:.1f}" if value < 10 else f"{value:.0f}")
    minutes = round(value / 60)
    if minutes < 90:
        return t("time.minutes", value=minutes)
    return t("time.hours", hours=minutes // 60, minutes=minutes % 60)


def size(value: float | None) -> str:
    """Bytes in the unit that suits them: 812 KB, 1.4 GB."""
    if value is None or not math.isfinite(value):
        return "–"
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000 or unit == "GB":
            return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    raise AssertionError("unreachable")


def large(number: int) -> str:
    """A large number in the units that the language counts in: 134.5 million, 1.3 亿; a small one in its digits."""
    for unit in reversed(t("number.large").split("|")):
        size, name = unit.split()
        if number >= float(size):
            return f"{number / float(size):.1f} {name}"
    return f"{number:,}"


def moment(value: float, form: Literal["moment", "day", "short", "time"] = "moment") -> str:
    """A time in seconds since 1970 as a local date and time, as the language writes it; a dash for what is no time."""
    time = local_time(value)
    return "–" if time is None else time.strftime(t(f"date.{form}"))


def moment_ago(value: float) -> str:
    """The same as short as it can be told apart: of today the time alone."""
    time = local_time(value)
    return moment(value, "time" if time is not None and time.date() == datetime.now().date() else "short")


def local_time(value: float) -> datetime | None:
    """A time in seconds since 1970 as a local one; None for a number that is no time, or none that a table can show."""
    try:
        time = datetime.fromtimestamp(value)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
    return time if FIRST_YEAR <= time.year <= LAST_YEAR else None


def location(name: str, page: int | None, headings: Sequence[str]) -> str:
    """Where a passage is from: document, page, headings."""
    return " › ".join([name, *([t("place.page", page=page)] if page is not None else []), *headings])
