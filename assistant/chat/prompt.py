"""The last message of a prompt: quoted passages, the order of the preset, and the question.

It knows no model; how much is quoted is decided in `quoting`, what fits the context window in `context_window`.
"""

from collections.abc import Sequence

from assistant.chat.presets import Order
from assistant.language.text import has_chinese


def render_question(passages: Sequence[str], question: str, order: Order) -> str:
    """The text of the user message: the passages, the order, then the question.

    `passages` are best first; they carry numbers where the order speaks of them. They come before the order and the
    question, so that instructions inside them are not the last ones the model reads.
    """
    if not passages:
        return question
    quoted = [_quoted(passage) for passage in passages]
    if order.numbers_passages:
        quoted = [f"[{number}] {text}" for number, text in enumerate(quoted, 1)]
    chinese = has_chinese(question)
    context = ("\n\n" if order.numbers_passages else "\n").join(quoted)
    if chinese:
        return f"资料：\n{context}\n\n{order.text(chinese)}\n问题：{question}"
    return f"Context:\n{context}\n\n{order.text(chinese)}\nQuestion: {question}"


def _quoted(passage: str) -> str:
    """A passage without special tokens of chat templates, which would open a message of its own."""
    lines = [line.strip() for line in passage.replace("<|", "< |").splitlines()]
    return "\n".join(line for line in lines if line)
