"""What a Chinese question asks for: a price, a time, a number of days … and whether a sentence holds such a thing.

Rules over characters; it knows no documents.
"""

import re

_NUMBER = r"[\d一二三四五六七八九十百千万两半]"
_SPAN = r"(?:个?月|[年周天日])"
# What a question of a kind says -> what its answer has to hold; the first that fits counts.
_KINDS = tuple(
    (re.compile(asked), re.compile(held))
    for asked, held in (
        (r"多少[钱元]|[几多]块|价[格钱]|售价|费用|收费", r"元|¥|￥|免费|价"),
        (r"几点|几时", rf"{_NUMBER}\s*[点时:：]"),
        (rf"(?:几|多少){_SPAN}", rf"{_NUMBER}\s*{_SPAN}"),
        (r"多久|多长时间|间隔", rf"{_NUMBER}\s*(?:秒|分|个?小时|{_SPAN}|公里)"),
        (r"多重|重量|多少[公千毫]?[克斤]", rf"{_NUMBER}\s*(?:[公千毫]?克|[公市]?斤|吨)"),
        (r"叫什么|名字|名称", r"叫|名"),
        (r"什么时候|何时|哪[年天]", rf"{_NUMBER}\s*[年月日点天]"),
        (r"多少|几|多[高长宽远大]", _NUMBER),
    )
)


def holds_what_is_asked(question: str, sentence: str) -> bool:
    """Whether a question asks for a kind of thing that is told by its form, and the sentence holds one."""
    found = next((held for asked, held in _KINDS if asked.search(question)), None)
    return found is not None and bool(found.search(sentence))


def is_question(sentence: str) -> bool:
    """Whether a sentence asks, and so answers nothing."""
    return sentence.rstrip(" ”」』").endswith(("?", "？"))
