"""A fact that a person stated and then put right in words: "Sorry, the tune-up costs 49 euros, not 45."

The answer in between counts for nothing here: whoever states a fact corrects the fact, not the reply to it.
"""

import re
from collections.abc import Sequence

from assistant.curation.feedback import IT_IS, NEW_NOT_OLD, after_no
from assistant.language.facts import Fact, facts_in
from assistant.language.text import capitalised, has_chinese, normal

_OWNERS = re.compile(r"\b(?:the|an?|our|my|your|its|their|we|i|you)\b|我们的?|我的?|你们?的?")
_BEGINS = re.compile(r"^(?:who|what)\b|(?:谁|什么)$")
Pair = tuple[str, str]  # a question and its answer


def restated(message: str, stated: Sequence[Pair]) -> list[Pair]:
    """What a message makes of the pairs that were stated before it: each question with its new answer.

    Nothing where the message does not say that something was wrong, or says it of none of them.
    """
    rest, old = _put_right(message)
    if not stated or not rest:
        return []
    it_is = IT_IS.match(rest)
    if it_is and rest[it_is.end() :]:
        question = _of_answer(old, stated) or stated[-1][0]
        return [(question, capitalised(rest[it_is.end() :].strip()) + ".")]
    facts = _facts(rest)
    found = _of_the_same(facts, stated)
    if not found and (question := _of_answer(old, stated)):
        found = [(question, fact.answer) for fact in facts if _begin(fact.question) == _begin(question)][:1]
    return found or [(fact.question, fact.answer) for fact in facts]


def named(message: str, stated: Sequence[Pair]) -> list[Pair]:
    """As `restated`, only of pairs that the message itself names: something else was asked since they were stated."""
    rest, _ = _put_right(message)
    return _of_the_same(_facts(rest), stated) if stated and rest else []


def is_same_question(question: str, other: str) -> bool:
    """Whether two questions ask for the same, whoever owns it: "Who is the mechanic?" and "What is our mechanic?"."""
    return _key(question) == _key(other)


def _put_right(message: str) -> tuple[str, str]:
    """What a message says is right, and what it calls wrong; "" where it does not say that anything was wrong."""
    text = message.strip().rstrip(" .!。！").replace("’", "'")
    rest, old = _without_old(after_no(text))
    return ("", "") if rest == text and not old else (rest, old)


def _facts(statement: str) -> list[Fact]:
    return list(facts_in(statement + ("。" if has_chinese(statement) else ".")))


def _of_the_same(facts: Sequence[Fact], stated: Sequence[Pair]) -> list[Pair]:
    return [(question, fact.answer) for fact in facts if (question := _same_question(fact, stated))]


def _without_old(text: str) -> tuple[str, str]:
    """ "49 euros, not 45" as what is right and what is not; "" where nothing is called wrong."""
    swapped = NEW_NOT_OLD.match(text)
    return (swapped["new"].strip(), swapped["old"].strip()) if swapped else (text, "")


def _of_answer(old: str, stated: Sequence[Pair]) -> str:
    """The question of the newest pair whose answer holds what was called wrong."""
    wrong = normal(old)
    return next((question for question, answer in reversed(stated) if wrong and wrong in normal(answer)), "")


def _same_question(fact: Fact, stated: Sequence[Pair]) -> str:
    return next((asked for asked, _ in reversed(stated) if is_same_question(asked, fact.question)), "")


def _key(question: str) -> str:
    return " ".join(_OWNERS.sub(" ", _BEGINS.sub("", normal(question))).split())


def _begin(question: str) -> str:
    return normal(question).partition(" ")[0]
