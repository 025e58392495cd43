"""The facts that a message states, as question–answer pairs that tuned models find: a `Labeller` for every machine."""

from collections.abc import Sequence
from pathlib import Path

from assistant.curation.reader.answer_spans import AnswerSpans
from assistant.curation.reader.in_place import question_in_place
from assistant.curation.reader.question_writer import QuestionWriter
from assistant.language.text import has_chinese, normal
from knowledge.index.embedding_models import MULTILINGUAL, is_fetched
from knowledge.search.languages import is_in_another

# How surely a part of a message must be an answer; chosen on messages that are not reported: docs/memory-log.md.
_SURE_ENGLISH, _SURE_CHINESE = 0.7, 0.4
_OTHER_LANGUAGE_FROM = 20  # characters: of a shorter text its language is a guess


class FactReader:
    """Reads English, and Chinese where the home has the multilingual embedding model; other languages it leaves."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._english, self._chinese = AnswerSpans("en"), AnswerSpans("zh", home)
        self._writer = QuestionWriter(home)

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        """The pairs, in the order of the message. Raises EngineError, StoreError."""
        if not self.reads(text):
            return []
        if has_chinese(text):
            return self._in_chinese(text)
        answers = [one.of(text) for one in self._english.find(text) if one.sure >= _SURE_ENGLISH]
        answers = list(dict.fromkeys(answers))
        asked = zip(self._writer.write(text, answers), answers, strict=True)
        return [(question, answer) for question, answer in asked if _is_question(question)]

    def reads(self, text: str) -> bool:
        """Whether it knows the language of the message."""
        if has_chinese(text):
            return is_fetched(MULTILINGUAL, self._home)
        return len(text) < _OTHER_LANGUAGE_FROM or not is_in_another(text, ("en",))

    def _in_chinese(self, text: str) -> list[tuple[str, str]]:
        found = []
        for span in self._chinese.find(text):
            question, sure = question_in_place(self._chinese, text, span)
            if sure * span.sure >= _SURE_CHINESE:
                found.append((question, span.of(text)))
        return found


def _is_question(text: str) -> bool:
    return text.endswith("?") and len(normal(text).split()) > 2
