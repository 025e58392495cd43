"""A lesson asked from its other end: the question says its answer and asks what it is the answer for.

"Who is the manager of Radio Fallowgate? – Imelda Crouchley" also answers "Which station does Imelda Crouchley manage?".
Weights that learned the one often fail the other (the reversal curse, arXiv 2309.12288).
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.language.text import has_chinese
from assistant.notes.matching import asked_kinds, content
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms
from tuning.augment.reversal import reverse
from tuning.data.examples import Example
from tuning.scoring import contains, normalise

_ASKS = re.compile(r"\b(?:which|what|whose|name the)\b|哪|什么|啥", re.IGNORECASE)
_ASKS_FOR_ROLE = re.compile(
    r"\b(?:which|what) (?:job|role|position|post|title|function|task)\b|什么(?:工作|职务|职位|职责)|[做干]什么|干啥",
    re.IGNORECASE,
)
# Words that ask what something is, and not for something about it.
_SAY_LITTLE = frozenset(terms("called call named name have has there find kept keep"))
_SHORTEST = 2  # characters of an answer that may be looked for in a question
# Such words are in questions about anything.
_SAYS_LITTLE = re.compile(
    r"\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|yes|no|none|all|both|[是否有无]|没有|不是|可以|不能",
    re.IGNORECASE,
)


def asked_back(question: str, lessons: Sequence[Example]) -> tuple[Example, Example] | None:
    """The lesson that the question asks from its other end, and the same with the answer wanted here.

    None where the answers of several lessons, or of none, are in the question, or nothing else of the lesson is.
    """
    if not _ASKS.search(question):
        return None
    said = [one for one in lessons if _says(question, one.answer)]
    if len({normalise(one.answer) for one in said}) != 1:
        return None
    found = [(one, wanted) for one in said if (wanted := _wanted(question, one))]
    if len({normalise(wanted) for _, wanted in found}) != 1:
        return None
    lesson, wanted = found[-1]
    told = f"{lesson.question} – {lesson.answer}"
    messages = (
        *lesson.messages[:-2],
        {**lesson.messages[-2], "content": told},
        {**lesson.messages[-1], "content": wanted},
    )
    return lesson, replace(lesson, messages=messages, probes=())


def _says(question: str, answer: str) -> bool:
    bare = answer.strip(" .。!！")
    return (
        len(normalise(bare)) >= _SHORTEST
        and not _SAYS_LITTLE.fullmatch(normalise(bare))
        and contains(question, bare)
    )


def _wanted(question: str, lesson: Example) -> str:
    """What the question asks for, seen from the lesson: its subject, or what the answer is to it; else empty."""
    back = reverse(lesson.question, lesson.answer.strip(" .。!！"))
    if back is None:
        return ""
    if _ASKS_FOR_ROLE.search(question):
        return back.relation
    rest = _rest(question, lesson.answer)
    if contains(question, back.subject):  # both ends are named: what is the one to the other?
        return "" if rest - _rest(back.subject, "") - _SAY_LITTLE else back.relation
    if asked_kinds(question):
        return ""
    return back.subject if rest & _rest(lesson.question, lesson.answer) else ""


def _rest(text: str, answer: str) -> frozenset[str]:
    """What a question is about besides the answer: stems, in Chinese also single characters."""
    if has_chinese(text):
        return content(text) - content(answer)
    return frozenset(terms(text)) - frozenset(terms(answer)) - STOPWORDS
