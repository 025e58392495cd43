"""The numbers a text states, however they are written: 7, 5,200, forty, 二十五, 兩百, 3.5萬, ٢٠٠, 壹仟.

Values, so that two can be compared.

Words that are numbers only sometimes are left out: "one" and 一 alone, 千万 ("by all means").
"""

import math
import re
from dataclasses import dataclass

_UNITS = {
    word: value
    for value, word in enumerate(
        re.findall(
            r"\w+",
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
            " seventeen eighteen nineteen",
        )
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety"), 2
    )
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_ALONE_NO_NUMBER = {"one", "zero"}
_WORD = "|".join(sorted([*_UNITS, *_TENS, *_SCALES], key=len, reverse=True))
_ENGLISH = re.compile(rf"\b(?:{_WORD})(?:(?:[\s-]+(?:and\s+)?)(?:{_WORD}))*\b", re.IGNORECASE)
_DIGITS = re.compile(r"\d+(?:[,٬]\d{3})+(?:[.．٫]\d+)?|\d+(?:[.,．٫]\d+)?")
_MARKS = str.maketrans(
    {"．": ".", "٫": ".", "٬": ","}
)  # of other scripts, with the digits of which Python reckons
_HAN = {character: value for value, character in enumerate("零一二三四五六七八九")}
_HAN |= {
    "〇": 0,
    "○": 0,
    "两": 2,
    "兩": 2,
    "廿": 20,
    "卅": 30,
}  # the last two are written out before they count
_HAN |= {character: value % 10 for value, character in enumerate("零壹贰叁肆伍陆柒捌玖零壹貳參肆伍陸柒捌玖")}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8, "萬": 10**4, "億": 10**8}
_HAN_SCALES |= {"拾": 10, "佰": 100, "仟": 1000}
_KOREAN_SCALES = {"만": 10**4, "억": 10**8}
_SCALE_BEHIND = re.compile(
    rf"(?:[百千万亿萬億만억]+|\s?(?:{'|'.join(_SCALES)}|lakh|crore)s?\b|(?:k|bn)\b)", re.IGNORECASE
)
_OTHER_SCALES = {"lakh": 10**5, "crore": 10**7, "k": 1000, "bn": 10**9}
_CHINESE = re.compile(f"[{''.join([*_HAN, *_HAN_SCALES])}廿卅]+")
# After these a single character counts something; elsewhere it is part of a word (三明治, 十分).
_COUNTED = re.compile(
    r"\s*(?:個|點|層|樓|號|歲|條|種|項|塊|張|隻|屆|級|小時|分鐘|週|元|年|月|日|号|点|个|层|楼|本|人|名|位|米|公里|公斤|克|升|分钟|秒|小时|天|周|次|岁|度|倍|章|台|条|种|项|块|张|只|份|届|级|期)"
)
_IDIOMS = {"千万", "万一", "一一", "一二", "千萬", "萬一"}


@dataclass(frozen=True)
class StatedNumber:
    """A number that a text states, and where."""

    value: float
    start: int
    end: int


def numbers(text: str) -> set[float]:
    """Every value that the text states."""
    return {stated.value for stated in numbers_in(text)}


def numbers_in(text: str) -> list[StatedNumber]:
    """Every number of the text, and where it stands."""
    found = [_in_digits(text, match) for match in _DIGITS.finditer(text)]
    taken = {stated.end - 1 for stated in found}  # also the scale of a number in digits: 3 million
    for match in _ENGLISH.finditer(text):
        if match.end() - 1 in taken:
            continue
        if (words := match.group().casefold()) not in _ALONE_NO_NUMBER:
            found.append(StatedNumber(_english(re.findall(_WORD, words)), *match.span()))
    for match in _CHINESE.finditer(text):
        run = match.group()
        if match.end() - 1 in taken:
            continue
        counted = run != "一" and _COUNTED.match(text, match.end())
        if run not in _IDIOMS and (len(run) > 1 or counted):
            found.append(StatedNumber(_chinese(run), *match.span()))
    return found


def _in_digits(text: str, match: re.Match[str]) -> StatedNumber:
    """A number in digits with the scale behind it, if any: 3.5萬, 3 million, 12k."""
    value = _value(match.group().translate(_MARKS))
    scale = _SCALE_BEHIND.match(text, match.end())
    if scale is None:
        return StatedNumber(value, *match.span())
    return StatedNumber(value * _scale(scale.group()), match.start(), scale.end())


def _scale(written: str) -> float:
    word = written.strip().casefold()
    if word[0] in _HAN_SCALES or word[0] in _KOREAN_SCALES:
        return math.prod((_HAN_SCALES | _KOREAN_SCALES)[character] for character in word)
    return (_SCALES | _OTHER_SCALES).get(word) or (_SCALES | _OTHER_SCALES)[word.removesuffix("s")]


def _value(digits: str) -> float:
    """5,200 and 1,8 and 1.8."""
    if re.fullmatch(r"\d+(?:,\d{3})+(?:\.\d+)?", digits):
        return float(digits.replace(",", ""))
    return float(digits.replace(",", "."))


def _english(words: list[str]) -> float:
    """The value of "two hundred and five"."""
    total, current = 0, 0
    for word in words:
        if word == "hundred":
            current = max(1, current) * 100
        elif word in _SCALES:
            total, current = total + max(1, current) * _SCALES[word], 0
        else:
            current += _UNITS.get(word, _TENS.get(word, 0))
    return float(total + current)


def _chinese(run: str) -> float:
    """二十五, 三千零六, 一九八二."""
    run = run.replace("廿", "二十").replace("卅", "三十")
    if not any(character in _HAN_SCALES for character in run):
        return float("".join(str(_HAN[character]) for character in run))
    total, section, digit = 0, 0, 0
    for character in run:
        if character in _HAN:
            digit = _HAN[character]
        elif _HAN_SCALES[character] < 10**4:
            section, digit = section + max(1, digit) * _HAN_SCALES[character], 0
        else:
            total, section, digit = (total + section + digit) * _HAN_SCALES[character], 0, 0
    return float(total + section + digit)
