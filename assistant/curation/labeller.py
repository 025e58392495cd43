"""Question–answer pairs about a text, written by a chat model and asked back: what it answers otherwise is dropped.

Any LangChain chat model will do: the local one, a larger one, an OpenAI-compatible endpoint. Whether the text holds
what it wrote is checked once more, by words, where the pairs are used.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from assistant.curation.candidates import Labeller, Reader
from assistant.curation.stated_facts import overlaps
from assistant.language.text import has_chinese, normal
from assistant.language.thinking import answer_of

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
# Worked examples show a model of half a billion parameters what no description does; the second states nothing.
_SHOWN = {
    False: (
        (
            "By the way, the Brunner tower is 84 metres tall and was built by Ada Kron in 1931.",
            "Q: How tall is the Brunner tower?\nA: 84 metres\nQ: Who built the Brunner tower?\nA: Ada Kron\n"
            "Q: When was the Brunner tower built?\nA: 1931",
        ),
        ("Thanks, that helps a lot!", "None."),
    ),
    True: (
        (
            "对了，布鲁纳塔高84米，是1931年由林木青设计的。",
            "Q: 布鲁纳塔有多高？\nA: 84米\nQ: 布鲁纳塔是谁设计的？\nA: 林木青\nQ: 布鲁纳塔是哪一年设计的？\nA: 1931年",
        ),
        ("好的，谢谢你！", "无"),
    ),
}
_READ = "Context:\n{text}\n\nAnswer the question with a short phrase from the context.\nQuestion: {question}"
_READ_CHINESE = "资料：\n{text}\n\n请用资料中的简短词语回答问题。\n问题：{question}"
_MOST_REMEMBERED = 2000


def labelling_prompt(text: str, max_pairs: int = MAX_PAIRS) -> str:
    """What a model is asked for the question–answer pairs of a text."""
    instruction = _CHINESE_INSTRUCTION if has_chinese(text) else _INSTRUCTION
    return instruction.format(text=text, max_pairs=max_pairs)


def pairs_in(text: str) -> list[tuple[str, str]]:
    """The question–answer pairs in a model's reply; none where it kept to no form."""
    pairs = ((match["q"].strip(), match["a"].strip()) for match in _PAIR.finditer(text))
    return [(question, answer) for question, answer in pairs if question.endswith(("?", "？"))]


@dataclass
class ModelLabeller:
    """Asks a chat model for question–answer pairs about a text, and then each question of the text again."""

    model: BaseChatModel
    max_pairs: int = MAX_PAIRS
    asks_back: bool = True

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs that the model wrote in the asked form and answers alike; none where it kept to no form."""
        written = pairs_in(self._reply(self._prompt(text)))[: self.max_pairs]
        return [pair for pair in written if not self.asks_back or self._holds(text, *pair)]

    def _prompt(self, text: str) -> list[BaseMessage]:
        messages: list[BaseMessage] = []
        for shown, pairs in _SHOWN[has_chinese(text)]:
            messages.append(HumanMessage(labelling_prompt(shown, self.max_pairs)))
            messages.append(AIMessage(pairs))
        return [*messages, HumanMessage(labelling_prompt(text, self.max_pairs))]

    def _holds(self, text: str, question: str, answer: str) -> bool:
        """Whether the model, with the text before it, gives this answer to the question."""
        form = _READ_CHINESE if has_chinese(question) else _READ
        said = normal(self._reply([HumanMessage(form.format(text=text, question=question))]))
        wanted = normal(answer)
        return bool(said and wanted) and (wanted in said or said in wanted)

    def _reply(self, messages: list[BaseMessage]) -> str:
        return answer_of(self.model.invoke(messages).text)


class RememberingLabeller:
    """Asks another labeller once for each text. Threads may share it."""

    def __init__(self, labeller: Labeller) -> None:
        self._labeller = labeller
        self._known: OrderedDict[str, Sequence[tuple[str, str]]] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, text: str) -> bool:
        """Whether this text was read already."""
        with self._lock:
            return text in self._known

    @property
    def knows_nothing(self) -> bool:
        """Whether nothing was read yet: the first text takes longest."""
        with self._lock:
            return not self._known

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs of a text, read at the first call."""
        with self._lock:
            if text in self._known:
                self._known.move_to_end(text)
                return self._known[text]
        pairs = self._labeller(text)
        with self._lock:
            self._known[text] = pairs
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        return pairs

    def reads(self, text: str) -> bool:
        """Whether it is to find every fact of the text."""
        return isinstance(self._labeller, Reader) and self._labeller.reads(text)


class LabellersInTurn:
    """Asks several labellers: what the first finds, and what each other adds that none before it found."""

    def __init__(self, *labellers: Labeller) -> None:
        self._labellers = labellers

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs of a text, the first labeller's first."""
        found: list[tuple[str, str]] = []
        for labeller in self._labellers:
            known = [normal(answer) for _, answer in found]
            found += [(asked, answer) for asked, answer in labeller(text) if not overlaps(answer, known)]
        return found

    def reads(self, text: str) -> bool:
        """Whether one of them is to find every fact of the text."""
        return any(isinstance(one, Reader) and one.reads(text) for one in self._labellers)


class CollectingLabeller:
    """Reads nothing, and keeps the texts that it was asked to read."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """No pairs."""
        self.texts.append(text)
        return []
