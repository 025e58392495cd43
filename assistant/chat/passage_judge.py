"""Whether retrieved passages answer a question, and which of their sentences does, judged beside a small model.

A search finds what is about the same thing; a small model then writes an answer from it, whether one stands there or
not, or reads the wrong line. The judge reads the question with each piece of the passages. It knows English, and
questions for a fact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from assistant.chat.excerpts import ANAPHORIC, Piece, pieces, stems, titled
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from tuning.scoring import contains

ENGLISH = ("en",)
Score = Callable[[str, Sequence[str]], np.ndarray]  # question, texts -> log-odds that each answers it [texts]
# Below the first no piece answers; from the second on one does, though a small model finds no answer, and though the
# question names nothing that the passages name. Chosen on development questions: docs/memory-log.md.
HARDLY, SURELY = -3.0, 2.0
SURELY_BESIDE = 3.0  # the same beside a checkpoint, which may know what is asked
_STEP = 0.3  # retrieval ranked the passages: a piece of the next one must be so much surer
_SENTENCE_ENDS = (*'.!?:;)"”’', "。")  # of what is no heading
_OTHERWISE = 1.0  # how much surer than those that hold an answer another piece must be to speak against it
_ALONE = 3.0  # how much surer of two sentences one must be to be quoted alone
_REMEMBERED = 512  # questions


@dataclass(frozen=True)
class _Judged:
    """A piece with the one before it, below what its document is called."""

    passage: int  # from 0, the best found first
    title: str
    piece: Piece
    before: Piece | None
    log_odds: float = 0.0


class PassageJudge:
    """Judges passages by what reads a question and a text together."""

    def __init__(self, score: Score) -> None:
        # A turn asks the same of the same passages more than once.
        self._score = lru_cache(maxsize=_REMEMBERED)(score)

    def holds_no_answer(self, question: str, passages: Sequence[Source], wanted: float = HARDLY) -> bool:
        """Whether the question asks for a fact that stands in none of the passages, by the log-odds wanted."""
        return _can_be_judged(question, passages) and self.surest(question, passages) < wanted

    def may_hold_an_answer(self, question: str, passages: Sequence[Source]) -> bool:
        """Whether a fact that is asked for may stand there; surely where the question names nothing that they name.

        However it is asked for: "Deck, per square metre?", "Is the yard open on Sundays?"
        """
        from assistant.notes.matching import asks_for_more, asks_for_something_short  # heavy: the stemmer

        asks = asks_for_something_short(question) or (
            question.rstrip().endswith("?") and not asks_for_more(question)
        )
        if not asks or not _are_english(question, passages):
            return False
        return self.surest(question, passages) >= (HARDLY if self.is_about(question, passages) else SURELY)

    def in_their_words(self, question: str, passages: Sequence[Source], answer: str) -> str:
        """The sentence or two that answer, of passages that may; "" where the model's `answer` stays.

        That is where it refuses and nothing surely answers, and where it stands in the row of a table that the
        question speaks of: by its name a model finds a row more surely than the judge does.
        """
        found = self._judged(question, passages)
        if not found:
            return ""
        if is_refusal(answer):
            if max(one.log_odds for one in found) < SURELY:
                return ""
        elif any(_is_read_from(question, answer, one.piece) for one in found):
            return ""
        return self._quoted(question, max(found, key=lambda one: one.log_odds - _STEP * one.passage))

    def answer_otherwise(self, question: str, passages: Sequence[Source], answer: str) -> bool:
        """Whether the passages surely answer, and hold `answer` only elsewhere: it is asked for with other words.

        An answer that they do not hold at all is one that they do not know.
        """
        if not _can_be_judged(question, passages):
            return False
        found = self._judged(question, passages)
        holding = [one for one in found if contains(one.piece.text, answer)]
        if not holding or any(_is_read_from(question, answer, one.piece) for one in holding):
            return False
        best = max(one.log_odds for one in found)
        return best >= SURELY and best - max(one.log_odds for one in holding) > _OTHERWISE

    def is_about(self, question: str, passages: Sequence[Source]) -> bool:
        """Whether the question names something that the passages name."""
        from assistant.notes.matching import shares_a_name, speaks_of_a_name  # heavy: the stemmer

        texts = [source.text for source in passages]
        titled_texts = [f"{source.title}. {source.text}" for source in passages]
        return shares_a_name(question, titled_texts) or speaks_of_a_name(question, texts)

    def surest(self, question: str, passages: Sequence[Source]) -> float:
        """The log-odds of the piece that answers most likely."""
        found = self._judged(question, passages)
        return max((one.log_odds for one in found), default=-np.inf)

    def _judged(self, question: str, passages: Sequence[Source]) -> list[_Judged]:
        found: list[_Judged] = []
        for number, source in enumerate(passages):
            title = ", ".join(dict.fromkeys((source.title, *source.headings)))
            split = pieces(source.text)
            found += [
                _Judged(number, title, piece, split[at - 1] if at else None) for at, piece in enumerate(split)
            ]
        scores = self._score(question, tuple(titled(one.title, one.piece.text) for one in found))
        return [replace(one, log_odds=float(score)) for one, score in zip(found, scores, strict=True)]

    def _quoted(self, question: str, best: _Judged) -> str:
        piece = best.piece
        if piece.is_row or not piece.before:
            return _understood(piece)
        both = tuple(titled(best.title, one) for one in (piece.before, piece.sentence))
        before, own = self._score(question, both)
        if before - own > _ALONE:
            return _understood(best.before or Piece("", piece.before))
        is_heading = not piece.before.endswith(_SENTENCE_ENDS)
        return _understood(piece) if is_heading or own - before > _ALONE else piece.text


def _is_read_from(question: str, answer: str, piece: Piece) -> bool:
    """Whether it is a row that the question speaks of, and the answer stands there."""
    return (
        piece.is_row
        and contains(piece.sentence, answer)
        and bool({*stems(question)} & {*stems(piece.sentence)})
    )


def _understood(piece: Piece) -> str:
    """Its sentence, after the one before it where it begins with a pronoun; a row with the name of each column."""
    if not piece.is_row:
        return piece.text if ANAPHORIC.match(piece.sentence) else piece.sentence
    rows = (row.strip("| ").split("|") for row in (piece.before, piece.sentence))
    names, cells = ([cell.strip() for cell in row] for row in rows)
    if len(cells) == 1 or len(names) != len(cells):
        return piece.sentence
    return "; ".join(f"{name}: {cell}" for name, cell in zip(names, cells, strict=True) if cell)


def _can_be_judged(question: str, passages: Sequence[Source]) -> bool:
    """Whether it asks for a fact in English, of English passages."""
    from assistant.notes.matching import asks_for_something_short  # heavy: the stemmer

    return asks_for_something_short(question) and _are_english(question, passages)


def _are_english(question: str, passages: Sequence[Source]) -> bool:
    from knowledge.search.languages import is_in_another, languages_of

    return (
        bool(passages)
        and not is_in_another(question, ENGLISH)
        and languages_of(one.text for one in passages) == ENGLISH
    )
