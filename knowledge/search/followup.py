"""Questions that point back to the conversation, and what they are looked up with."""

import re
from collections.abc import Mapping, Sequence

from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms

_HAN = re.compile(r"[\u3400-\u9fff]")


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
    told = {term for term in terms(question) if term not in STOPWORDS}
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


def with_conversation(question: str, history: Sequence[Mapping[str, str]]) -> list[str]:
    """The earlier questions that this one leans on, newest first; none when it stands alone."""
    leaned_on: list[str] = []
    if points_back(question):
        for message in reversed(history):
            if message["role"] == "user" and message["content"] != question:
                leaned_on.append(message["content"])
                if len(leaned_on) == 3 or not points_back(message["content"]):
                    break
    return leaned_on
