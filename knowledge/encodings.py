"""Bytes → text in whatever encoding they are: marks first, then UTF-8, then the likeliest legacy encoding."""

import codecs
import re
from dataclasses import dataclass

from knowledge.errors import DocumentError

SAMPLE_BYTES = 64 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def decode(data: bytes, declared: str = "") -> str:
    """The text of the bytes, line ends as "\\n"; `declared` is what a header or tag says, believed if it fits.

    Raises DocumentError for what is not text at all.
    """
    encoding = detect(data, declared)
    text = data.decode(encoding, errors="replace")
    controls = len(_CONTROL.findall(text[:SAMPLE_BYTES]))
    if controls * 50 > min(len(text), SAMPLE_BYTES) and controls > 4:
        raise DocumentError("it is not text, nor any other kind of document that can be read here")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def detect(data: bytes, declared: str = "") -> str:
    """The name of the encoding, one that Python knows."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    sample = data[:SAMPLE_BYTES]
    if wide := _wide(sample):
        return wide
    if declared and _fits(sample, declared):
        return codecs.lookup(declared).name
    if _fits(data, "utf-8"):
        return "utf-8"
    if _nearly_utf8(data):
        return "utf-8"
    return _legacy(sample)


def _fits(data: bytes, encoding: str) -> bool:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        decoder.decode(data, final=False)  # a sample may end inside a character
    except (LookupError, UnicodeError, ValueError):
        return False
    return True


def _nearly_utf8(data: bytes) -> bool:
    """A broken byte here and there (a log, a truncated file) does not make another encoding of it."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    good = sum(character > "\x7f" for character in text[:SAMPLE_BYTES]) - broken
    return broken * 20 < good


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: one of the two bytes of a character is often the same (0 for Latin, 4E–9F for Han)."""
    if len(sample) < 4 or b"\x00" not in sample:
        return ""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > 4 * even and odd * 5 > len(sample) // 2:
        return "utf-16-le"
    if even > 4 * odd and even * 5 > len(sample) // 2:
        return "utf-16-be"
    return ""


@dataclass(frozen=True)
class _Legacy:
    encoding: str
    common: tuple[tuple[int, int], ...]  # lead bytes of what is usually written, as ranges
    trail: tuple[int, int]  # its second bytes begin here and end there
    typical: str  # the most frequent characters of the language


_LEGACY = (
    _Legacy(
        "gb18030",
        ((0xA1, 0xA3), (0xB0, 0xD7)),
        (0xA1, 0xFE),
        "的一是不了在人有我他这中大来上个国和也子时道出说",
    ),
    _Legacy(
        "big5", ((0xA1, 0xA3), (0xA4, 0xC6)), (0x40, 0xFE), "的一是不了在人有我他這中大來上個國和也子時道出說"
    ),
    _Legacy(
        "shift_jis",
        ((0x81, 0x83), (0x88, 0x97)),
        (0x40, 0xFC),
        "のにはをたがでてとしれさいるなもかりす。、ンスー",
    ),
    _Legacy(
        "euc_jp",
        ((0xA1, 0xA5), (0xB0, 0xCF)),
        (0xA1, 0xFE),
        "のにはをたがでてとしれさいるなもかりす。、ンスー",
    ),
    _Legacy(
        "euc_kr", ((0xA1, 0xA3), (0xB0, 0xC8)), (0xA1, 0xFE), "이다는에의가을을고하지한도기로리사서나인은들어"
    ),
)


def _legacy(sample: bytes) -> str:
    """The East Asian encoding whose common characters these bytes are; otherwise Western or Cyrillic."""
    best, best_score = "", 0.0
    for candidate in _LEGACY:
        score = _score(sample, candidate)
        if score > best_score:
            best, best_score = candidate.encoding, score
    if best_score > 0.75:
        return best
    return "cp1251" if _looks_cyrillic(sample) else "cp1252"


def _score(sample: bytes, candidate: _Legacy) -> float:
    """Which part of the two-byte characters is common in the language, plus how often the commonest occur."""
    if not _fits(sample, candidate.encoding):
        return 0.0
    decoder = codecs.getincrementaldecoder(candidate.encoding)()
    text = decoder.decode(sample)
    wide = [character for character in text if character > "\x7f"]
    if not wide:
        return 0.0
    common = sum(_is_common(character, candidate) for character in set(wide) for _ in range(1))
    weight = sum(character in candidate.typical for character in wide) / len(wide)
    return common / len(set(wide)) + weight


def _is_common(character: str, candidate: _Legacy) -> bool:
    encoded = character.encode(candidate.encoding)
    if len(encoded) != 2:
        return False
    lead, trail = encoded
    low, high = candidate.trail
    return any(first <= lead <= last for first, last in candidate.common) and low <= trail <= high


def _looks_cyrillic(sample: bytes) -> bool:
    high = [byte for byte in sample if byte > 0x7F]
    letters = sum(byte >= 0xC0 or byte in (0xA8, 0xB8) for byte in high)
    runs = len(re.findall(rb"[\xc0-\xff]{3,}", sample))
    return letters > 0.9 * len(high) and runs * 12 > len(high)
