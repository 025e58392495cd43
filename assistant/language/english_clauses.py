"""Takes an English clause apart: subject, verb, complements, each with what it says (when, where, how long, …).

The forms of `statement_rules.py` know particular sentences; this reads the others by their grammar.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import (
    ADVERB,
    ALSO_NOUNS,
    AMOUNT,
    BE,
    BINDING,
    CLOCK,
    COUNT,
    DETERMINERS,
    EXTENT,
    HAVE,
    IDIOMS,
    LANGUAGE,
    MODALS,
    NUMBERED,
    OFTEN,
    PARTICLES,
    PLACES,
    PLURALS,
    PREPOSITIONS,
    SUBORDINATE,
    WHEN,
)
from assistant.language.text import word_set
from assistant.language.verbs import BASE, PARTICIPLE, PAST, THIRD, base_of

_COMPOUND = frozenset(
    ["next to", "due to", "close to", "up to", "out of", "from under", "because of", "away from"]
)
_AS_SUCH = ("set", "shown", "usual", "well", "of", "far", "always")
_NEARLY = ("about", "around", "over", "under", "up")
_ATTRIBUTES = word_set("new old big small late early free guest staff support short long main daily")
_PRONOUN_INSIDE = re.compile(r"\s(?:I|you|he|she|it|they|we)(?:['’]\w+)?(?:\s|$)")
_TIME_NOUN = (
    r"(?:week|month|year|quarter|spring|summer|autumn|fall|winter|night|"
    r"\w+day|\w+(?:uary|ember|ober)|March|April|May|June|July|August)"
)
_AFTER_IS = r"located|based|open|closed|made|built|kept|stored|in|on|at|an?|the|run|led|owned|allergic|\d+"
_IS = BE - {"am"}  # that is a time of day as well
_ANY = word_set("everything anything nothing it them")
_BEFORE_TIMES = ("at", "on", "in", "from", "between", "by")
_FRONTED = (
    "last|next|in|at|on|since|every|each|after|before|during|from|for|until|between|under|behind|next to|by|"
    "once|twice"
)


@dataclass(frozen=True)
class Complement:
    """A part of what follows the verb: `kind` says how it is asked for."""

    kind: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Clause:
    """A clause taken apart. `auxiliary` comes before the subject in a question, `verb` after it."""

    subject: str
    auxiliary: str
    verb: str
    base: str
    passive: bool
    complements: tuple[Complement, ...]
    # The verb as it stood, with its auxiliaries: for questions about the subject.
    predicate: str


def split_clauses(clause: str) -> list[str]:
    """One clause for each verb: "the shop opens at nine and closes at five" says two things of one shop."""
    words = _expanded(_fronted_last(clause)).split()
    place = _verb_place(words)
    return [clause] if place is None else [" ".join(part) for part in _predicates(words, place)]


def verb_place(clause: str) -> int | None:
    """Which word of a clause is its finite verb."""
    return _verb_place(clause.split())


def _fronted_last(clause: str) -> str:
    """The same with its head at its end: "in 2019, the firm moved" is "the firm moved in 2019"."""
    match = re.match(
        rf"(?P<front>(?:{_FRONTED}) [^,]{{2,50}}?)"
        r"(?:, | (?=(?:the|our|my|we|I)\b))(?P<rest>.+)",
        clause,
        re.IGNORECASE,
    )
    if match is None:
        return clause
    known = re.match(r"(?:the|an?|our|my|we|I|every|each|[A-Z]|\w+s)\b", match["rest"])
    if not known and not (", " in clause and _verb_place(match["rest"].split())):
        return clause
    front = match["front"][:1].lower() + match["front"][1:]
    return f"{match['rest']} {front}"


def _expanded(clause: str) -> str:
    clause = re.sub(r"\bi(?=['’ ])", "I", clause)
    clause = re.sub(r"\b(I)['’]m\b", "I am", clause)
    clause = re.sub(r"(?<=\w)['’]s been\b", " has been", clause)
    clause = re.sub(r"\b([Tt]here)['’]s\b", r"\1 is", clause)
    clause = re.sub(r"\b(we|they|you)['’]re\b", r"\1 are", clause, flags=re.IGNORECASE)
    clause = re.sub(r"\b(I|we|they|you)['’]ve\b", r"\1 have", clause, flags=re.IGNORECASE)
    clause = re.sub(r"\b(I|we|they|you)['’]ll\b", r"\1 will", clause, flags=re.IGNORECASE)
    clause = re.sub(rf"(?<=\w)['’]s (?=(?:called|named|{_AFTER_IS})\b)", " is ", clause)
    return re.sub(r"\b(?:has|have) to (?=[a-z])", "must ", re.sub(r"\bneeds? to (?=[a-z])", "must ", clause))


def _verb_place(words: Sequence[str]) -> int | None:
    """Where the finite verb stands, or None."""
    for place in range(1, min(len(words), 10)):
        if words[place - 1].lower() in SUBORDINATE or not words[0][0].isalnum():
            return None  # a clause inside the subject, or a fragment
        if _ends_as_noun(words[:place]) and _is_finite(words, place):
            return _unless_noun(words, place)
    return None


def _unless_noun(words: Sequence[str], place: int) -> int:
    """ "Parking permits expire": what is a noun as well is no verb where another one follows."""
    word = words[place].lower()
    if words[place + 1 : place + 2] in (["and"], ["or"]):  # "wrist straps and holsters are covered"
        joined = (
            at for at in range(place + 3, min(len(words), place + 6)) if words[at].lower() in _IS | MODALS
        )
        return next(joined, place)
    soon = next((at for at in range(place + 1, min(len(words), place + 3)) if words[at].lower() in _IS), None)
    if soon and not (DETERMINERS | PREPOSITIONS) & {one.lower() for one in words[place:soon]}:
        return soon  # "two spare fuses are clipped"
    pronoun = words[place - 1].lower() in ("i", "we", "they", "you")
    if pronoun or not {base_of(word, THIRD), base_of(word, BASE)} & ALSO_NOUNS:
        return place
    for at in range(place + 1, min(len(words), place + 8)):
        later = words[at].lower()
        if later in SUBORDINATE | DETERMINERS | {"and", "or", "to"} or words[at - 1].endswith(","):
            return place
        if later in _IS or later in MODALS:
            return at
        adverbs = all(ADVERB.fullmatch(between) for between in words[place + 1 : at])
        if adverbs and _is_finite(words, at):
            return at
    return place


def _ends_as_noun(subject: Sequence[str]) -> bool:
    last = subject[-1].lower()
    if last in DETERMINERS or last in PREPOSITIONS or last in ("and", "or", "not"):
        return False
    listed = any(word.endswith(",") for word in subject[:-1])
    return not last.endswith(("'s", "’s", ",")) and (not listed or "and" in subject)


def _is_plural(subject: Sequence[str]) -> bool | None:
    """Whether the subject is plural; None where it can be either."""
    if re.fullmatch(NUMBER, subject[0], re.IGNORECASE) and subject[0].lower() not in ("one", "a", "an", "1"):
        return True
    cut = next((at for at, word in enumerate(subject) if at and word.lower() in PREPOSITIONS), len(subject))
    head = subject[cut - 1]
    if head.lower() in PLURALS or " and " in f" {' '.join(subject)} ":
        return True
    if head.endswith("s") and not head.lower().endswith(("ss", "us", "is")):
        return None if head[0].isupper() else True
    return None if head[0].isupper() and len(subject) == 1 and head.isupper() else False


def _is_finite(words: Sequence[str], place: int) -> bool:
    word, subject = words[place].lower(), words[:place]
    after = words[place + 1].lower() if place + 1 < len(words) else ""
    if word in BE or word in HAVE:
        return word != "am" or words[place - 1] == "I"  # "1 am" is no verb
    if word in MODALS:
        return bool(after)
    plural = _is_plural(subject)
    if base_of(word, THIRD) and plural is not True:
        return not _is_noun_before_verb(words, place)
    if base_of(word, BASE) and plural is not False and words[place].islower():
        return not base_of(word, PAST) or not _more_to_come(words, place)
    return bool(base_of(word, PAST)) and words[place].islower() and not _more_to_come(words, place)


def _is_noun_before_verb(words: Sequence[str], place: int) -> bool:
    """ "The team leads meet on Fridays": the verb is the next word."""
    rest = [word.lower() for word in words[place + 1 : place + 3]]
    if not rest:
        return False
    if rest[0] in BE or rest[0] in MODALS or rest[0] in HAVE:
        return True
    if words[0].lower() not in DETERMINERS | _ATTRIBUTES or not base_of(rest[0], BASE):
        return False
    return len(rest) == 1 or not rest[1].endswith("s")


def _more_to_come(words: Sequence[str], place: int) -> bool:
    """ "The pump installed in 2019 needs seals": what looks like a past form only describes the subject."""
    after = words[place + 1 :]
    if _main_verb_follows(after):
        return bool(base_of(words[place], PARTICIPLE))
    if not after or after[0].lower() not in PREPOSITIONS:
        return False
    for at, word in enumerate(after[1:], 1):
        lowered = word.lower()
        if lowered in ("and", "because", "which", "that", "when", "so", "but") or word.endswith(","):
            return False
        if lowered in _IS or lowered in MODALS or lowered in HAVE:
            return True
        if (
            base_of(lowered, THIRD)
            and after[at - 1].lower() not in DETERMINERS | PREPOSITIONS
            and at + 1 < len(after)
        ):
            return after[at + 1].lower() in DETERMINERS or bool(re.match(NUMBER, after[at + 1]))
    return False


def _main_verb_follows(words: Sequence[str]) -> bool:
    for word in words:
        if word.endswith((",", ";")) or word.lower() in SUBORDINATE | {"and", "but", "or"}:
            return False
        if word in _IS or word in MODALS:
            return True
    return False


def _predicates(words: Sequence[str], place: int) -> Iterator[list[str]]:
    """The clause, and again with its subject where "and" is followed by another finite verb."""
    subject, predicate = list(words[:place]), list(words[place:])
    start = 0
    for at in range(1, len(predicate) - 1):
        if predicate[at].lower() not in ("and", "but"):
            continue
        follower = predicate[at + 1].lower()
        alike = predicate[at + 1].islower() and _agrees(
            predicate[0].lower(), follower, predicate[at + 2 : at + 3]
        )
        governs = (
            predicate[at + 2 : at + 3] and predicate[at + 2].lower() in DETERMINERS | PREPOSITIONS | _ANY
        )
        listed = predicate[at - 1].endswith("s") and base_of(follower, THIRD) and not governs
        more = at + 2 < len(predicate) and not listed
        if more and (follower in BE or follower in HAVE or follower in MODALS or alike):
            yield subject + [word.rstrip(",") for word in predicate[start:at]]
            start = at + 1
        elif (
            predicate[0].lower() in BE and base_of(predicate[1], PARTICIPLE) and base_of(follower, PARTICIPLE)
        ):
            yield subject + [word.rstrip(",") for word in predicate[start:at]]  # "is looked at and replaced"
            predicate[at], start = predicate[0], at
    yield subject + predicate[start:]


def _agrees(verb: str, follower: str, after: Sequence[str]) -> bool:
    """Whether a word after "and" can be a second verb of the subject of `verb`."""
    if base_of(follower, THIRD):
        return bool(base_of(verb, THIRD)) or verb in ("is", "has")
    if base_of(follower, PAST):
        return bool(base_of(verb, PAST)) or verb in ("was", "had", "were")
    starts = bool(after) and (
        after[0].lower() in DETERMINERS | PREPOSITIONS or re.match(NUMBER, after[0], re.I)
    )
    return bool(base_of(follower, BASE) and starts and (base_of(verb, BASE) or verb in ("are", "have", "am")))


def parse_clause(words: Sequence[str]) -> Clause | None:
    place = _verb_place(words)
    if place is None:
        return None
    subject, rest = " ".join(words[:place]), list(words[place:])
    if _PRONOUN_INSIDE.search(subject):
        return None  # "the tool we use is …"
    verb = rest.pop(0).lower()
    if (
        verb in ("get", "gets", "got")
        and rest
        and base_of(rest[0], PARTICIPLE)
        and rest[0] not in ("set", "cut")
    ):
        base, done = base_of(rest[0], PARTICIPLE), rest.pop(0)
        auxiliary = {"get": "do", "gets": "does", "got": "did"}[verb]
        done = f"get {done}{_particle(rest)}"
        return Clause(subject, auxiliary, done, base, True, _complements(rest), f"{verb} {done[4:]}")
    if verb in MODALS:
        return _after_modal(subject, verb, rest)
    if verb == "used" and rest[:1] == ["to"] and rest[1:]:
        read = _after_modal(subject, "did", rest[1:])
        return None if read is None else replace(read, verb=f"use to {read.verb or 'be'}", predicate=verb)
    if verb in HAVE:
        return _after_have(subject, verb, rest)
    if verb in BE:
        return _after_be(subject, verb, rest, verb)
    kind = next(
        kind
        for kind in (THIRD, BASE, PAST)
        if base_of(verb, kind) and not (kind == BASE and _is_plural(words[:place]) is False)
    )
    auxiliary = {THIRD: "does", BASE: "do", PAST: "did"}[kind]
    base = base_of(verb, kind)
    particle = _particle(rest)
    if (
        auxiliary == "do"
        and re.fullmatch(r"[A-Z][a-z]{3,}s( .*)?", subject)
        and not re.search(r" [A-Z]", subject)
    ):
        subject = subject[0].lower() + subject[1:]
    return Clause(subject, auxiliary, base + particle, base, False, _complements(rest), verb + particle)


def _particle(rest: list[str]) -> str:
    """ " out" of "paid out": taken from the head of `rest`."""
    if rest and rest[0].lower() in ("itself", "themselves"):
        return f" {rest.pop(0).lower()}{_particle(rest)}"
    if rest[:2] in (["on", "sale"], ["on", "strike"], ["on", "tour"], ["on", "air"]):
        return f" {rest.pop(0)} {rest.pop(0)}"
    if rest[:2] in (["up", "to"], ["down", "to"]) and re.match(NUMBER, " ".join(rest[2:3])):
        return " " + rest.pop(0)  # "went up to 64 a year"
    if rest[:1] in (["in"], ["on"]) and rest[1:] and rest[1].lower() in PREPOSITIONS:
        return " " + rest.pop(0)  # "get in for half price"
    if (
        rest[:1] == ["over"]
        and rest[1:]
        and rest[1].isalpha()
        and rest[1].islower()
        and rest[1] not in DETERMINERS
    ):
        return "" if re.match(NUMBER, rest[1]) else " " + rest.pop(0)  # "took over payroll"
    if rest and rest[0].lower() in PARTICLES and rest[1:2] not in (["of"], ["to"]):
        return " " + rest.pop(0).lower()
    if len(rest) > 1 and rest[1] == "by" and rest[0].lower() in PREPOSITIONS:
        return " " + rest.pop(0).lower()  # "is paid for by"
    return ""


def _adverbs(rest: list[str]) -> list[str]:
    """Adverbs at the head of `rest`, taken from it."""
    taken = []
    while rest and ADVERB.fullmatch(rest[0]) and not OFTEN.fullmatch(rest[0]):
        taken.append(rest.pop(0))
    return taken


def _after_modal(subject: str, modal: str, rest: list[str]) -> Clause | None:
    only = "only " if "only" in _adverbs(rest) else ""
    if not rest:
        return None
    if rest[0] == "be":
        read = _after_be(subject, modal, rest[1:], f"{modal} {only}be")
        return None if read is None else _with_be(read, only)
    base = base_of(rest[0], BASE) or ("have" if rest[0] == "have" else "")
    if not base:
        return None
    verb = only + rest.pop(0) + _particle(rest)
    return Clause(subject, modal, verb, base, False, _complements(rest), f"{modal} {verb}")


def _with_be(read: Clause, only: str) -> Clause:
    return Clause(
        read.subject,
        read.auxiliary,
        f"{only}be {read.verb}".strip(),
        read.base,
        read.passive,
        read.complements,
        read.predicate,
    )


def _after_have(subject: str, have: str, rest: list[str]) -> Clause | None:
    _adverbs(rest)
    if rest and rest[0] == "been":
        read = _after_be(subject, have, rest[1:], f"{have} been")
        if read is None:
            return None
        return Clause(
            subject,
            have,
            f"been {read.verb}".strip(),
            read.base,
            read.passive,
            read.complements,
            read.predicate,
        )
    base = ("have" if rest[0] == "had" else base_of(rest[0], PARTICIPLE)) if rest else ""
    noun_follows = len(rest) > 1 and not (
        rest[1].lower() in PREPOSITIONS | DETERMINERS or re.match(NUMBER, rest[1])
    )
    if base and not noun_follows:
        return Clause(subject, have, rest[0], base, False, _complements(rest[1:]), f"{have} {rest[0]}")
    auxiliary = {"has": "does", "have": "do", "had": "did"}[have]
    return Clause(subject, auxiliary, "have", "have", False, _complements(rest), have)


def _after_be(subject: str, be: str, rest: list[str], predicate: str) -> Clause | None:
    _adverbs(rest)
    if not rest:
        return None
    base = base_of(rest[0], PARTICIPLE)
    ongoing = re.fullmatch(r"[a-z]{2,}ing", rest[0]) is not None and len(rest) > 1
    if base or ongoing:
        base = base or _base_of_ing(rest[0])
        verb = rest.pop(0) + _particle(rest)
        return Clause(subject, be, verb, base, not ongoing, _complements(rest), f"{predicate} {verb}")
    return Clause(subject, be, "", "be", False, _complements(rest), predicate)


def _base_of_ing(word: str) -> str:
    """The base of "flying", "making", "running"; "" where no verb is known."""
    stem = word.removesuffix("ing")
    return next((base for end in (stem, stem + "e", stem[:-1]) if (base := base_of(end, BASE))), "")


def _complements(words: Sequence[str]) -> tuple[Complement, ...]:
    chunks: list[list[str]] = []
    current: list[str] = []

    def close() -> None:
        nonlocal current
        if current:
            chunks.append(current)
        current = []

    for at, word in enumerate(words):
        bare, before = word.lower().rstrip(","), words[at - 1] if at else ""
        after = words[at + 1].lower() if at + 1 < len(words) else ""
        if (
            bare == "because"
            or (
                before.endswith(",")
                and bare in ("as", "since")
                and after not in ("set", "shown", "usual", "well", "of", "far", "always")
            )
            or f"{bare} {after}" == "due to"
        ):
            close()
            chunks.append(list(words[at:]))
            break
        if bare == "except" or (bare in ("and", "but") and after == "then"):
            break
        if bare in ("himself", "herself", "themselves", "even"):
            continue
        spoken = bare == "since" and (not current or _verb_place(words[at + 1 :]) is None)
        if bare in SUBORDINATE and not spoken and (at or bare != "that"):
            break
        if current and current[0].lower() == "by" and len(current) > 1 and current[1].endswith("ing"):
            current.append(word)
            continue
        if before.endswith(",") and not _goes_on_listing(words, at):
            break
        if _begins_complement(current, words, at):
            close()
        current.append(word)
    close()
    return tuple(Complement(_kind(chunk), tuple(_bare(chunk))) for chunk in chunks)


def _bare(chunk: Sequence[str]) -> list[str]:
    return [*chunk[:-1], chunk[-1].rstrip(",;")]


def _goes_on_listing(words: Sequence[str], at: int) -> bool:
    return any(word.lower() in ("and", "or") for word in words[at:])


def _begins_complement(current: Sequence[str], words: Sequence[str], at: int) -> bool:
    word = words[at].lower()
    if not current:
        return False
    if word in (
        "every",
        "each",
        "once",
        "twice",
        "daily",
        "weekly",
        "monthly",
        "yearly",
        "annually",
        "quarterly",
        "today",
    ):
        return (
            current[-1].lower() not in PREPOSITIONS and OFTEN.match(" ".join(words[at : at + 3])) is not None
        ) or (current[-1].lower() not in PREPOSITIONS and word in ("every", "each"))
    if word in ("last", "next", "this") and re.match(rf"{_TIME_NOUN}\b", " ".join(words[at + 1 :])):
        return current[-1].lower() not in PREPOSITIONS
    if re.fullmatch(r"\w+ times (?:an?|per|every|each)", " ".join(words[at : at + 3]).lower()):
        return True
    if word not in PREPOSITIONS or word in ("of", "than", "per", "as"):
        return False
    if word == "at" and words[at + 1 : at + 2] in (["least"], ["most"]):
        return False
    if current[-1].lower() in BINDING and word in ("for", "to", "from", "over", "on", "in"):
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    if word in _NEARLY and (re.match(NUMBER, after) or after == "to"):
        return False  # "about forty minutes" is an amount
    if f"{current[-1].lower()} {word}" in _COMPOUND:
        return False
    if current[-1].lower() in ("half", "quarter") and word in ("past", "to"):
        return False
    if word in ("to", "till", "until") and current[0].lower() == "from":
        return False  # "from nine to five" stays whole
    return not (
        word in ("at", "on", "in") and current[0].lower() in ("on", "at", "in") and _kind(current) == "when"
    )


def _kind(chunk: Sequence[str]) -> str:
    """What a complement says: "object", "when", "often", "extent", "where", "how", "why", …."""
    head, text = chunk[0].lower(), " ".join(chunk).rstrip(",;")
    if text.lower() in IDIOMS:
        return "manner"
    if re.fullmatch(rf"{AMOUNT} \w+ (?:ahead|earlier|before|in advance|later|ago)", text, re.IGNORECASE):
        return "when"
    if head == "because" or (head in ("as", "since", "due") and len(chunk) > 3):
        return "why"
    if OFTEN.fullmatch(text):
        return "often"
    amount = head in ("at", *_NEARLY) and re.match(AMOUNT, text, re.IGNORECASE)
    if amount or head not in PREPOSITIONS:
        if EXTENT.fullmatch(text):
            return "extent"
        return "when" if WHEN.fullmatch(text) and not COUNT.match(text) else "object"
    return _kind_after(head, " ".join(chunk[1:]).rstrip(",;"))


def _is_unit(text: str) -> bool:
    """Whether what stands after "in" is a unit or the number of a thing: "in euros", "in 4417"."""
    year = re.fullmatch(r"(?:1\d|20)\d\d", text)
    return bool(re.fullmatch(r"[a-z]{3,}s|\d{3,}", text)) and not year and not WHEN.fullmatch(text)


def _kind_after(preposition: str, rest: str) -> str:
    """What a complement says that begins with a preposition."""
    if preposition == "in" and (LANGUAGE.search(rest) or NUMBERED.match(rest) or _is_unit(rest)):
        return "other"
    if preposition == "by" and re.match(r"\w+ing\b", rest):
        return "how"
    if preposition in ("for", "within") and EXTENT.fullmatch(rest):
        return "extent" if preposition == "for" else "within"
    if preposition in ("after", "before") and EXTENT.fullmatch(rest):
        return "when"
    if preposition in ("since", "until", "till") and rest:
        return "since" if preposition == "since" else "until"
    if preposition in _BEFORE_TIMES and (WHEN.fullmatch(rest) or CLOCK.fullmatch(rest)):
        return "when"
    first = rest.split(" ", 1)[0]
    if preposition == "to" and first.islower() and base_of(first, BASE):
        return "purpose"
    return "where" if preposition in PLACES else "other"
