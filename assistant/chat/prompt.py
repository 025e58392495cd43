"""The last message of a prompt: retrieved passages and the question.

It knows no model; what fits the context window is decided in `context_window`.
"""

from collections.abc import Sequence

from assistant.chat.excerpts import excerpts
from assistant.language.text import has_chinese

# How much of the retrieved passages is quoted. On the sample documents, four sentences of four passages hold
# the answer nearly as often as the two best passages whole, in a third of the tokens.
SENTENCES = 4


def render_question(passages: Sequence[str], question: str, *, sentences: int = SENTENCES) -> str:
    """The text of the user message: excerpts of the passages, an instruction, then the question.

    `passages` are best first; of all together at most `sentences` sentences are quoted. They come before the
    instruction and the question, so that instructions inside them are not the last ones the model reads.
    """
    if not passages:
        return question
    quoted = [_quoted(excerpt) for excerpt in excerpts(question, passages, sentences)]
    context = "\n".join(quoted)
    if has_chinese(question):
        return f"资料：\n{context}\n\n请根据资料用简短的话回答问题。\n问题：{question}"
    instruction = "Answer the question with a short phrase from the context."
    return f"Context:\n{context}\n\n{instruction}\nQuestion: {question}"


def _quoted(passage: str) -> str:
    """A passage without special tokens of chat templates, which would open a message of its own."""
    lines = [line.strip() for line in passage.replace("<|", "< |").splitlines()]
    return "\n".join(line for line in lines if line)
