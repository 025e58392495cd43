"""Whether an answer is supported by the text it is said to come from: a check by words, for models and rules."""

import re
from collections.abc import Sequence

from assistant.language.text import has_chinese, normal

_WORD = re.compile(r"[A-Za-zÀ-ɏ]{4,}|\d[\d.,]*\d|\d")
_GROUNDED_SHARE = 0.6
SMALL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "what which who whom whose where when why how is are was were be been does do did can could may must"
        " should will would the a an of in on at for to from with by and or as it its that this these those"
        " many much long far often old tall high wide deep name called number there have has had within"
        " place time take kind type colour color",
    )
)


def is_grounded(answer: str, passages: Sequence[str]) -> bool:
    """Whether the passages hold the answer's numbers, and most of its longer words."""
    material = "\n".join(passages).casefold()
    if has_chinese(answer):
        pairs = [answer[place : place + 2] for place in range(len(answer) - 1)]
        pairs = [pair for pair in pairs if re.fullmatch(r"[\u3400-\u9fff]{2}", pair)]
        numbers = re.findall(r"\d[\d.]*", answer)
        shared = sum(pair in material for pair in pairs)
        return all(number in material for number in numbers) and shared >= _GROUNDED_SHARE * len(pairs)
    words = [word.casefold() for word in _WORD.findall(answer)]
    numbers = [word for word in words if word[0].isdigit()]
    if any(not re.search(rf"(?<!\d){re.escape(number)}(?!\d)", material) for number in numbers):
        return False
    return bool(words) and sum(word in material for word in words) >= _GROUNDED_SHARE * len(words)


def is_supported(question: str, answer: str, text: str, around: str = "") -> bool:
    """Whether the answer is a part of the text, and the question is about what the text is about.

    `around` (a title, headings) counts for the question only.
    """
    material = normal(f"{around} {text}")
    wanted, asked = normal(answer), normal(question)
    if not wanted or not asked or not _contains(normal(text), wanted) or _contains(asked, wanted):
        return False
    if has_chinese(question):
        pairs = [asked[place : place + 2] for place in range(len(asked) - 1)]
        return sum(pair in material for pair in pairs) >= 0.4 * len(pairs)
    words = [word for word in asked.split() if word not in SMALL_WORDS]
    known = sum(f" {word[:5]}" in f" {material}" for word in words)
    return bool(words) and known >= 0.75 * len(words)


def _contains(text: str, part: str) -> bool:
    return part in text if has_chinese(part) else f" {part} " in f" {text} "
