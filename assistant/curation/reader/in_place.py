"""Chinese questions for answers in a message: its own words, with a question word where the answer stands.

"会费是每人八十块" asks "会费是多少？": Chinese asks in place. Which words of the message the question needs, and which
question word, a tuned encoder tells.
"""

from collections.abc import Sequence

import numpy as np

from assistant.curation.reader.answer_spans import IN_PLACE_HEADS, MAX_TOKENS, AnswerSpans, Span
from knowledge.search.low_rank import TokenStates

QUESTION_WORDS = (
    "什么", "谁", "哪里", "什么时候", "几点", "几号", "星期几", "哪天", "哪一年", "多少钱", "多少", "多久", "多大",
    "多长", "多高", "多远", "多重", "哪个", "哪些", "为什么", "怎么", "几",
)  # fmt: skip
_MARKS = ' \t\n，。,、；;：:！!?？“”"（）()'
_OPEN, _CLOSE = "【", "】"


def marked(text: str, start: int, end: int) -> str:
    """The text with the answer between brackets, as the encoder reads it."""
    return f"{text[:start]}{_OPEN}{text[start:end]}{_CLOSE}{text[end:]}"


def composed(text: str, start: int, end: int, kept: Sequence[bool], word: str) -> str:
    """The question of the characters that are kept (of the text without brackets) and a question word."""
    said = ["" if char in _MARKS or not keep else char for char, keep in zip(text, kept, strict=True)]
    return f"{''.join(said[:start])}{word}{''.join(said[end:])}？"


def in_answer(read: TokenStates, start: int, end: int) -> np.ndarray:
    """Which tokens of a marked text belong to the answer or its brackets, bool [tokens]."""
    first, last = read.characters.T
    return (first <= end + 1) & (last > start)


def question_in_place(spans: AnswerSpans, text: str, span: Span) -> tuple[str, float]:
    """A question, and how probable its question word is. Raises StoreError."""
    weight, bias, of_word, word_bias = (spans.encoder.besides(name) for name in IN_PLACE_HEADS)
    read = spans.encoder.tokens(marked(text, span.start, span.end), MAX_TOKENS)
    needed = (read.states @ weight.T + bias)[:, 0] > 0
    flags = np.zeros(len(text) + 2, dtype=bool)
    for first, last in read.characters[needed]:
        flags[first:last] = True
    own = np.delete(flags, [span.start, span.end + 1])
    logits = read.states[in_answer(read, span.start, span.end)].mean(axis=0) @ of_word.T + word_bias
    odds = np.exp(logits - logits.max())
    word = int(logits.argmax())
    asked = composed(text, span.start, span.end, own.tolist(), QUESTION_WORDS[word])
    return asked, float(odds[word] / odds.sum())
