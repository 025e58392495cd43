"""The reasoning that some models write before their answer, between <think> and </think>, told apart as it streams.

Reasoning in chats that are imported is left out by `tuning.data.reasoning`.
"""

import re
from dataclasses import dataclass

from tuning.data.reasoning import TAGS

_OPEN = re.compile(rf"<({'|'.join(TAGS)})>")
# Some templates open the reasoning themselves, so that only its end is written: on a line of its own.
_CLOSE_ALONE = re.compile(r"(?:^|\n)[ \t]*</think>")

_LEFT_OPEN = re.compile(rf"<({'|'.join(TAGS)})>\s*\Z")


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
    if opened := _OPEN.match(begun):
        close = f"</{opened[1]}>"
        thoughts, closed, answer = begun[opened.end() :].partition(close)
        if not closed:
            return Reply(_without_part(thoughts, close).strip())
        return Reply(thoughts.strip(), answer.lstrip())
    if begun and any(f"<{tag}>".startswith(begun) for tag in TAGS):
        return Reply()
    if closing := _CLOSE_ALONE.search(text):
        return Reply(text[: closing.start()].strip(), text[closing.end() :].lstrip())
    return Reply(answer=_without_part(text, "</think>"))


def answer_of(text: str) -> str:
    """A whole reply without its reasoning."""
    return split_thoughts(text).answer if "<" in text else text


def left_open(prompt: str) -> str:
    """The tag of the reasoning that a prompt has begun for the model, or nothing."""
    found = _LEFT_OPEN.search(prompt)
    return found[1] if found else ""


def _without_part(text: str, tag: str) -> str:
    """The text without the beginning of a tag at its end."""
    longest = min(len(text), len(tag) - 1)
    part = next((size for size in range(longest, 0, -1) if text.endswith(tag[:size])), 0)
    return text[: len(text) - part]
