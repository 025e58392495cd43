"""Facts that a sentence states, each as a question and a short answer, by rules; English and Chinese.

The answer is always a part of the sentence. A sentence that no rule knows states nothing here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.clause_questions import ask
from assistant.clause_words import DETERMINERS, PREPOSITIONS
from assistant.clauses import single_clauses, verb_place
from assistant.statement_rules import ENGLISH, NUMBER
from assistant.statement_rules_chinese import CHINESE
from assistant.statement_rules_chinese import WHEN as CHINESE_WHEN
from assistant.wording import (
    base_form,
    capitalised,
    has_chinese,
    participle,
    sentences,
    uncapitalised,
    word_set,
)


@dataclass(frozen=True)
class Fact:
    """A question and its answer, as stated in `sentence`."""

    question: str
    answer: str
    sentence: str


_OPENING = re.compile(
    r"^(?:(?:from now on|fyi|by the way|btw|just so you know|for your information|"
    r"please (?:remember|note)(?: that)?|"
    r"remember(?: that)?|note(?: that)?|actually|also|and|so|well|ok|okay|but|hi|hello|yes|no|oh|in fact|"
    r"you should know(?: that)?|i(?:'d| would) like you to (?:know|remember)(?: that)?)\b[,:;. ]*)+",
    re.IGNORECASE,
)
_CHINESE_OPENING = re.compile(
    r"^(?:顺便说一下|请记住|记住|请注意|注意|其实|另外|对了|你好|您好|而且|还有|那么)[,，:： ]*"
)
# What a person did not say as a fact.
_UNCERTAIN = re.compile(
    r"\b(?:if|maybe|perhaps|probably|possibly|might|could|would|i (?:think|guess|suppose|hope|wish|wonder|"
    r"doubt)|not|"
    r"never|no longer|\w+n['’]t|suppose|imagine|unless|whether|allegedly|apparently|seems?)\b|"
    r"如果|要是|可能|也许|大概是|或许|好像|似乎|没有?|不是|不会|不再|假设|我觉得|我想|我猜",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    r"^(?:it|this|that|these|those|there|he|she|they|them|which|what|who|here|you|one|everyone|everybody|"
    r"some|many|most|"
    r"all|such|both|if|when|while|because|as|for|in|on|at|after|before|with|by|to|from|let|please|thanks?|"
    r"its|his|her|their|last|today|now|then|first|sometimes|often|once)\b|^[^\w]|^(?:它|他们?|她们?|这|那|你|您|请|因为|所以|但是|如果|其中)",
    re.IGNORECASE,
)
_NEW_CLAUSE = re.compile(
    r",? and (?=(?:I|we|my|our|the|[A-Z]\w+) (?:\w+ ){0,3}?(?:is|are|was|were|\w+s|have|live|work) )"
)
_AFTERTHOUGHT = re.compile(
    r"[;]|: |,(?= (?:and|but|so|which|who|where|when|while|because|although|one|two|then|counted)\b)| \(| "
    r"– | — "
)
_NOWADAYS = re.compile(r" (?:now|currently|these days|nowadays|from now on)$")
# A verb inside what should be a name or a noun: the form did not fit.
_FINITE = re.compile(r"\b(?:is|are|was|were|has|have|had|will|can|must|does|do|did)\b")
# What belongs to the subject of the clause before.
_CHINESE_PART = re.compile(
    r"的?(?:名字|外墙|颜色|价格|售价|面积|电话|地址|高度|重量|屋顶|长度|产量|容量|电量)"
)
_CHINESE_NO_SUBJECT = re.compile(r"^(?:最初|原来|只|也|都|还|其中|中间|从|在|一共)|[只就也都还总才]$")
_CHINESE_NO_ANSWER = re.compile(r"^(?:这样|那样|什么|一前|一样)|[^色]的$|[吗呢吧]$")
# Words that no answer ends with, words that begin a clause of its own, answers that only point.
_UNFINISHED = DETERMINERS | (PREPOSITIONS - {"off", "in", "on", "up"}) | {"and", "or", "not", "is", "are"}
_UNFINISHED_QUESTION = word_set("and or the a an my our their its")
_ASKING_WORDS = word_set("what who which where whether how whose")
_POINTING = re.compile(
    r"(?:(?:to|in|on|by|with|for|from|of) )?(?:it|them|this|that|these|those|there|here|itself|themselves|one|ones|"
    r"him|her|me|us|you|so|both|two|three|all|others?|once|off|on|at once|"
    r"only|then|now)(?: (?:alone|too|again|only|up|out))?",
    re.IGNORECASE,
)
_MOST_WORDS, _MOST_CHARACTERS = 30, 80


def facts_in(text: str) -> list[Fact]:
    """The facts of a text, sentence by sentence, in order; none for questions, orders and guesses."""
    return [fact for sentence in sentences(text) for fact in _facts_of(sentence)]


@lru_cache(maxsize=4096)  # a page curates the same chat at every click
def _facts_of(sentence: str) -> tuple[Fact, ...]:
    return tuple(_read(sentence))


def _read(sentence: str) -> Iterator[Fact]:
    chinese = has_chinese(sentence)
    bare = re.sub(r"[*_`#>]|^\s*(?:[-•]|\d+\.)\s+", "", sentence).strip()
    if bare.endswith(("?", "？", ":", "：")):
        return
    opening = _CHINESE_OPENING if chinese else _OPENING
    bare = opening.sub("", bare).rstrip(" .!。！;；")
    if not _can_be_fact(bare, chinese):
        return
    asked: set[str] = set()
    for clause in _clauses(bare, chinese):
        for question, answer in _matches(clause, chinese):
            if question not in asked:
                asked.add(question)
                yield Fact(question, answer, sentence.strip())


def _can_be_fact(bare: str, chinese: bool) -> bool:
    if _UNCERTAIN.search(bare) or (chinese and _NO_SUBJECT.match(bare)):
        return False
    return len(bare) <= _MOST_CHARACTERS if chinese else 3 <= len(bare.split()) <= _MOST_WORDS


def _clauses(bare: str, chinese: bool) -> list[str]:
    """Main clauses with a subject of their own; what follows a comma otherwise rarely belongs to the fact."""
    if chinese:
        return _chinese_clauses(bare)
    return [
        _lower_first(part)
        for clause in _main_clauses(bare)
        for part in single_clauses(_lower_first(_NOWADAYS.sub("", _AFTERTHOUGHT.split(clause)[0])))
        if not _NO_SUBJECT.match(part)
    ]


def _main_clauses(bare: str) -> list[str]:
    """Where "and" begins a clause of its own; "Moss and Vinyl plays music" is one clause."""
    clauses = _NEW_CLAUSE.split(bare)
    return clauses if all(verb_place(_lower_first(clause)) is not None for clause in clauses) else [bare]


def _chinese_clauses(bare: str) -> list[str]:
    """The first clause, its time behind its subject, and what follows a comma with a predicate of its own."""
    first, *others = re.split(r"[,，;；]", bare)
    if re.fullmatch(CHINESE_WHEN, first) and others:
        first = first + others.pop(0)
    fronted = re.match(
        rf"(?P<when>{CHINESE_WHEN})(?P<subject>我们[^的]?|我|公司|.{{2,8}}?)(?P<rest>[由在从都会要对用把].+)",
        first,
    )
    if fronted and not fronted["subject"].startswith("的"):
        first = f"{fronted['subject']}{fronted['when']}{fronted['rest']}"
    subject = re.match(r"(?P<x>.{1,10}?)(?:的|是|在|有|叫|建|由|于|每)", first)
    clauses = [first]
    for other in others:
        if re.match(
            r"(?:的?(?:名字|外墙|颜色|价格|售价|面积|电话|地址|高度|重量|屋顶|长度|产量|容量|电量|密码))",
            other,
        ):
            if subject is not None and subject["x"] not in ("我", "我们"):
                clauses.append(f"{subject['x']}的{other.removeprefix('的')}")
        elif re.match(r"我|公司|[A-Za-z]|[^是有在]{1,6}的|.{0,4}[员长师人任]是", other):
            clauses.append(other)
    return clauses


def _lower_first(clause: str) -> str:
    """With the first word in small letters where it is no name: "The", "Nine", "Employees of"."""
    first, _, rest = clause.partition(" ")
    plural = re.match(r"[A-Z][a-z]+s$", first) and re.match(
        r"(?:of|at|in|are|have|may|must|should|can) ", rest
    )
    if plural or re.fullmatch(NUMBER, first.lower()):
        return first.lower() + " " + rest
    return uncapitalised(clause)


def _matches(clause: str, chinese: bool) -> Iterator[tuple[str, str]]:
    """The question and answer of the first form that fits; both where a sentence says when and by whom."""
    found = 0
    verb = None if chinese else verb_place(clause)
    for pattern, question, answer in CHINESE if chinese else ENGLISH:
        match = re.fullmatch(pattern, clause)
        if match is None or not _is_subject(match["x"] if "x" in match.groupdict() else match["y"], chinese):
            continue
        if not chinese and (_misread(match) or _swallows_verb(match, verb)):
            continue
        fields = _fields(match)
        reply = _without_aside(answer.format(**fields).strip(" ,，。."))
        asked = " ".join(question.format(**fields).split())
        if not reply or len(reply) > 120:
            continue
        if not (_sounds_chinese(match["x"], reply) if chinese else _sounds(asked, reply)):
            continue
        yield (asked + "？", reply) if chinese else (capitalised(asked) + "?", capitalised(reply) + ".")
        if asked.lower().startswith("who ") or not re.search(r"\bby [A-Z]", clause) or found:
            return
        found += 1
    read = (
        ask(clause)
        if not found and not chinese and _is_subject(" ".join(clause.split()[:verb]), chinese)
        else None
    )
    if read is not None and _sounds(*read):
        yield capitalised(read[0]) + "?", capitalised(read[1]) + "."


def _sounds(question: str, answer: str) -> bool:
    """Whether neither the question nor the answer breaks off, points elsewhere or is a clause of its own."""
    words, asked = answer.lower().split(), question.split()
    if not words or words[-1] in _UNFINISHED or _POINTING.fullmatch(answer):
        return False
    if words[0] in ("until", "than", "that", "if") or _ASKING_WORDS.intersection(words):
        return False
    if asked[-1].lower() in _UNFINISHED_QUESTION or _ASKING_WORDS.intersection(map(str.lower, asked[2:])):
        return False
    return not re.search(r"[()\"“”\[\]{}=]|: |^\W", question + " " + answer)


def _sounds_chinese(subject: str, answer: str) -> bool:
    """Whether the subject is a name or a noun and the answer says something."""
    if _CHINESE_NO_SUBJECT.search(subject) or re.fullmatch(CHINESE_WHEN, subject):
        return False
    return not _CHINESE_NO_ANSWER.search(answer)


def _swallows_verb(match: re.Match[str], verb: int | None) -> bool:
    """Whether what the form takes for the subject holds the verb of the clause."""
    groups = match.groupdict()
    subject = groups.get("x")
    starts = subject is not None and match.start("x") == 0
    return verb is not None and subject is not None and starts and len(subject.split()) > verb


def _misread(match: re.Match[str]) -> bool:
    """Whether the subject swallowed a verb, or ends where no noun ends."""
    groups = match.groupdict()
    subject = groups.get("x") or ""
    swallowed = _FINITE.search(subject) or (
        not groups.get("be") and _FINITE.search((groups.get("y") or "")[:40])
    )
    if (groups.get("k") or "").lower() in ("one", "a", "an") or "," in groups.get("rest", ""):
        return True  # "one cell of a type" is not a number of cells
    if "k" in groups and re.match(rf"(?: [a-z]+s\b|.* and {NUMBER}\b)", groups.get("rest") or ""):
        return True  # "14 loading docks" are no loadings
    if re.match(r"\w+ed\b|open\b|closed\b", groups.get("y") or "") and "v" not in groups:
        return True  # "the seal is looked at": what it is was not said
    return bool(swallowed) or bool(re.search(r"(?:^|\s)(?:the|a|an|of|to|my|our|in|at|for|and|or)$", subject))


def _without_aside(answer: str) -> str:
    """The answer up to its first comma, unless the commas make a list."""
    if re.fullmatch(r"[^,]+(?:, [^,]{1,40})*,? (?:and|or) [^,]{1,40}", answer):
        return answer
    return answer.split(", ", 1)[0]


def _is_subject(text: str, chinese: bool) -> bool:
    if chinese:
        return 1 <= len(text) <= 20 and not _NO_SUBJECT.match(text)
    return len(text.split()) <= 8 and not _NO_SUBJECT.match(text) and "," not in text


def _fields(match: re.Match[str]) -> dict[str, str]:
    fields = {name: value or "" for name, value in match.groupdict().items()}
    subject = fields.get("x", "")
    if subject and not has_chinese(subject):
        fields["x"] = subject if subject.split()[0] == "I" else uncapitalised(subject)
    verb = fields.get("v", "").split(" ")[0]
    plural = subject.lower() in ("i", "we") or verb == base_form(verb)
    fields["do"] = "do" if plural else "does"
    fields["vb"] = base_form(verb) if participle(verb) == "" or verb.endswith("s") else verb
    return fields
