"""Is any of what was found about the question? Calibrated, so that the assistant can say "nothing was found".

Two measures that do not depend on the size of the index: the cosine of question and passage, and the share of
the question's words, weighted by rarity, that the passage contains; a logistic curve over both is the
probability. Fitted on SQuAD, XQuAD, DRCD and CMRC 2018, each question once with its article in the index
and once without."""

import math
import re
from collections.abc import Sequence

import numpy as np

from knowledge.text.terms import term_codes, terms

RELEVANT = 0.12  # loses about 2 of 100 questions that have an answer
# Words that say nothing about the subject; in a small index their rarity would not show it.
_EMPTY_WORDS = """
a an and any are as at be been being but by can could did do does for from get give had has have he her his
how i if in into is it its may me might more most much must my no not of on or our please shall she should
so some such tell than that the their them then there these they this those to up us was we were what when
where which who whom whose why will with would you your about after also between during many s t
什么 多少 怎么 怎样 如何 哪个 哪些 哪里 哪儿 为什 么是 是什 是谁 的是
谁是 请问 是否 有没 没有 么时 时候 有什 有哪 一个 的人 是多
"""
EMPTY_TERMS = frozenset(term for word in _EMPTY_WORDS.split() for term in terms(word))
_EMPTY_CODES = frozenset(int(code) for code in term_codes(_EMPTY_WORDS))
_HAN = re.compile(r"[\u3400-\u9fff]")


def telling(codes: np.ndarray) -> np.ndarray:
    """The term codes that say something about a subject, each once."""
    return np.array(
        [code for code in dict.fromkeys(codes.tolist()) if code not in _EMPTY_CODES], dtype=np.uint32
    )


def probability(cosine: float, covered: float, fluency: float) -> float:
    """That a passage is about the question; `fluency`: how well the embedder knows its language."""
    logit = 8.5 * fluency * cosine + (11.0 - 3.3 * fluency) * covered - (4.0 + 3.6 * fluency)
    return 1 / (1 + math.exp(-logit))


_CONTINUES = re.compile(
    r"^\W*(and|or|but|so|then|also|what about|how about)\b|呢[？?]?\s*$|^(那|还有)", re.IGNORECASE
)
_STANDS_FOR = re.compile(
    r"\b(it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|that|this|those|these|there|one|ones|same"
    r"|else|former|latter)\b|[它他她]|[这那](?!么)|其",
    re.IGNORECASE,
)
FEW_WORDS = (
    3  # with more of its own, a question ("When did Tesla move his laboratory to Colorado?") stands alone
)


def points_back(question: str) -> bool:
    """Whether a question cannot be understood without the ones before it ("and how heavy is it?")."""
    told = {term for term in terms(question) if term not in EMPTY_TERMS}
    if _CONTINUES.search(question) or len(told) < 2:
        return True
    return len(told) <= FEW_WORDS * (2 if _HAN.search(question) else 1) and bool(_STANDS_FOR.search(question))


def subject(question: str) -> str:
    """What of an earlier question a later one leans on: its names and numbers, or all of it."""
    words = question.split()
    names = [
        word for at, word in enumerate(words) if any(map(str.isdigit, word)) or (at and word[:1].isupper())
    ]
    return " ".join(names) or question


def with_conversation(question: str, history: Sequence[dict[str, str]]) -> list[str]:
    """The earlier questions that this one leans on, newest first; none when it stands alone."""
    leaned_on: list[str] = []
    if points_back(question):
        for message in reversed(history):
            if message["role"] == "user" and message["content"] != question:
                leaned_on.append(message["content"])
                if len(leaned_on) == 3 or not points_back(message["content"]):
                    break
    return leaned_on
