"""Facts that a sentence states, each as a question and a short answer, by rules; English and Chinese.

The answer is always a part of the sentence. A sentence that no rule knows states nothing here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from assistant.language.chinese_patterns import CHINESE
from assistant.language.chinese_patterns import WHEN as CHINESE_WHEN
from assistant.language.english_clauses import split_clauses, verb_place
from assistant.language.english_patterns import ENGLISH, NUMBER, ROLE
from assistant.language.english_questions import ask
from assistant.language.english_words import (
    ATTRIBUTE,
    PERSON,
    PREPOSITIONS,
)
from assistant.language.fact_filters import misread, sounds, sounds_chinese, swallows_verb
from assistant.language.text import (
    base_form,
    capitalised,
    has_chinese,
    participle,
    sentences,
    uncapitalised,
)
from assistant.language.verbs import BASE, base_of


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
# What may follow a fact and does not belong to it: small talk, signs, what it is not.
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
_APPOSITION = re.compile(
    r"(?P<x>[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*|(?:[Mm]y|[Oo]ur|"
    r"[Tt]he) (?:[\w'’-]+ ){0,3}[\w'’-]+), (?P<y>[^,]{3,45}), (?P<rest>[a-z].+)"
)
# What a person did not say as a fact.
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
_NEW_CLAUSE = re.compile(
    r",? and (?=(?:I|we|my|our|the|[A-Z]\w+) (?:\w+ ){0,3}?(?:is|are|was|were|\w+s|have|live|work) )"
)
_AFTERTHOUGHT = re.compile(
    r"[;]|: | - |,? (?:and|but) then |,(?= (?:and|but|so|which|who|where|when|while|because|although|one|two|then|"
    r"counted)\b)| \(| "
    r"– | — "
)
_NOWADAYS = re.compile(r" (?:now|currently|these days|nowadays|from now on)$")
# What belongs to the subject of the clause before.
_TAKEN_UP = re.compile(r"(?:(?:,|;)? and|[;,:]|,? but) (he|she|it|they)(?=['’ ])")
_CHINESE_PART = re.compile(
    r"的?(?:名字|老家|密码|账号|租金|租期|学费|工资|房租|湿度|温度|口味|桌面|外壳|表面|底座|外墙|颜色|价格|售价|面积|电话|地址|高度|重量|屋顶|长度|产量|容量|电量)"
)
# The subject of a first clause, and predicates that go on speaking of it behind a comma.
_CHINESE_SUBJECT = re.compile(
    r"(?P<x>[^，,]{1,12}?)(?=是|在|有|叫|建|由|于|以前|现在|目前|原来|每|用|要|必须|能|可以|会|一共|只|卖|涨|搬|定|住|"
    r"被|从|归|姓|最|喜欢|招|得|重)"
)
_CHINESE_PREDICATE = re.compile(
    rf"(?:而且|并且|还|也)?(?:{CHINESE_WHEN}|今年|已经|现在|目前|平时|一般|主要|大概|最多|至少|每|只|在|由|用|从|"
    r"有|重\d|能|可以|得|会|住|归|属于|位于|叫|对.+过敏|花了|不[吃喝用加]|最?喜欢|爱)"
)
_CHINESE_FRONTED = re.compile(
    rf"(?P<when>{CHINESE_WHEN})(?P<subject>我们|我|公司|"
    rf"[^的是有]{{2,6}}?)(?P<rest>[由在从都会要对用把开办举搬建].+)"
)
_REASON = re.compile(r",? because .*|,? due to .*|, (?:as|since) .*")
_MAX_WORDS, _MAX_CHARACTERS = 30, 80


def facts_in(text: str) -> list[Fact]:
    """The facts of a text, sentence by sentence, in order; none for questions, orders and guesses."""
    return [fact for sentence in sentences(text) for fact in _facts_of(sentence)]


@lru_cache(maxsize=4096)  # a page curates the same chat at every click
def _facts_of(sentence: str) -> tuple[Fact, ...]:
    return tuple(_read(sentence))


def _read(sentence: str) -> Iterator[Fact]:
    chinese = has_chinese(sentence)
    bare = re.sub(r"[*_`#>]|^\s*(?:[-•]|\d+\.)\s+", "", sentence).strip()
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
    label, aside = _LABELLED.fullmatch(bare), _APPOSITION.match(bare)
    if label is not None and _is_label(label["x"], label["y"]):
        article = "" if re.match(r"(?:the|our|my) ", label["x"], re.IGNORECASE) else "the "
        thing = label["x"]
        if re.match(r"[A-Z][a-z]+ [a-z]", thing):
            thing = thing[0].lower() + thing[1:]
        yield f"What is {article}{_lower_first(thing)}?", capitalised(label["y"]) + "."
    if aside is None:
        return
    name, other = aside["x"], aside["y"]
    if re.match(r"(?:my|our|the) ", name, re.IGNORECASE) and re.fullmatch(
        r"[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*", other
    ):
        word = "Who" if re.search(rf"\b{ROLE}$", name) else "What"
        yield f"{word} is {_lower_first(name)}?", other + "."
    elif name[0].isupper() and re.match(rf"(?:my|our|the) .*{ROLE}", other):
        yield f"Who is {name}?", capitalised(other) + "."


def _is_label(name: str, told: str) -> bool:
    """Whether "name: told" names something and says what it is; a title or the opening of a sentence does not."""
    if (
        told[0] in "'\"‘“"
        or verb_place(_lower_first(told)) is not None
        or verb_place(name + " it") is not None
    ):
        return False
    if re.match(r"[A-Z]\w+ing ", name) or len(name.split()) > 5:
        return False
    known = ATTRIBUTE.search(name) or re.match(r"(?:my|our) ", name, re.IGNORECASE)
    return bool(known) or not told.islower() or any(letter.isdigit() for letter in told)


def _can_be_fact(bare: str, chinese: bool) -> bool:
    if _UNCERTAIN.search(bare) or (chinese and _NO_SUBJECT.match(bare)):
        return False
    return len(bare) <= _MAX_CHARACTERS if chinese else 3 <= len(bare.split()) <= _MAX_WORDS


def _clauses(bare: str, chinese: bool) -> list[str]:
    """Main clauses with a subject of their own; what follows a comma otherwise rarely belongs to the fact."""
    if chinese:
        return _chinese_clauses(bare)
    return [
        _lower_first(part)
        for clause in _main_clauses(bare)
        for told in clause.split("; ")
        for part in split_clauses(_lower_first(_NOWADAYS.sub("", _AFTERTHOUGHT.split(told)[0])))
        if not _NO_SUBJECT.match(part)
    ]


def _main_clauses(bare: str) -> list[str]:
    """Where "and" begins a clause of its own; "Moss and Vinyl plays music" is one clause."""
    aside = _APPOSITION.match(bare)
    bare = _with_subjects(f"{aside['x']} {aside['rest']}" if aside is not None else bare)
    clauses = _NEW_CLAUSE.split(bare)
    return clauses if all(verb_place(_lower_first(clause)) is not None for clause in clauses) else [bare]


def _with_subjects(bare: str) -> str:
    """With the first subject for the pronoun that takes it up: "Our dog is old and he sleeps" speaks of one dog."""
    parts = _TAKEN_UP.split(bare)
    place = verb_place(_lower_first(parts[0])) if len(parts) > 1 else None
    if place is None:
        return bare
    subject = " ".join(parts[0].split()[:place])
    told = [parts[0]]
    for pronoun, rest in zip(parts[1::2], parts[2::2], strict=True):
        if pronoun == "it" and PERSON.match(subject):
            break
        told.append(subject + rest)
    return "; ".join(told)


def _chinese_clauses(bare: str) -> list[str]:
    """The first clause, its time behind its subject, and what follows a comma with a predicate of its own."""
    if re.search(r"[,，](?:原因是|是因为|因为|由于)", bare):
        return [bare, re.split("[，,]", bare)[0]]
    first, *others = re.split(r"[,，;；]", bare)
    if re.fullmatch(CHINESE_WHEN, first) and others:
        first = first + others.pop(0)
    fronted = _CHINESE_FRONTED.match(first)
    if fronted:
        first = f"{fronted['subject']}{fronted['when']}{fronted['rest']}"
    found = _CHINESE_SUBJECT.match(first)
    subject = re.sub(r"[读测学教用养]的$", "", found["x"]) if found else ""  # "我妹读的是…"
    clauses = [first]
    for other in others:
        if _CHINESE_PART.match(other):
            if subject not in ("", "我", "我们"):
                clauses.append(f"{subject}的{other.removeprefix('的')}")
        elif _CHINESE_PREDICATE.match(other):
            if subject:
                clauses.append(f"{subject}{other}")
        elif re.match(r"我|公司|[A-Za-z]|[^是有在]{1,6}的|.{0,4}[员长师人任]是", other):
            clauses.append(other)
    return clauses


def _lower_first(clause: str) -> str:
    """With the first word in small letters where it is no name: "The", "Nine", "Employees of"."""
    first, _, rest = clause.partition(" ")
    verb = rest.split(" ", 1)[0]
    small = (
        re.fullmatch(NUMBER, first.lower()),
        first.lower() in ("all", "new", "both", "most") and rest[:1].islower(),
        re.match(r"[A-Z][a-z]+s (?:of|at|in|on|from|for|to|are|have|may|must|should|can) ", clause),
        re.match(r"[A-Z][a-z]+(?:ing|day) [a-z]{3,}s (?!the |an? |our |my )", clause),
        re.match(r"[A-Z][a-z]+ing (?:an?|the|one|your|our|it|them)\b", clause),
        re.fullmatch(r"[A-Z][a-z]{3,}s", first) and base_of(verb, BASE) and verb.islower(),
    )
    if any(small):
        return first.lower() + " " + rest
    return uncapitalised(clause)


def _matches(clause: str, chinese: bool) -> Iterator[tuple[str, str]]:
    """The question and answer of the first form that fits; both where a sentence says when and by whom."""
    begun: set[str] = set()  # how the questions begin, and what they ask for
    plain = clause if chinese else _REASON.sub("", clause)
    verb = None if chinese else verb_place(clause)
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
        if not (sounds_chinese(match["x"], reply) if chinese else sounds(asked, reply)):
            continue
        yield (asked + "？", reply) if chinese else (capitalised(asked) + "?", capitalised(reply) + ".")
        begun |= {asked.split()[0], "what", "where", "who", reply.lower()}
        break
    if chinese or verb is None or not _is_subject(" ".join(clause.split()[:verb]), chinese):
        return
    for asked, reply in ask(clause):
        if sounds(asked, reply) and not {asked.split()[0], reply.lower()} & begun:
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
