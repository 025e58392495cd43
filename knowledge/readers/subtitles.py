"""Subtitles (.srt, .vtt) → lines of text, each with the time at which it is said."""

import html
import re
from collections.abc import Iterator

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line

_CUE = re.compile(
    r"^[ \t]*(?:(\d+):)?(\d{1,2}):(\d{2})[.,]\d{1,3}[ \t]*-->[ \t]*(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}[^\n]*$",
    re.MULTILINE,
)
_SPEAKER = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>\n]{1,200})>")
_MARKS = re.compile(r"</?[A-Za-z][^>\n]{0,200}>|<(?:\d+:)?\d+:[\d.]+>|\{\\[^}\n]{0,200}\}")
_NUMBER = re.compile(r"(?:\A|\n+)[ \t]*\d+[ \t]*\Z")  # of the next cue
_TITLE = re.compile(r"\AWEBVTT[ \t]+(?:-[ \t]*)?([^\n]+)")


def load_subtitles(text: str) -> ParsedFile:
    """One line a cue: "1:02:03 Ann: What is said". Raises DocumentError when there is no cue."""
    cues = list(_cues(text.lstrip("\ufeff")))
    if not cues:
        raise DocumentError("it is named as subtitles and holds no line with a time")
    title = _TITLE.match(text)
    lines = "\n".join(f"{time} {said}" for time, said in cues)
    return ParsedFile(title[1].strip() if title else "", (Block("table", lines),))


def _cues(text: str) -> Iterator[tuple[str, str]]:
    matches = list(_CUE.finditer(text))
    shown: list[str] = []  # in the cue before: captions that roll show every line twice
    for match, following in zip(matches, [*matches[1:], None], strict=False):
        inside = text[match.end() : following.start() if following else len(text)].strip("\n")
        if text.startswith("WEBVTT"):  # what stands behind an empty line is a remark, a style or a name
            inside = inside.split("\n\n", 1)[0]
        elif following:
            inside = _NUMBER.sub("", inside)
        lines = [_plain(line) for line in inside.split("\n")]
        fresh = [line for line in lines if line and line not in shown]
        shown = lines
        if fresh:
            hours = f"{int(match[1])}:" if match[1] and int(match[1]) else ""
            minutes = f"{int(match[2]):02d}" if hours else str(int(match[2]))
            yield f"{hours}{minutes}:{match[3]}", " ".join(fresh)


def _plain(line: str) -> str:
    return one_line(html.unescape(_MARKS.sub("", _SPEAKER.sub(r"\1: ", line))))
