"""Whether an answer is right: SQuAD's normalisation, exact match and F1, and their Chinese counterparts.

English follows the evaluation script of SQuAD 1.1 (https://rajpurkar.github.io/SQuAD-explorer/). In Chinese,
text has no word boundaries: white space and punctuation go, and F1 counts characters.
"""

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_CJK = re.compile(r"[㐀-䶿一-鿿豈-﫿぀-ヿ가-힯]")


def is_cjk(text: str) -> bool:
    """Whether the text is written without word boundaries (it holds Chinese, Japanese or Korean)."""
    return _CJK.search(text) is not None


def normalise(text: str) -> str:
    """Lower case, no punctuation, no articles, single spaces; in Chinese, no white space at all."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = _THOUSANDS.sub("", text)
    text = "".join(
        c for c in text if c not in string.punctuation and not unicodedata.category(c).startswith("P")
    )
    if is_cjk(text):
        return "".join(text.split())
    return " ".join(_ARTICLES.sub(" ", text).split())


def contains(text: str, answer: str) -> bool:
    """Whether the normalised text holds the normalised answer as whole words (Chinese: as characters)."""
    said, wanted = normalise(text), normalise(answer)
    if not wanted:
        return not said
    if is_cjk(wanted):
        return wanted in "".join(said.split())
    if is_cjk(said):  # a Latin word or a number inside Chinese text has no spaces around it
        return re.search(rf"(?<![0-9a-z]){re.escape(wanted.replace(' ', ''))}(?![0-9a-z])", said) is not None
    return f" {wanted} " in f" {said} "


def is_correct(text: str, answers: Sequence[str]) -> bool:
    """Whether the text contains one of the answers after normalisation."""
    return any(contains(text, answer) for answer in answers)


def exact_match(text: str, answers: Sequence[str]) -> float:
    """1.0 when the normalised text equals one of the normalised answers, else 0.0."""
    return float(any(normalise(text) == normalise(answer) for answer in answers))


def f1(text: str, answers: Sequence[str]) -> float:
    """The best token F1 against any answer (character F1 where the answer is Chinese)."""
    return max((_f1(text, answer) for answer in answers), default=0.0)


def wilson_interval(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Wilson's score interval of a share of n answers (1927); z is the normal quantile of its level: 95 %."""
    if n == 0:
        return 0.0, 1.0
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _f1(text: str, answer: str) -> float:
    said, wanted = _units(text), _units(answer)
    if not said or not wanted:
        return float(said == wanted)
    shared = sum((Counter(said) & Counter(wanted)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def _units(text: str) -> list[str]:
    normal = normalise(text)
    return list(normal) if is_cjk(normal) else normal.split()
