"""A number under a spreadsheet's format code → what a person sees: 00417, 1,250.50 kr, 12%, (3), 25:30, 1 1/2.

The subset of ECMA-376 18.8.31 that changes the text. Colours, alignment and conditions are read over.
"""

import datetime
import operator
import re
from collections.abc import Callable
from fractions import Fraction

_SECTION = re.compile(r'((?:"[^"]*"|[\\!].|\[[^\]]*\]|[^;"\\!\[])*);')
_TOKEN = re.compile(
    r'"([^"]*)"|[\\!](.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.|([0#?.,]+)|(E[+-]|[^"\\])', re.I
)
_FRACTION = re.compile(r"([#?0]+ )?\s*([#?0]+)/([#?0\d]+)")
_LIMIT = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    **{"<": operator.lt, "<=": operator.le, ">": operator.gt},
    **{">=": operator.ge, "=": operator.eq, "<>": operator.ne},
}
_GENERAL = re.compile(r"general|@", re.I)


def number_text(value: float, code: str) -> str:
    """The number as the format shows it; in full where the format would hide it."""
    sections = _SECTION.findall(code + ";")[:3] or [code]
    section, shown = _section(sections, value)
    if not section.strip() or _GENERAL.search(re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", section)):
        return _around_general(section, shown)
    return _formatted(section, shown).strip() or general(value)


def general(value: float) -> str:
    """A number without a format: whole ones without a point, others with the digits that were entered."""
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.11g}"


def time_text(value: datetime.time | datetime.timedelta, code: str = "") -> str:
    """A time of the day or a duration: 0:30, 25:30, 1:02:03. Minutes count on where the format counts them."""
    if isinstance(value, datetime.time):
        seconds = value.hour * 3600 + value.minute * 60 + value.second
    else:
        seconds = round(value.total_seconds())
    sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    if "[s" in code.lower():
        return f"{sign}{seconds}"
    if "[m" in code.lower():
        return f"{sign}{seconds // 60}" + (f":{rest:02d}" if "s" in code.lower() or rest else "")
    return f"{sign}{hours}:{minutes:02d}" + (f":{rest:02d}" if rest or "s" in code.lower() else "")


def date_text(value: datetime.datetime | datetime.date, code: str) -> str:
    """A date in ISO form, with as much of it as the format shows."""
    letters = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code.lower())
    if isinstance(value, datetime.datetime):
        if letters and not re.search("[yd]|mmm", letters) and re.search("[hs]", letters):
            return time_text(value.time(), letters)
        if value.time() != datetime.time(0):
            return value.isoformat(sep=" ", timespec="seconds" if value.second else "minutes")
        value = value.date()
    if "y" in letters and "d" not in letters:
        return value.strftime("%Y-%m" if "m" in letters else "%Y")
    return value.isoformat()


def _section(sections: list[str], value: float) -> tuple[str, float]:
    """The part of the code for this sign; a part of its own for negative numbers says the sign itself."""
    limits = [_LIMIT.search(section) for section in sections]
    if any(limits):
        fitting = (part for part, limit in zip(sections, limits, strict=True) if _holds(limit, value))
        return next(fitting, sections[-1]), value
    if value < 0 and len(sections) > 1:
        return sections[1], -value
    if value == 0 and len(sections) > 2:
        return sections[2], value
    return sections[0], value


def _holds(limit: re.Match[str] | None, value: float) -> bool:
    """Whether a number is within the limit that a part of the code states, or none is stated."""
    return limit is None or _COMPARED[limit[1]](value, float(limit[2]))


def _around_general(section: str, value: float) -> str:
    text = "".join(quoted or escaped or currency for quoted, escaped, currency, *_ in _TOKEN.findall(section))
    number = general(value)
    return f"{number} {text.strip()}".strip() if text.strip() else number


def _formatted(section: str, value: float) -> str:
    """Literal text stays, digits take the number; it is rounded once, for all of its digits."""
    tokens = list(_TOKEN.finditer(section))
    bare = "".join(token[4] or token[5] or " " for token in tokens)
    if fraction := _FRACTION.search(bare):
        return _fraction(value, fraction)
    exponent = next((place for place, token in enumerate(tokens) if (token[5] or "")[1:] in ("+", "-")), None)
    groups = [token[4] for token in tokens[:exponent] if token[4]]
    if not groups:
        return "".join(token[1] or token[2] or token[3] or token[5] or "" for token in tokens)
    percents = sum(token[5] == "%" for token in tokens)
    commas = len(groups[-1]) - len(groups[-1].rstrip(","))
    scaled = value * 100**percents / 1000**commas
    if exponent is not None:
        numbers = iter([f"{scaled:.{len(''.join(groups).partition('.')[2])}E}"])
    elif len(groups) > 1 and "." not in "".join(groups):
        numbers = iter(_grouped(scaled, groups))
    else:
        numbers = iter([_digits(scaled, "".join(groups).rstrip(","))])
    return "".join(
        next(numbers, "") if token[4] else token[1] or token[2] or token[3] or _literal(token[5])
        for token in tokens
    )


def _literal(character: str | None) -> str:
    return "" if not character or character[1:] else character  # an exponent is written with its number


def _grouped(value: float, groups: list[str]) -> list[str]:
    """The digits of a number that is written in parts, as those of a telephone are: 000-0000."""
    digits = f"{abs(value):.0f}".zfill(sum(group.count("0") for group in groups))
    parts = []
    for group in reversed(groups[1:]):
        width = len(group.rstrip(","))
        parts.append(digits[-width:])
        digits = digits[:-width]
    return [("-" if value < 0 else "") + digits, *reversed(parts)]


def _digits(value: float, pattern: str) -> str:
    if not value and not pattern.strip("?"):
        return ""  # only a space is kept for the digit
    whole, _, decimals = pattern.partition(".")
    places = len(decimals.replace(",", ""))
    least = decimals.count("0")
    text = f"{abs(value):.{min(places, 30)}f}"
    ahead, _, behind = text.partition(".")
    behind = behind[:least] + behind[least:].rstrip("0")
    ahead = ahead.zfill(whole.count("0"))
    if "," in whole:
        ahead = re.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", ahead)
    sign = "-" if value < 0 and float(text) else ""
    return sign + ahead + (f".{behind}" if behind else "")


def _fraction(value: float, pattern: re.Match[str]) -> str:
    denominator = pattern[3]
    if denominator.isdigit() and int(denominator):
        nearest = Fraction(round(abs(value) * int(denominator)), int(denominator))
    else:
        nearest = Fraction(abs(value)).limit_denominator(10 ** min(len(denominator), 4) - 1)
    whole, rest = divmod(nearest, 1) if pattern[1] else (0, nearest)
    parts = [str(whole)] if whole or not rest else []
    if rest:
        parts.append(f"{rest.numerator}/{rest.denominator}")
    return ("-" if value < 0 else "") + " ".join(parts)
