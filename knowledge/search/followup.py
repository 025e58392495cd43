"""Follow-up questions, and the earlier questions of the conversation that they refer to."""

import re
from collections.abc import Mapping, Sequence

from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms

_HAN = re.compile(r"[\u3400-\u9fff]")
_CONTINUES = re.compile(
    r"^\W*(and|or|but|so|then|also|what about|how about)\b|呢[？?]?\s*$|^(那|还有)", re.IGNORECASE
)
_PRONOUN = re.compile(
    r"\b(it|its|itself|they|them|their|theirs|he|him|his|she|her|hers|that|this|those|these|there|one|ones|same"
    r"|else|former|latter)\b|[它他她]|[这那](?!么)|其",
    re.IGNORECASE,
)
# A question with more content words ("When did Tesla move his laboratory to Colorado?") stands alone.
MAX_CONTENT_WORDS = 3


def is_follow_up(question: str) -> bool:
    """Whether a question cannot be understood without the ones before it ("and how heavy is it?")."""
    content_words = {term for term in terms(question) if term not in STOPWORDS}
    if _CONTINUES.search(question) or len(content_words) < 2:
        return True
    most = MAX_CONTENT_WORDS * (2 if _HAN.search(question) else 1)  # a Chinese word is about two bigrams
    return len(content_words) <= most and bool(_PRONOUN.search(question))


def is_about_earlier(question: str, history: Sequence[Mapping[str, str]]) -> bool:
    """Whether a conversation may hold what a question asks for: it is a follow-up, or shares a content word with it."""
    if not history:
        return False
    asked = {term for term in terms(question) if term not in STOPWORDS}
    return is_follow_up(question) or any(not asked.isdisjoint(terms(one["content"])) for one in history)


def key_terms(question: str) -> str:
    """The names and numbers of a question, which a follow-up refers to; all of it where it has none."""
    words = question.split()
    names = [
        word for at, word in enumerate(words) if any(map(str.isdigit, word)) or (at and word[:1].isupper())
    ]
    return " ".join(names) or question


def referenced_questions(question: str, history: Sequence[Mapping[str, str]]) -> list[str]:
    """The earlier questions that this one refers to, newest first; none when it stands alone."""
    referenced: list[str] = []
    if is_follow_up(question):
        for message in reversed(history):
            if message["role"] == "user" and message["content"] != question:
                referenced.append(message["content"])
                if len(referenced) == 3 or not is_follow_up(message["content"]):
                    break
    return referenced
