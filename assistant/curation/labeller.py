"""Question–answer pairs about a text, written by a chat model, and checked by asking the model back.

Any LangChain chat model will do: the local one, a larger one, an OpenAI-compatible endpoint.
"""

import re
from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import HumanMessage

from assistant.chat.presets import SHORT
from assistant.chat.prompt import render_question
from assistant.curation.candidates import Labeller
from assistant.language.text import has_chinese
from tuning.scoring import normalise

_INSTRUCTION = (
    "Text:\n{text}\n\nWrite {max_pairs} questions that the text answers, each with its answer copied from the text"
    ' in at most eight words. Name what each question is about; do not write "it". Use this form:'
    "\nQ: question\nA: answer"
)
_CHINESE_INSTRUCTION = (
    "文本：\n{text}\n\n请根据文本写{max_pairs}个问题，"
    "每个问题附上从文本中摘录的简短答案。"
    "问题中要写明所问的对象。格式如下：\nQ: 问题\nA: 答案"
)
_REPHRASE = "Question: {question}\n\nWrite this question in other ways, one a line."
_REPHRASE_ZH = "问题：{question}\n\n请用其他说法写出这个问题，每行一个。"
MAX_PAIRS = 5
_PAIR = re.compile(
    r"^\W*(?:Q|Question|问题?)\s*\d*\s*[:：.]\s*(?P<q>.+?)\n+\W*(?:A|Answer|答案?)\s*\d*\s*[:：.]\s*(?P<a>.+?)\s*$",
    re.I | re.M,
)


def labelling_prompt(text: str, max_pairs: int = MAX_PAIRS) -> str:
    """What a model is asked for the question–answer pairs of a text."""
    instruction = _CHINESE_INSTRUCTION if has_chinese(text) else _INSTRUCTION
    return instruction.format(text=text, max_pairs=max_pairs)


def rephrasing_prompt(question: str) -> str:
    """What a model is asked for a question in other words."""
    return (_REPHRASE_ZH if has_chinese(question) else _REPHRASE).format(question=question)


def pairs_in(text: str) -> list[tuple[str, str]]:
    """The question–answer pairs in a model's reply; none where it kept to no form."""
    pairs = ((match["q"].strip(), match["a"].strip()) for match in _PAIR.finditer(text))
    return [(question, answer) for question, answer in pairs if question.endswith(("?", "？"))]


class RoundTrip:
    """Keeps what another labeller wrote where the model, asked the question about the text, gives that answer."""

    def __init__(self, labeller: Labeller, model: BaseChatModel) -> None:
        self._labeller, self._model = labeller, model

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs that came back."""
        pairs = list(self._labeller(text))
        asked: list[LanguageModelInput] = [
            [HumanMessage(render_question([text], question, SHORT))] for question, _ in pairs
        ]
        replies = self._model.batch(asked) if asked else []
        return [
            (question, answer)
            for (question, answer), reply in zip(pairs, replies, strict=True)
            if normalise(reply.text) == normalise(answer)
        ]


class ModelLabeller:
    """Asks a chat model for question–answer pairs about a text."""

    def __init__(self, model: BaseChatModel, *, max_pairs: int = MAX_PAIRS) -> None:
        self._model = model
        self._max_pairs = max_pairs

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs that the model wrote in the asked form; none where it kept to no form."""
        reply = self._model.invoke([HumanMessage(labelling_prompt(text, self._max_pairs))])
        return pairs_in(reply.text)[: self._max_pairs]
