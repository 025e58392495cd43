"""Whether a text that is being written has begun to repeat itself, or what the model was told. By characters alone."""

import re
from collections.abc import Sequence

from assistant.language.text import has_chinese, sentences

_LONGEST_UNIT = 300
_SHORT = 20  # characters: shorter units are repeated in ordinary text, too, if not so often
_COPIES, _COPIES_OF_SHORT = 3, 8
_LEAST = 60  # characters that the copies have together
_SAID_AGAIN = 4  # times that one sentence is said, wherever
_SENTENCE = {False: 25, True: 10}  # letters of a sentence that counts, in English and in Chinese
_ECHO = 20  # characters of an order that nobody writes by chance
_WANTED = re.compile(r"\brepeat|\b\d+ times\b|\bagain and again\b|重复|\d+\s*[遍次]", re.IGNORECASE)


def repetition_at(text: str, told: Sequence[str] = ()) -> int | None:
    """How much of the text to keep where it repeats itself, or one of the texts that the model was told; else None."""
    for place in (_loop(text), _said_again(text), _echo(text, told)):
        if place is not None:
            return place
    return None


def wants_repetition(question: str) -> bool:
    """Whether a question asks for something to be repeated, so that repeating it is an answer."""
    return bool(_WANTED.search(question))


def _loop(text: str) -> int | None:
    """The end of the first copy of a unit that is repeated at the end of the text."""
    for size in range(1, min(_LONGEST_UNIT, len(text) // _COPIES) + 1):
        unit = text[-size:]
        if text[-2 * size : -size] != unit or not any(map(str.isalnum, unit)):
            continue
        copies = 2
        while text[-(copies + 1) * size : -copies * size] == unit:
            copies += 1
        needed = _COPIES if size >= _SHORT else _COPIES_OF_SHORT
        if copies >= needed and copies * size >= _LEAST:
            return len(text) - (copies - 1) * size
    return None


def _said_again(text: str) -> int | None:
    """The end of the first of the sentences between which one sentence was said too often."""
    if not text.endswith(("\n", ".", "。", "!", "！", "?", "？")):
        return None
    said = [one.strip(" -*•0123456789.)") for one in sentences(text)]
    if not said or len(said[-1]) < _SENTENCE[has_chinese(said[-1])] or said.count(said[-1]) < _SAID_AGAIN:
        return None
    first = text.index(said[-1])
    return text.index(said[-1], first + 1)


def _echo(text: str, told: Sequence[str]) -> int | None:
    """Where a text that the model was told begins in what it writes."""
    places = [text.find(one) for one in told if len(one) >= _ECHO]
    return min((place for place in places if place >= 0), default=None)
