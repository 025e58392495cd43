"""Prompts: presets of a system prompt with worked examples, and how passages are put before a question.

It knows no model; what fits the window is decided in `memory.py`.
"""

from collections.abc import Sequence

from assistant.chat.excerpts import excerpts
from assistant.language.text import has_chinese

# How much of the retrieved passages is quoted. On the sample documents, four sentences of four passages hold
# the answer nearly as often as the two best passages whole, in a third of the tokens.
SENTENCES = 4


def render_question(passages: Sequence[str], question: str, *, sentences: int = SENTENCES) -> str:
    """The last message of a turn with retrieval: what the passages say on the question, then the question.

    Passages are given best first; of all together at most `sentences` sentences are quoted. They stand before
    the question and the order what to do with them, so that orders inside them are not the last word.
    """
    if not passages:
        return question
    quoted = [_quoted(excerpt) for excerpt in excerpts(question, passages, sentences)]
    context = "\n".join(quoted)
    if has_chinese(question):
        return f"资料：\n{context}\n\n请根据资料用简短的话回答问题。\n问题：{question}"
    order = "Answer the question with a short phrase from the context."
    return f"Context:\n{context}\n\n{order}\nQuestion: {question}"


def _quoted(passage: str) -> str:
    """A passage as text that cannot open a message of its own."""
    lines = [line.strip() for line in passage.replace("<|", "< |").splitlines()]
    return "\n".join(line for line in lines if line)
