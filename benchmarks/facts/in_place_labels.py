"""What a question takes from the message that answers it: labels for Chinese questions in place."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from assistant.curation.reader.in_place import QUESTION_WORDS
from benchmarks.skills.written_sets import documents, messages

# Other forms of a question word, and the one that is written.
_FORMS = {
    "哪儿": "哪里",
    "如何": "怎么",
    "多长时间": "多久",
    "哪年": "哪一年",
    "哪家": "哪个",
    "哪种": "哪个",
    "哪": "哪个",
}
_ALL = sorted({*QUESTION_WORDS, *_FORMS}, key=len, reverse=True)
_MARK = re.compile(r"[，。,；;：:、\s!！?？]")
_SAYS_LITTLE = "的了是在吗呢？?，。 "
_GAP, _NEAR = 2, 4  # characters between what is kept that are kept as well; of a single one from the answer
_LONGEST = 90  # characters of a document's sentence


@dataclass(frozen=True)
class InPlace:
    """A text with an answer, which of its characters the question has, and the question word's place."""

    text: str
    start: int
    end: int
    kept: tuple[bool, ...]
    word: int
    covered: float  # how much of the question the kept characters say


def from_messages() -> list[InPlace]:
    """The pairs of the Chinese messages that are trained on, where the message holds at least half of the question."""
    made = (labelled(one.text, answer, question) for one in messages() for question, answer in one.pairs)
    return [one for one in made if one is not None and one.covered >= 0.5]


def from_documents() -> list[InPlace]:
    """Sentences of documents with the wording that is nearest to them."""
    return list(_from_documents())


def _from_documents() -> Iterator[InPlace]:
    for document in documents():
        for pair in document.pairs:
            if not document.is_chinese or len(pair.sentence) > _LONGEST or "|" in pair.sentence:
                continue
            made = [labelled(pair.sentence, pair.answer, one) for one in pair.wordings]
            best = max((one for one in made if one is not None), key=lambda one: one.covered, default=None)
            if best is not None and best.covered >= 0.6:
                yield best


def labelled(text: str, answer: str, question: str) -> InPlace | None:
    """The labels of a question; None where it is not Chinese, or the text does not hold the answer."""
    start = text.find(answer)
    asked = next((one for one in _ALL if one in question), None)
    if start < 0 or asked is None:
        return None
    end = start + len(answer)
    rest = question.replace(asked, "\0", 1)
    flags = _shared(text, start, end, rest)
    said = {char for char, kept in zip(text, flags, strict=True) if kept}
    wanted = [char for char in rest if char not in _SAYS_LITTLE and char != "\0"]
    covered = sum(char in said for char in wanted) / max(1, len(wanted))
    word = QUESTION_WORDS.index(_FORMS.get(asked, asked))
    return InPlace(text, start, end, tuple(flags), word, covered)


def _shared(text: str, start: int, end: int, rest: str) -> list[bool]:
    """Flags of the characters that the question says, outside the answer, with short gaps between them closed."""
    flags = [False] * len(text)
    body = f"{text[:start]}{chr(1) * (end - start)}{text[end:]}"
    for part in filter(None, re.split(r"[\0？?，。,\s]", rest)):
        todo = [part]
        while todo:
            piece = todo.pop()
            match = difflib.SequenceMatcher(None, piece, body, autojunk=False).find_longest_match()
            if match.size < 2:
                for char in piece:
                    _flag_nearest(flags, body, char, start, end)
                continue
            flags[match.b : match.b + match.size] = [True] * match.size
            todo += filter(None, (piece[: match.a], piece[match.a + match.size :]))
    spots = [place for place in range(len(text)) if flags[place] or start <= place < end]
    for before, after in pairwise(spots):
        gap = text[before + 1 : after]
        if 0 < len(gap) <= _GAP and not _MARK.search(gap):
            flags[before + 1 : after] = [True] * len(gap)
    return flags


def _flag_nearest(flags: list[bool], body: str, char: str, start: int, end: int) -> None:
    """A single character counts only beside the answer: elsewhere it is there by chance."""
    if char in _SAYS_LITTLE:
        return
    near = [*range(max(0, start - _NEAR), start), *range(end, min(len(body), end + _NEAR))]
    places = [place for place in near if body[place] == char]
    if places:
        flags[min(places, key=lambda place: min(abs(place - start), abs(place - end)))] = True
