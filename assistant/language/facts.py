"""Facts that a sentence states, each as a question and a short answer, by rules; English and Chinese.

The answer is always a part of the sentence. A sentence that no rule knows states nothing here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.language import chinese_clauses, english_sentences
from assistant.language.chinese_patterns import CHINESE
from assistant.language.english_finite_verb import verb_index
from assistant.language.english_patterns import ENGLISH, ROLE
from assistant.language.english_questions import questions_about
from assistant.language.english_sentences import APPOSITION, lower_first
from assistant.language.english_words import (
    ATTRIBUTE,
    PREPOSITIONS,
)
from assistant.language.fact_filters import is_well_formed, is_well_formed_chinese, misread, swallows_verb
from assistant.language.text import (
    base_form,
    capitalised,
    has_chinese,
    participle,
    sentences,
    uncapitalised,
)


@dataclass(frozen=True)
class Fact:
    """A question and its answer, as stated in `sentence`."""

    question: str
    answer: str
    sentence: str


_OPENING = re.compile(
    r"^(?:(?:from now on|heads up|(?:small |quick )?(?:update|reminder|note|news)(?: to self)?|"
    r"good to know|fun fact|between us|"
    r"for the record|one more thing|in case (?:you need it|it helps|you wonder)|turns out|oh|hey|"
    r"ah|hm+|listen|"
    r"fyi|by the way|btw|just so you know|for your information|"
    r"please (?:remember|note)(?: that)?|"
    r"remember(?: that)?|note(?: that)?|actually|also|and|so|well|ok|okay|but|hi|hello|yes|no|oh|in fact|"
    r"we(?: have|['’]ve)? (?:decided|agreed) that|"
    r"i (?:should|must|want to|wanted to|need to|have to) (?:mention|add|say|point out|note|stress|"
    r"tell you)(?: that)?|"
    r"you should know(?: that)?|i(?:'d| would) like you to (?:know|remember)(?: that)?)\b[,:;. ]*)+",
    re.IGNORECASE,
)
_CORRECTED = re.compile(r"不是[^，,]{1,12}[，,]而?是")  # "it is not B12, it is C07"
_CHINESE_OPENING = re.compile(
    r"^(?:(?:顺便说一下|跟你说一声|跟你说|提醒一下|说一下|记一下|备忘|通知|忘了讲|忘了说|对(?=[，, ])|嗯|哦|"
    r"说起来|告诉你|说个事|(?:跟你)?[说讲]一下(?:背景|情况)|事情是这样的?|"
    r"补充一下|更正[：:]?|请记住|记住|请注意|注意|其实|另外|对了|你好|您好|而且|还有|那么)[,，:：、 ]*)+"
)
# What may follow a fact and does not belong to it: small talk, emoticons, what it is not.
_TAIL = re.compile(
    r"(?:,? (?:just )?(?:fyi|btw|fwiw|by the way|for the record|as you know|haha|lol|thanks|"
    r"you know|actually|honestly)"
    r"|, (?:not|never|instead of|rather than) [^,.]{1,60}|\s*(?:[:;]-?[)(DP]|"
    r"[\u2600-\u27bf\U0001f300-\U0001faff]+))+[.!]?\s*$",
    re.IGNORECASE,
)
_CHINESE_TAIL = re.compile(
    r"(?:[，,](?:不是|而不是|并非|别)[^，,]{1,20}|[哦喔哈啊呀啦嘛~～]+|"
    r"[\u2600-\u27bf\U0001f300-\U0001faff]+)+[。！!]?\s*$"
)
_LABELLED = re.compile(r"(?P<x>(?:the |our |my )?[A-Za-z][\w'’ -]{2,40}): (?P<y>[^:,;]{1,60})")
# Guesses, conditions and denials state nothing.
_UNCERTAIN = re.compile(
    r"\b(?:if|maybe|perhaps|probably|possibly|might|could|would|i (?:think|guess|suppose|hope|wish|wonder|"
    r"doubt)|not|"
    r"never|no longer|\w+n['’]t|suppose|imagine|unless|whether|allegedly|apparently|seems?)\b|"
    r"如果|要是|一旦|只要|除非|可能|也许|大概是|或许|好像|似乎|没有?|不是|不会|不再|假设|我觉得|我想|我猜|好想|"
    r"真想|希望|但愿|该多好",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    r"^(?:your (?:\w+ )?(?:answer|reply|response|explanation|summary|message)s?|"
    r"it|this|that|these|those|there(?! (?:is|are|was|were) )|he|she|they|them|which|what|who|here|"
    r"you|one|everyone|everybody|"
    r"some|many|most|only|nobody|no one|nothing|none|"
    r"all(?! (?:of )?(?:our|the|my|\w+s|\w+ \w+s)\b)|"
    r"such|both|if|when|while|because|as|for|in|on|at|after|before|with|by|to|from|let|please|thanks?|"
    r"its|his|her|their|last|today|now|then|first|sometimes|often|once)\b|^[^\w]|^(?:它|他们?|"
    r"她们?|这|那|你|您|请|因为|所以|但是|如果|其中)",
    re.IGNORECASE,
)
_REASON = re.compile(r",? because .*|,? due to .*|, (?:as|since) .*")
_MAX_WORDS, _MAX_CHARACTERS = 30, 80


def facts_in(text: str) -> list[Fact]:
    """The facts of a text, sentence by sentence, in order; none for questions, orders and guesses."""
    return [fact for sentence in sentences(text) for fact in _facts_of(sentence)]


_MARKUP = re.compile(r"[*_`#>]|^\s*(?:[-•]|\d+\.)\s+")


@lru_cache(maxsize=4096)  # a page curates the same chat at every click
def _facts_of(sentence: str) -> tuple[Fact, ...]:
    said = " ".join(_MARKUP.sub("", sentence).split()).casefold()
    # A rule that moves words may join what the sentence does not: such an answer is none.
    return tuple(fact for fact in _read(sentence) if fact.answer.rstrip(".").casefold() in said)


def _read(sentence: str) -> Iterator[Fact]:
    chinese = has_chinese(sentence)
    bare = _MARKUP.sub("", sentence).strip()
    if bare.endswith(("?", "？", ":", "：")) or sentence.lstrip().startswith("#"):
        return
    bare = (_CHINESE_TAIL if chinese else _TAIL).sub("", bare)
    opening = _CHINESE_OPENING if chinese else _OPENING
    bare = _CORRECTED.sub("是", opening.sub("", bare).rstrip(" .!。！;；"))
    if not _can_be_fact(bare, chinese):
        return
    asked: set[str] = set()
    yield from (Fact(*pair, sentence.strip()) for pair in _identities(bare))
    for clause in _clauses(bare, chinese):
        for question, answer in _matches(clause, chinese):
            if question not in asked:
                asked.add(question)
                yield Fact(question, answer, sentence.strip())


def _identities(bare: str) -> Iterator[tuple[str, str]]:
    """What is said without a verb: "office hours: 9 to 5"; "Valdis, our accountant, …"."""
    label, aside = _LABELLED.fullmatch(bare), APPOSITION.match(bare)
    if label is not None and _is_label(label["x"], label["y"]):
        article = "" if re.match(r"(?:the|our|my) ", label["x"], re.IGNORECASE) else "the "
        thing = label["x"]
        if re.match(r"[A-Z][a-z]+ [a-z]", thing):
            thing = thing[0].lower() + thing[1:]
        yield f"What is {article}{lower_first(thing)}?", capitalised(label["y"]) + "."
    if aside is None:
        return
    name, other = aside["x"], aside["y"]
    if re.match(r"(?:my|our|the) ", name, re.IGNORECASE) and re.fullmatch(
        r"[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*", other
    ):
        word = "Who" if re.search(rf"\b{ROLE}$", name) else "What"
        yield f"{word} is {lower_first(name)}?", other + "."
    elif name[0].isupper() and re.match(rf"(?:my|our|the) .*{ROLE}", other):
        yield f"Who is {name}?", capitalised(other) + "."


def _is_label(name: str, value: str) -> bool:
    """Whether "name: value" names something and says what it is; a title or the opening of a sentence does not."""
    if (
        value[0] in "'\"‘“"
        or verb_index(lower_first(value).split()) is not None
        or verb_index((name + " it").split()) is not None
    ):
        return False
    if re.match(r"[A-Z]\w+ing ", name) or len(name.split()) > 5:
        return False
    known = ATTRIBUTE.search(name) or re.match(r"(?:my|our) ", name, re.IGNORECASE)
    return bool(known) or not value.islower() or any(letter.isdigit() for letter in value)


def _can_be_fact(bare: str, chinese: bool) -> bool:
    if _UNCERTAIN.search(bare) or (chinese and _NO_SUBJECT.match(bare)):
        return False
    return len(bare) <= _MAX_CHARACTERS if chinese else 3 <= len(bare.split()) <= _MAX_WORDS


def _clauses(bare: str, chinese: bool) -> list[str]:
    """The clauses that have a subject of their own."""
    if chinese:
        return chinese_clauses.clauses_of(bare)
    return [clause for clause in english_sentences.clauses_of(bare) if not _NO_SUBJECT.match(clause)]


def _matches(clause: str, chinese: bool) -> Iterator[tuple[str, str]]:
    """Question and answer of the first pattern that fits, then what the grammar of the clause adds to it."""
    covered: set[str] = set()  # question words and answers that the pattern has already given
    plain = clause if chinese else _REASON.sub("", clause)
    verb = None if chinese else verb_index(clause.split())
    for pattern, question, answer in CHINESE if chinese else ENGLISH:
        match = re.fullmatch(pattern, plain)
        if match is None or not _is_subject(match["x"] if "x" in match.groupdict() else match["y"], chinese):
            continue
        if not chinese and (misread(match) or swallows_verb(match, verb)):
            continue
        fields = _fields(match)
        reply = _without_aside(answer.format(**fields).strip(" ,，。."))
        asked = " ".join(question.format(**fields).split())
        if chinese:
            asked, reply = _with_aspect(asked, reply)
        if not reply or len(reply) > 120:
            continue
        if not (is_well_formed_chinese(match["x"], reply) if chinese else is_well_formed(asked, reply)):
            continue
        yield (asked + "？", reply) if chinese else (capitalised(asked) + "?", capitalised(reply) + ".")
        covered |= {asked.split()[0], "what", "where", "who", reply.lower()}
        break
    if chinese or verb is None or not _is_subject(" ".join(clause.split()[:verb]), chinese):
        return
    for asked, reply in questions_about(clause):
        if is_well_formed(asked, reply) and not {asked.split()[0], reply.lower()} & covered:
            yield capitalised(asked) + "?", capitalised(reply) + "."


def _with_aspect(asked: str, reply: str) -> tuple[str, str]:
    """ "打什么？→ 了八万" is "打了什么？→ 八万"; what is over now ("已经搬到楼上了") ends without saying so."""
    if reply[:1] in ("了", "过", "着") and "什么" in asked:
        before, _, after = asked.rpartition("什么")
        asked, reply = f"{before}{reply[0]}什么{after}", reply[1:]
    return asked, reply.removesuffix("了") if len(reply) > 2 else reply


def _without_aside(answer: str) -> str:
    """The answer up to its first comma, unless the commas make a list."""
    if re.fullmatch(r"[^,]+(?:, [^,]{1,40})*,? (?:and|or) [^,]{1,40}", answer):
        return answer
    return answer.split(", ", 1)[0]


def _is_subject(text: str, chinese: bool) -> bool:
    if chinese:
        return 1 <= len(text) <= 20 and not _NO_SUBJECT.match(text)
    if text.split()[0].lower() in PREPOSITIONS | {"up", "despite", "according"}:
        return False
    return len(text.split()) <= 10 and not _NO_SUBJECT.match(text) and ("," not in text or " and " in text)


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
