"""Question–answer pairs about a text, written by a chat model. They are not checked here: the caller does that.

Any LangChain chat model will do: the local one, a larger one, an OpenAI-compatible endpoint.
"""

import re
from collections.abc import Sequence

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

from assistant.language.text import has_chinese

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
MAX_PAIRS = 5
_PAIR = re.compile(
    r"^\W*(?:Q|Question|问题?)\s*\d*\s*[:：.]\s*(?P<q>.+?)\n+\W*(?:A|Answer|答案?)\s*\d*\s*[:：.]\s*(?P<a>.+?)\s*$",
    re.I | re.M,
)


def labelling_prompt(text: str, max_pairs: int = MAX_PAIRS) -> str:
    """What a model is asked for the question–answer pairs of a text."""
    instruction = _CHINESE_INSTRUCTION if has_chinese(text) else _INSTRUCTION
    return instruction.format(text=text, max_pairs=max_pairs)


def pairs_in(text: str) -> list[tuple[str, str]]:
    """The question–answer pairs in a model's reply; none where it kept to no form."""
    pairs = ((match["q"].strip(), match["a"].strip()) for match in _PAIR.finditer(text))
    return [(question, answer) for question, answer in pairs if question.endswith(("?", "？"))]


class ModelLabeller:
    """Asks a chat model for question–answer pairs about a text."""

    def __init__(self, model: BaseChatModel, *, max_pairs: int = MAX_PAIRS) -> None:
        self._model = model
        self._max_pairs = max_pairs

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs that the model wrote in the asked form; none where it kept to no form."""
        reply = self._model.invoke([HumanMessage(labelling_prompt(text, self._max_pairs))])
        return pairs_in(reply.text)[: self._max_pairs]
