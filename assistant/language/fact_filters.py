"""Filters on the questions and answers that the patterns found: rejects fragments, pronouns and misparsed verbs."""

import re

from assistant.language.chinese_expressions import WHEN as CHINESE_WHEN
from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import DETERMINERS, EXTENT, PARTICLES, PREPOSITIONS, SUBORDINATE
from assistant.language.text import word_set
from assistant.language.verbs import PARTICIPLE, base_of

# A verb inside what should be a name or a noun: the pattern did not fit.
_FINITE = re.compile(r"\b(?:is|are|was|were|has|have|had|will|can|must|does|do|did)\b")
_CHINESE_NO_SUBJECT = re.compile(
    r"^(?:要|得|应该|需要|能)$|请$|^(?:不要|别|请勿|不得|长期|第一次|通往|去往|前往|关于|对于|为了|把|将|请|帮|最初|原来|只|也|都|还|其中|中间|从|在|一共)|[只就也都还总才真从]$"
)
_CHINESE_NO_ANSWER = re.compile(
    r"^的|^(?!一).{2,}可以|^(?:时|之[前后]|以后|前|后|说明|与.*)$|^(?:推迟|取消|停产|结束|开始|完成|这样|那样|什么|一前|一样)|[^色]的$|[吗呢吧]$"
)
_DESCRIBES = re.compile(
    r"(?:\w+ed|open|closed|valid|available|due|ready|free|full|responsible|\w{3,}er(?= than))"
    r"(?: (?:at|by|in|on|for|with|to|from|as|till|until|since|than|of|apart|away|together|\w+ly)\b|$)"
)
# Words that no answer ends with, words that begin a clause of its own, answers that only point.
_UNFINISHED = DETERMINERS | (PREPOSITIONS - {"off", "in", "on", "up"}) | {"and", "or", "not", "is", "are"}
_UNFINISHED_QUESTION = word_set("and or the a an my our their its")
_ASKING_WORDS = word_set("what who which where whether how whose")
_POINTING = re.compile(
    r"(?:(?:to|in|on|by|with|for|from|of) )?(?:it|them|this|that|these|those|there|here|itself|"
    r"themselves|one|ones|"
    r"him|her|me|us|you|so|both|two|three|all|others?|once|off|on|at once|"
    r"only|then|now)(?: (?:alone|too|again|only|up|out))?",
    re.IGNORECASE,
)


def is_well_formed(question: str, answer: str) -> bool:
    """Whether question and answer are whole: neither breaks off, is a mere pronoun or a clause of its own."""
    words, asked = answer.lower().split(), question.split()
    if not words or words[-1] in _UNFINISHED or _POINTING.fullmatch(answer):
        return False
    if words[0] in ("than", "that", "if", "it", "them") or _ASKING_WORDS.intersection(words):
        return False
    if asked[-1].lower() in _UNFINISHED_QUESTION or _ASKING_WORDS.intersection(map(str.lower, asked[2:])):
        return False
    both = f"{question} {answer}"
    if both.count('"') % 2 or both.count("“") != both.count("”"):
        return False
    return not re.search(r"[()\[\]{}=?]|: | --|^[^\w\"“]", both)


def is_well_formed_chinese(subject: str, answer: str) -> bool:
    """Whether the subject is a name or a noun and the answer says something."""
    if _CHINESE_NO_SUBJECT.search(subject) or re.fullmatch(CHINESE_WHEN, subject):
        return False
    return not _CHINESE_NO_ANSWER.search(answer)


def swallows_verb(match: re.Match[str], verb: int | None) -> bool:
    """Whether what the pattern takes for the subject holds the verb of the clause."""
    groups = match.groupdict()
    subject = groups.get("x")
    starts = subject is not None and match.start("x") == 0
    return verb is not None and subject is not None and starts and len(subject.split()) > verb


def misread(match: re.Match[str]) -> bool:
    """Whether the subject holds a verb or ends where no noun ends, or the pattern is for another kind of sentence."""
    groups = match.groupdict()
    subject = groups.get("x") or ""
    if _FINITE.search(subject) or re.search(r"(?:^|\s)(?:the|a|an|of|to|my|our|in|at|for|and|or)$", subject):
        return True
    return _miscounted(groups) or _describes(groups)


def _miscounted(groups: dict[str, str | None]) -> bool:
    """ "One cell of a type" is not a number of cells, "14 loading docks" are no loadings."""
    rest = groups.get("rest") or ""
    if (groups.get("k") or "").lower() in ("one", "a", "an") or "," in rest:
        return True
    return "k" in groups and re.match(rf"(?: [a-z]+s\b|.* and {NUMBER}\b)", rest) is not None


def _describes(groups: dict[str, str | None]) -> bool:
    """Whether what was taken for an answer says what something does or is like, how long, or two things."""
    answer = groups.get("y") or ""
    if not groups.get("be") and _FINITE.search(answer[:40]):
        return True
    if groups.get("p") == "for" and EXTENT.fullmatch(answer):
        return True  # how long, and not what for
    if groups.get("p") and re.search(r" (?:in|since) (?:1\d|20)\d\d$", answer):
        return True  # a place, and a time that is asked for on its own
    if "v" in groups or "colour" in groups:
        return False
    if groups.get("be") in ("are", "were") and re.fullmatch("[a-z]+[^s]", answer):
        return True  # "the roads are narrow"
    first, second = (*answer.split()[:2], "", "")[:2]
    happened = base_of(first, PARTICIPLE) and second in PREPOSITIONS | PARTICLES | SUBORDINATE
    doing = second and re.fullmatch("[a-z]{2,}ing", first)
    return bool(happened or doing or _DESCRIBES.match(answer))  # "the seal is looked at"
