"""The reasoning that some models write before their answer, between <think> and </think>, told apart as it streams."""

import re
from dataclasses import dataclass

_OPEN, _CLOSE = "<think>", "</think>"
# Some templates open the reasoning themselves, so that only its end is written: on a line of its own.
_CLOSE_ALONE = re.compile(r"(?:^|\n)[ \t]*</think>")


@dataclass(frozen=True)
class Reply:
    """A reply of a model: what it thought, and what it answered."""

    thoughts: str = ""
    answer: str = ""


def split_thoughts(text: str) -> Reply:
    """Tell reasoning and answer apart in a reply, whole or as far as it is written.

    What may be the beginning of a tag is held back until that is known. A tag in the middle of an answer is text.
    """
    begun = text.lstrip()
    if begun.startswith(_OPEN):
        thoughts, closed, answer = begun[len(_OPEN) :].partition(_CLOSE)
        if not closed:
            return Reply(_without_part(thoughts, _CLOSE).strip())
        return Reply(thoughts.strip(), answer.lstrip())
    if begun and _OPEN.startswith(begun):
        return Reply()
    if closing := _CLOSE_ALONE.search(text):
        return Reply(text[: closing.start()].strip(), text[closing.end() :].lstrip())
    return Reply(answer=_without_part(text, _CLOSE))


def answer_of(text: str) -> str:
    """A whole reply without its reasoning."""
    return split_thoughts(text).answer if "think>" in text else text


def _without_part(text: str, tag: str) -> str:
    """The text without the beginning of a tag at its end."""
    longest = min(len(text), len(tag) - 1)
    part = next((size for size in range(longest, 0, -1) if text.endswith(tag[:size])), 0)
    return text[: len(text) - part]
