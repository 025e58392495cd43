"""The unit of time that a question asks for: "four weeks" answers no "how many days" where a passage counts days."""

import re
from collections.abc import Iterable

from knowledge.grounding.numbers import numbers_in

_ENGLISH = "second|minute|hour|day|night|week|month|year"
_CHINESE = {
    "秒": "second",
    "分钟": "minute",
    "小时": "hour",
    "天": "day",
    "日": "day",
    "周": "week",
    "星期": "week",
}
_CHINESE |= {"个星期": "week", "个小时": "hour", "个月": "month", "年": "year"}
_HAN = "|".join(sorted(_CHINESE, key=len, reverse=True))
_ASKED = re.compile(rf"\bhow many (?:\w+ )?({_ENGLISH})s\b|(?:多少|几)({_HAN})", re.IGNORECASE)
_COUNTED = re.compile(rf"[\s-]*(?:({_ENGLISH})s?\b|({_HAN}))", re.IGNORECASE)


def counts_otherwise(sentence: str, question: str, passages: Iterable[str]) -> bool:
    """Whether a sentence counts in other units of time than the question asks for, and some passage in that one."""
    asked = _ASKED.search(question)
    if asked is None:
        return False
    wanted, said = _name(asked), _counted(sentence)
    return bool(said) and wanted not in said and any(wanted in _counted(passage) for passage in passages)


def _counted(text: str) -> set[str]:
    """The units that stand behind numbers."""
    found = (_COUNTED.match(text, stated.end) for stated in numbers_in(text))
    return {_name(one) for one in found if one}


def _name(found: re.Match[str]) -> str:
    return found[1].lower() if found[1] else _CHINESE[found[2]]
