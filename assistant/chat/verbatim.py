"""The sentence of the documents itself as the answer, where the model that would word one hardly knows the language.

No model is asked then. It chooses by words; what was retrieved is not its matter.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.chat.excerpts import ANAPHORIC, stems, units
from assistant.history.sources import Source
from assistant.language.chinese_questions import holds_what_is_asked, is_question
from assistant.language.text import has_chinese
from tuning.models.capability import ENGLISH_ALONE

# Beside what words share (a rare one about 2): a sentence with the kind of thing that is asked for is taken before
# one without, and retrieval ranked the passages. Chosen on the Chinese sample, held against XQuAD and DRCD.
_FITS = 2.0
_STEP = 0.3
# The second pair of a longer word says less than its first: 云雀折叠车 is one name, not four.
_GOES_ON = 0.5


def hardly_speaks(model: str, question: str) -> bool:
    """Whether a model of this name was taught in another language than the question is in."""
    return model in ENGLISH_ALONE and has_chinese(question)


@dataclass(frozen=True)
class _Sentence:
    """One that could answer, with the words around it that say what it is about."""

    passage: int
    text: str
    words: frozenset[str]


def best_sentence(question: str, passages: Sequence[Source]) -> str:
    """The sentence, or the row of a table, that shares most with the question; "" without passages."""
    found = [one for number, source in enumerate(passages) for one in _sentences(number, source)]
    spread = Counter(word for one in found for word in one.words)

    def weight(one: _Sentence) -> float:
        shared, goes_on = 0.0, False
        for word in stems(question):
            if word in one.words:
                shared += math.log(1 + len(found) / spread[word]) * (_GOES_ON if goes_on else 1)
            goes_on = word in one.words
        return shared + _FITS * holds_what_is_asked(question, one.text) - _STEP * one.passage

    return max(found, key=weight).text if found else ""


def _sentences(number: int, source: Source) -> list[_Sentence]:
    """Those of a passage that are no questions; one that follows a question answers it."""
    about = [source.title, *source.headings]
    found: list[_Sentence] = []
    asked = before = ""
    for unit in map(str.strip, units(source.text)):
        if is_question(unit):
            asked = unit
        elif unit:
            words = frozenset(word for text in (*about, asked, unit) for word in stems(text))
            needs = before if ANAPHORIC.match(unit) else ""
            found.append(_Sentence(number, needs + unit, words))
            asked, before = "", unit
    return found
