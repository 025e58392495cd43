"""Where the sentences of a text begin and end, in any language."""

import re

from knowledge.text.terms import terms

_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？；])[”’」』）]*|\n+")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence that contains at least one term."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in [*_SENTENCE_END.finditer(text), None]:
        end = match.end() if match else len(text)
        stripped = text[start:end].strip()
        if terms(stripped):
            first = start + text[start:end].index(stripped)
            spans.append((first, first + len(stripped)))
        start = end
    return spans


def context_sentence_spans(text: str, context: str) -> list[tuple[int, int]]:
    """The sentences of a passage as (start, end) in its `context`, which ends with its text."""
    shift = len(context) - len(text)
    return [(start + shift, end + shift) for start, end in sentence_spans(text)]
