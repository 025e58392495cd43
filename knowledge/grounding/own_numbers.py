"""The numbers of passages that an answer names itself, as in "It weighs 640 grams [1]."

They are taken out of its text: they are no numbers that it states, and a page shows its own marks in their place.
"""

import re
from dataclasses import dataclass

_NUMBERS = re.compile(r"[ \t]*[\[【]\s*(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*[\]】]")


@dataclass(frozen=True)
class NumberedAnswer:
    """An answer without the numbers it names, and where they stood: (place in the text, numbers)."""

    text: str
    named: tuple[tuple[int, tuple[int, ...]], ...] = ()

    def numbers_of(self, start: int, end: int) -> tuple[int, ...]:
        """What the sentence `text[start:end]` names, within it or right after it."""
        return tuple(
            dict.fromkeys(
                number for place, numbers in self.named if start < place <= end for number in numbers
            )
        )


def without_numbers(answer: str, passages: int) -> NumberedAnswer:
    """Read an answer to a prompt with so many numbered passages; other numbers in brackets stay in its text."""
    text, position = "", 0
    named: list[tuple[int, tuple[int, ...]]] = []
    for match in _NUMBERS.finditer(answer):
        numbers = tuple(int(one) for one in re.findall(r"\d+", match[1]))
        if not all(1 <= number <= passages for number in numbers):
            continue
        text += answer[position : match.start()]
        # At the beginning of a line a number belongs to the sentence that follows, elsewhere to the one before.
        leads = not text or text.endswith("\n")
        named.append((len(text) + 1 if leads else len(text.rstrip()), numbers))
        position = match.end() + (answer[match.end() : match.end() + 1] == " " and leads)
    return NumberedAnswer(text + answer[position:], tuple(named))
