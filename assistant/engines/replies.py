"""An answer, piece by piece, told apart into reasoning, text and calls of tools, as they stream.

The forms are those of `assistant.language.thinking` and of `shapes`. It neither asks a model nor calls a tool.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from assistant.engines.shapes import CLOSE, OPEN
from tuning.data.reasoning import TAGS

_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*')
_END = "}\n" + CLOSE
_BARE = '{"name":'  # how a call begins whose tags were left out
_FENCE = re.compile(r"\s*```(?:json)?\s*")  # in which some models write a call instead
_THOUGHTS = re.compile(rf"\s*<({'|'.join(TAGS)})>")


@dataclass(frozen=True)
class Part:
    """Some more of one kind."""

    kind: Literal[
        "thoughts", "text", "call", "arguments"
    ]  # a call is its name; its arguments follow, as JSON
    text: str
    call: int = 0  # the number of the call


class ReplyReader:
    """Takes an answer in pieces."""

    def __init__(self, *, thoughts: bool, tools: Collection[str] = ()) -> None:
        """Whether reasoning is told apart from text, and the names of the tools whose calls are."""
        self._thoughts, self._tools = thoughts, tools
        self._held = ""
        self._call = 0
        self._has_written = self._is_bare = False
        self._state = "begin" if thoughts else "text"
        self._close = ""  # what ends the thoughts

    def read(self, pieces: Iterable[str]) -> Iterator[Part]:
        """The parts of all pieces."""
        for piece in pieces:
            yield from self.push(piece)
        yield from self.flush()

    def push(self, piece: str) -> Iterator[Part]:
        """The parts that a piece completes; what may be the beginning of a mark is held back."""
        self._held += piece
        while (step := self._step()) is not None:
            yield from (part for part in step if part.text or part.kind == "call")

    def flush(self) -> Iterator[Part]:
        """What was held back, at the end of the answer."""
        if self._state == "arguments" and self._is_bare:
            self._held = self._held.rstrip().removesuffix("}")  # the call's own, which no mark follows
        if self._state == "text" and self._tools and not self._has_written:
            yield from self._fenced(is_whole=True) or []
        kind = {"thoughts": "thoughts", "begin": "text", "text": "text", "arguments": "arguments"}.get(
            self._state
        )
        if kind and self._held:
            yield Part(kind, self._held, self._call)  # type: ignore[arg-type]
        self._held = ""

    def _step(self) -> list[Part] | None:
        """The next parts; None where more must come first."""
        if not self._held:
            return None
        return {
            "begin": self._begin,
            "before thoughts": lambda: self._skip_blank("thoughts"),
            "thoughts": self._think,
            "before text": lambda: self._skip_blank("text"),
            "text": self._write,
            "head": self._name,
            "before arguments": lambda: self._skip_blank("arguments"),
            "arguments": self._argue,
        }[self._state]()

    def _begin(self) -> list[Part] | None:
        if opened := _THOUGHTS.match(self._held):
            self._state, self._close = "before thoughts", f"</{opened[1]}>"
            self._held = self._held[opened.end() :]
            return []
        begun = self._held.lstrip()
        if any(f"<{tag}>".startswith(begun) for tag in TAGS):
            return None
        self._state = "text"
        return []

    def _think(self) -> list[Part] | None:
        thoughts, closed = self._until(self._close)
        if not closed:
            return [Part("thoughts", thoughts)] if thoughts else None
        self._state = "before text"
        return [Part("thoughts", thoughts)]

    def _write(self) -> list[Part] | None:
        if not self._tools:
            text, self._held = self._held, ""
            return [Part("text", text)]
        if not self._has_written and _BARE.startswith(self._held[: len(_BARE)]):
            return self._go_bare()
        if not self._has_written and self._may_be_fenced():
            return self._fenced()
        text, opened = self._until(OPEN)
        self._has_written = True
        if not opened:
            return [Part("text", text)] if text else None
        self._state = "head"
        return [Part("text", text)]

    def _go_bare(self) -> list[Part] | None:
        """A call without its tags, if that is what has begun."""
        if len(self._held) < len(_BARE):
            return None
        self._state, self._is_bare = "head", True
        return []

    def _may_be_fenced(self) -> bool:
        begun = self._held.lstrip()
        if len(begun) < len("```"):
            return "```".startswith(begun)
        if not (opened := _FENCE.match(begun)):
            return False
        inner = "".join(begun[opened.end() :].split())
        return "json".startswith(inner) or _BARE.startswith(inner[: len(_BARE)])

    def _fenced(self, *, is_whole: bool = False) -> list[Part] | None:
        """A call in a fence; None while more must come, or where none can."""
        opened = _FENCE.match(self._held)
        inner, closed, after = self._held[opened.end() if opened else 0 :].partition("```")
        if not opened or not (closed or is_whole):
            return None
        call = _call_in(inner, self._tools)
        if call is None:
            self._has_written = True  # the block is text, as all that follows
            return None if is_whole else []
        self._held, self._call = after.lstrip(), self._call + 1
        name, arguments = call
        return [Part("call", name, self._call - 1), Part("arguments", arguments, self._call - 1)]

    def _name(self) -> list[Part] | None:
        if not (head := _HEAD.match(self._held)):
            return None
        self._state, self._held = "before arguments", self._held[head.end() :]
        return [Part("call", json.loads(head[1]), self._call)]

    def _skip_blank(self, following: str) -> list[Part] | None:
        """White space at the beginning of a part is none of it."""
        self._held = self._held.lstrip()
        if not self._held:
            return None
        self._state = following
        return []

    def _argue(self) -> list[Part] | None:
        arguments, ended = self._until(_END)
        if not ended:
            return [Part("arguments", arguments, self._call)] if arguments else None
        self._state, self._call = "before text", self._call + 1
        return [Part("arguments", arguments, self._call - 1)]

    def _until(self, mark: str) -> tuple[str, bool]:
        """What stands before a mark, and whether it was found; what may begin it stays held.

        So does white space, which is left out before a mark.
        """
        before, found, after = self._held.partition(mark)
        if found:
            self._held = after
            return before.rstrip(), True
        ready = before[: len(before) - overlap(before, mark)].rstrip()
        self._held = before[len(ready) :]
        return ready, False


def _call_in(text: str, tools: Collection[str]) -> tuple[str, str] | None:
    """The name and the arguments, as JSON, where a text is nothing but a call of one of the tools."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.keys() != {"name", "arguments"} or found["name"] not in tools:
        return None
    if not isinstance(found["arguments"], dict):
        return None
    return found["name"], json.dumps(found["arguments"], ensure_ascii=False)


def overlap(text: str, mark: str) -> int:
    """How many of the last letters of `text` could be the first of `mark`."""
    longest = min(len(text), len(mark) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(mark[:size])), 0)
