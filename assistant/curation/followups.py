"""Follow-up questions: finds those that need the turn before, and rewrites them to stand alone where a rule can."""

import re
from collections.abc import Sequence

from assistant.language.text import capitalised, has_chinese

_PRONOUN = re.compile(
    r"\b(it|its|he|him|his|she|her|hers|they|them|their|theirs|that one|this one|the other one)\b", re.I
)
# "it" that refers to nothing.
_DUMMY = re.compile(
    r"\b(?:what (?:time|day|date) is it|is it (?:true|possible|ok|safe|allowed|raining|necessary|better)|"
    r"does it (?:matter|make sense)|it (?:is|was) (?:true|possible)|how is it going|what is it that|that "
    r"it is)\b",
    re.I,
)
_LEANING = re.compile(
    r"^(?:and|or|but|what about|how about|also|then|why|how so|really|where|when|who|which one)\b", re.I
)
_WHAT_ABOUT = re.compile(
    r"^(?:and |but |or )?(?:(?:what|how) about )?(?P<x>(?:the |our |my |your )?[\w' -]+)\?*$", re.I
)
_NAME = r"(?:(?:the|The|our|Our|my|My) )?[A-Z0-9][\w’'-]*(?: (?:of |the )?[A-Z0-9][\w’'-]*)*"
_QUESTION_WORD = re.compile(
    r"(?:What|Which|Who|Whom|Whose|Where|When|Why|How|Is|Are|Was|Were|Does|Do|Did|Can|Could|Will|Would|"
    r"Should|Must|"
    r"May|In|On|At|For|With|By|From|To|And|But|Tell|Please|I|Hi|Hello|Hey|Ok|Okay|So|Of)\b"
)
_NOUN = re.compile(
    r"\b(?:the|our|my|your|this|that) [a-z][\w-]*(?: [a-z][\w-]*(?= (?:of|called|cost|weigh|fly|work|run|"
    r"last|take)\b))?"
)
_CHINESE_PRONOUN = re.compile(r"它们?|他们?|她们?|这个|那个|该产品")
_CHINESE_SUBJECT = re.compile(
    r"^(?:请问)?(?P<x>[^，,？?的]{1,15}?)(?:的|有多|多重|多高|多长|多大|多少钱|叫|是|在哪|位于|可以|能|什么时候|每|搬|住)"
)
_PERSON = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.I)
_SEVERAL = re.compile(r"\b(?:they|them|theirs?)\b", re.I)
_POSSESSIVES = {"its", "his", "their", "theirs", "hers"}


def needs_context(question: str) -> bool:
    """Whether the question cannot be understood without the turn before it."""
    text = question.strip()
    if has_chinese(text):
        short = len(text) <= 8 and text.rstrip("？?").endswith("呢")
        return (
            bool(_CHINESE_PRONOUN.search(text))
            or short
            or bool(re.match(r"(?:那|还有|然后|为什么[？?]?$)", text))
        )
    if _DUMMY.search(text):
        return False
    pronoun = _PRONOUN.search(text)
    if pronoun and not _names(text[: pronoun.start()]) and not _NOUN.search(text[: pronoun.start()]):
        return True
    words = re.findall(r"[\w'’-]+", text)
    return bool(_LEANING.match(text)) and (
        len(words) <= 3 or bool(re.match(r"(?:and|or|but|what about|how about)\b", text, re.I))
    )


def stand_alone(question: str, earlier: Sequence[tuple[str, str]]) -> str | None:
    """The question with its pronoun resolved; None where no rule can tell what it refers to.

    `earlier` are the questions before it with their answers, oldest first, themselves standing alone.
    """
    chinese = has_chinese(question)
    for previous, answer in reversed(earlier[-3:]):
        if chinese != has_chinese(previous):
            continue
        if chinese:
            topic = _chinese_topic(previous)
        else:
            topic = _person(previous, answer) if _PERSON.search(question) else _topic(previous)
        if topic:
            written = (
                _in_chinese(question, previous, topic) if chinese else _in_english(question, previous, topic)
            )
            if written and not needs_context(written):
                return written
    return None


def _in_english(question: str, previous: str, topic: str) -> str | None:
    text = re.sub(r"^(?:and|but|or|also)\b[, ]*", "", question.strip(), flags=re.I)
    if _SEVERAL.search(text) and not topic.endswith("s"):
        return None
    if _PRONOUN.search(text):
        replaced = _PRONOUN.sub(lambda match: _substitute(match, topic, text), text)
        return capitalised(replaced)
    match = re.match(r"(?P<p>of|in|at|for|on|to|with|from) (?P<x>[\w' -]{2,40})\?*$", text, re.I)
    if match and f"{match['p']} {topic}" in previous:
        return previous.replace(f"{match['p']} {topic}", match[0].rstrip("?"))
    match = _WHAT_ABOUT.match(question.strip())
    if (
        match
        and len(match["x"].split()) <= 5
        and not re.match(r"(?:what|who|where|when|why|how|which)\b", match["x"], re.I)
    ):
        other = match["x"].strip()
        if re.search(re.escape(topic), previous) and not re.match(r"(?:in|on|at|for|with)\b", other):
            return previous.replace(topic, other)
    return None


def _substitute(match: re.Match[str], topic: str, text: str) -> str:
    word = match[1].lower()
    following = text[match.end() :].lstrip()
    possessive = word in _POSSESSIVES or (word == "her" and bool(re.match(r"[a-z]", following)))
    name = topic[:1].lower() + topic[1:] if topic.split()[0] in ("The", "Our", "My") else topic
    if not possessive:
        return name
    return name + ("’" if name.endswith("s") else "’s")


def _topic(question: str) -> str | None:
    """What the question is about: its only name, or else its only noun with an article."""
    names = _names(question)
    if len(names) == 1:
        return names[0]
    if names:
        return None
    nouns = list(dict.fromkeys(match[0] for match in _NOUN.finditer(question)))
    return nouns[0] if len(nouns) == 1 else None


def _person(question: str, answer: str) -> str | None:
    """Whom "he" or "she" means: the one asked about, or the answer to a question with "who"."""
    asked = re.fullmatch(r"who (?:is|was) ([A-Z][\w-]+(?: [A-Z][\w-]+)*)\?*", question.strip(), re.I)
    if asked and asked[1][0].isupper():
        return asked[1]
    named = re.fullmatch(r"[A-Z][\w-]+(?: [A-Z][\w-]+){0,3}", answer.strip(" ."))
    return named[0] if named and re.match(r"(?:by )?who", question.strip(), re.I) else None


def _names(text: str) -> list[str]:
    found = []
    for match in re.finditer(rf"\b{_NAME}", text):
        name = match[0]
        while _QUESTION_WORD.match(name) and " " in name:
            name = name.split(" ", 1)[1]
        if not _QUESTION_WORD.match(name) and re.search(
            r"[A-Z]", name.removeprefix("The ").removeprefix("Our ")
        ):
            found.append(name)
    return list(dict.fromkeys(found))


def _chinese_topic(question: str) -> str | None:
    match = _CHINESE_SUBJECT.match(question.strip())
    return match["x"] if match and not _CHINESE_PRONOUN.search(match["x"]) else None


def _in_chinese(question: str, previous: str, topic: str) -> str | None:
    text = re.sub(r"^(?:那么?|还有|然后|而且)[,，]?", "", question.strip())
    if _CHINESE_PRONOUN.search(text):
        return _CHINESE_PRONOUN.sub(topic, text)
    match = re.fullmatch(r"(?P<x>[^，,]{1,10}?)呢[？?]?", text)
    return previous.replace(topic, match["x"]) if match else None
