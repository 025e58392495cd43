"""ChatML, the text that many models are prompted with: `<|im_start|>role` … `<|im_end|>`. No other template."""

import re
from collections.abc import Iterator

from tuning.data.imported import ImportedConversation, Record, read_messages, string_of
from tuning.errors import ExampleError

START, END = "<|im_start|>", "<|im_end|>"
_TURN = re.compile(r"<\|im_start\|>[ \t]*([^\n]*)\n(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL)
_APART = re.compile(r"<\|endoftext\|>|\n[ \t]*\n")  # between two turns: the next one begins another chat
_BLANK = re.compile(r"[\s\ufeff]*")


def looks_like_chatml(text: str) -> bool:
    """Whether a file is ChatML and nothing else."""
    return text.startswith(START, _BLANK.match(text).end())  # type: ignore[union-attr]


def chatml_records(text: str) -> Iterator[tuple[int, Record]]:
    """The chats of a file, each with the line it begins on: a system turn, or a blank line, begins the next one."""
    begin = end = counted = 0
    line = 1
    has_turns = False
    for turn in _TURN.finditer(text):
        is_next = turn[1].strip().casefold() == "system" or _APART.search(text, end, turn.start())
        if has_turns and is_next:
            yield line, {"text": text[begin:end]}
            begin = turn.start()
        elif not has_turns:
            begin = turn.start()
        if begin > counted:
            line, counted = line + text.count("\n", counted, begin), begin
        end, has_turns = turn.end(), True
    if has_turns:
        yield line, {"text": text[begin:]}


def is_chatml(record: Record) -> bool:
    """Whether a record's text is a chat in ChatML."""
    return string_of(record.get("text")).lstrip().startswith(START)


def read_chatml(record: Record) -> ImportedConversation | None:
    """One chat. Raises ExampleError for a turn of nobody known."""
    turns = [
        {"role": turn[1].strip(), "content": turn[2].strip("\n")} for turn in _TURN.finditer(record["text"])
    ]
    if turns and turns[-1]["role"] == "assistant" and not turns[-1]["content"].strip():
        turns.pop()  # the prompt for an answer that is not there
    if not turns:
        raise ExampleError(f"no turn of ChatML is in it: {START}role, the text on the next line, {END}.")
    return read_messages({"messages": turns})
