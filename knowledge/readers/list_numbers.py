"""A number as a list writes it: 3, 03, c, iii, 三, 丙, ③."""

from collections.abc import Callable

_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)
_HAN, _HAN_LEGAL = "零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖"
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщэюя"
_AIUEO = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
_IROHA = "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセス"
_KOREAN = "가나다라마바사아자차카타파하"


def list_number(number: int, form: str) -> str:
    """The number in one of WordprocessingML's formats (ECMA-376 17.18.59); digits in those that are not known."""
    if number < 0 or number > 99_999:
        return str(number)
    return _FORMS.get(form, str)(number)


def _letters(alphabet: str) -> Callable[[int], str]:
    """a, b, … z, aa, bb: the letter is repeated in every further round."""

    def write(number: int) -> str:
        rounds, place = divmod(number - 1, len(alphabet))
        return alphabet[place] * (rounds + 1) if 0 <= rounds < 10 else str(number)

    return write


def _characters(first: str, count: int, least: int = 1) -> Callable[[int], str]:
    """Characters that follow one another in Unicode, as ① to ⑳ do."""
    return lambda number: chr(ord(first) + number - least) if least <= number < least + count else str(number)


def _roman(number: int) -> str:
    if not 0 < number < 5000:
        return str(number)
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _ordinal(number: int) -> str:
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _counting(digits: str, scales: str) -> Callable[[int], str]:
    """十二, 二十, 一百零五."""

    def write(number: int) -> str:
        if number == 0:
            return digits[0]
        text, skipped = "", False
        for place in range(len(str(number)) - 1, -1, -1):
            digit = number // 10**place % 10
            if not digit:
                skipped = bool(text)
                continue
            one = digit == 1 and place == 1 and not text and digits is _HAN
            text += (digits[0] if skipped else "") + ("" if one else digits[digit]) + scales[place].strip()
            skipped = False
        return text

    return write


def _digits(digits: str) -> Callable[[int], str]:
    return lambda number: "".join(digits[int(digit)] for digit in str(number))


_chinese = _counting(_HAN, " 十百千万")
_FORMS: dict[str, Callable[[int], str]] = {
    "none": lambda number: "",
    "decimalZero": lambda number: f"{number:02d}",
    "lowerLetter": _letters("abcdefghijklmnopqrstuvwxyz"),
    "upperLetter": _letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "ordinal": _ordinal,
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "taiwaneseCounting": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "koreanCounting": _chinese,
    "chineseLegalSimplified": _counting(_HAN_LEGAL, " 拾佰仟万"),
    "ideographDigital": _digits("〇一二三四五六七八九"),
    "taiwaneseDigital": _digits("○一二三四五六七八九"),
    "japaneseDigitalTenThousand": _digits("〇一二三四五六七八九"),
    "decimalFullWidth": _digits("０１２３４５６７８９"),
    "ideographTraditional": _letters(_STEMS),
    "ideographZodiac": _letters(_BRANCHES),
    "decimalEnclosedCircle": _characters("①", 20),
    "decimalEnclosedCircleChinese": _characters("①", 20),
    "decimalEnclosedParen": _characters("⑴", 20),
    "decimalEnclosedFullstop": _characters("⒈", 20),
    "ideographEnclosedCircle": _characters("㊀", 10),
    "russianLower": _letters(_RUSSIAN),
    "russianUpper": _letters(_RUSSIAN.upper()),
    "aiueoFullWidth": _letters(_AIUEO),
    "irohaFullWidth": _letters(_IROHA),
    "ganada": _letters(_KOREAN),
}
