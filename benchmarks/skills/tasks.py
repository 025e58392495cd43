"""One exercise of a skill, as the prompt that Imprint sends and the answer that is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.chat.presets import SHORT
from assistant.chat.prompt import render_question
from assistant.language.text import has_chinese
from tuning.data.examples import Message

Skill = Literal["read", "refuse", "choose", "ask", "rephrase"]
REFUSAL = "I cannot find that in the documents."
REFUSAL_ZH = "资料中没有找到答案。"
_REPHRASE = "Question: {question}\n\nWrite this question in other ways, one a line."
_REPHRASE_ZH = "问题：{question}\n\n请用其他说法写出这个问题，每行一个。"
NOTHING, NOTHING_ZH = "None.", "没有。"


@dataclass(frozen=True)
class Task:
    """A prompt and its answer."""

    skill: Skill
    prompt: str
    answer: str
    answers: tuple[str, ...] = ()  # every form that counts, where it is evaluated

    @property
    def messages(self) -> list[Message]:
        """As a conversation to learn."""
        return [{"role": "user", "content": self.prompt}, {"role": "assistant", "content": self.answer}]


def read(passages: Sequence[str], question: str, answers: Sequence[str]) -> Task:
    """A question that the passages answer; the first of `answers` is learned."""
    mark = "" if answers[0].endswith((".", "。", "!", "?")) else "。" if has_chinese(question) else "."
    return Task("read", render_question(passages, question, SHORT), answers[0] + mark, tuple(answers))


def refuse(passages: Sequence[str], question: str) -> Task:
    """A question that the passages do not answer."""
    refusal = REFUSAL_ZH if has_chinese(question) else REFUSAL
    return Task("refuse", render_question(passages, question, SHORT), refusal)


def choose(passages: Sequence[str], question: str, known: str) -> Task:
    """A question that the passages do not help with, and that the model knows the answer to."""
    return Task("choose", render_question(passages, question, SHORT), known, (known,))


def rephrasing_prompt(question: str) -> str:
    """What a model is asked for a question in other words."""
    return (_REPHRASE_ZH if has_chinese(question) else _REPHRASE).format(question=question)
