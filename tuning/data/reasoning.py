"""The parts of a stored answer that are no answer: a model's reasoning, and what a chat program folded away."""

import re

TAGS = ("think", "thinking", "reasoning", "thought")
_OPENED = re.compile(rf"<({'|'.join(TAGS)})>|<\|begin_of_thought\|>", re.IGNORECASE)
_CLOSED = re.compile(rf"</(?:{'|'.join(TAGS)})>|<\|end_of_thought\|>", re.IGNORECASE)
_SOLUTION = re.compile(r"<\|(?:begin|end)_of_solution\|>", re.IGNORECASE)
_FOLDED = re.compile(
    r"<details\b[^<>]{0,500}\btype=[\"']?(?:reasoning|tool_calls|code_interpreter)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_FOLDED_FIRST = re.compile(r"\s*<details\b[^<>]{0,500}>", re.IGNORECASE)
_UNFOLDED = re.compile(r"</details\s*>", re.IGNORECASE)


def without_reasoning(text: str) -> str:
    """The answer without its reasoning; empty where the reasoning never ended.

    Some templates open the reasoning in the prompt, so that an answer begins in its middle.
    """
    closed = _CLOSED.search(text)
    opened = _OPENED.search(text)
    if closed and (opened is None or closed.start() < opened.start()):
        text = text[closed.end() :]
    text = _SOLUTION.sub("", _cut(text, _OPENED, _CLOSED, is_open_ended=True))
    text = _cut(text, _FOLDED, _UNFOLDED)
    if first := _FOLDED_FIRST.match(text):
        end = _UNFOLDED.search(text, first.end())
        text = text[end.end() :] if end and text[end.end() :].strip() else text
    return text.strip()


def _cut(text: str, opening: re.Pattern[str], closing: re.Pattern[str], is_open_ended: bool = False) -> str:
    """The text without what stands between the two; one pass, however many open."""
    kept, at = [], 0
    while found := opening.search(text, at):
        end = closing.search(text, found.end())
        if end is None and not is_open_ended:
            break
        kept.append(text[at : found.start()])
        at = end.end() if end else len(text)
    return "".join([*kept, text[at:]])
