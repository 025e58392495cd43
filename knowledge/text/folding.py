"""One way of writing for what is written in several: simplified for traditional characters, hiragana for katakana,
letters without accents, full-width and half-width forms, ligatures. For comparing only, never for showing."""

import unicodedata
from functools import lru_cache

import opencc

# Letters with marks: Latin and Greek. In other scripts marks are letters of their own (й, が, ा).
_MARKED = ((0x00C0, 0x0250), (0x0370, 0x0400), (0x1E00, 0x2000))
_HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0x20000, 0x2A6E0))
_KATAKANA, _TO_HIRAGANA = (0x30A1, 0x30F7), -0x60
_LETTERS = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ı": "i",
    "œ": "oe",
    "æ": "ae",
    "ё": "е",
    "ς": "σ",
    "ヽ": "ゝ",
    "ヾ": "ゞ",
}


def folded(text: str) -> str:
    """The text in lower case and in one way of writing."""
    text = text.casefold()
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).casefold().translate(_table())


def folded_places(text: str) -> str:
    """The characters of scripts without spaces in one way of writing, each at its place."""
    return text if text.isascii() else text.translate(_characters())


@lru_cache(maxsize=1)
def _table() -> dict[int, str]:
    letters = {code: _bare(chr(code)) for first, last in _MARKED for code in range(first, last)}
    own = {ord(letter): plain for letter, plain in _LETTERS.items()}
    return {code: plain for code, plain in letters.items() if plain != chr(code)} | _characters() | own


@lru_cache(maxsize=1)
def _characters() -> dict[int, str]:
    """Traditional → simplified, by character and without regard to words, so that every text is folded alike."""
    han = [chr(code) for first, last in _HAN for code in range(first, last)]
    simplified = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    kana = {code: chr(code + _TO_HIRAGANA) for code in range(*_KATAKANA)}
    return {ord(a): b for a, b in zip(han, simplified, strict=True) if a != b and len(b) == 1} | kana


def _bare(letter: str) -> str:
    marks_last = unicodedata.normalize("NFD", letter)
    return "".join(part for part in marks_last if not unicodedata.combining(part)) or letter
