"""Exercises about invented things: questions on one context, messages of a chat, and questions in other words."""

import random
import re
from itertools import pairwise

from assistant.curation.labeller import labelling_prompt
from benchmarks.skills.inventing import Attribute, Fact, Language, attributes, invent, subject, value, words
from benchmarks.skills.tasks import NOTHING, NOTHING_ZH, Task, read, refuse, rephrasing_prompt

_SMALL = re.compile(
    r"(?:The|Our|My|It|In|On|At|For|From|Up|Until|Every|By|Nobody|To|Among|Before|Last|What|Whoever)\b"
)
_PRONOUNS = {"en": "It", "zh": "它"}


def reading_group(language: Language, size: int, rng: random.Random, aside: bool = False) -> list[Task]:
    """Questions on one invented context: most are answered by it, and the others nearly are."""
    main, other = subject(language, rng), subject(language, rng)
    known = invent(language, rng.randint(2, 4), rng, main, aside)
    beside = invent(language, rng.randint(1, 3), rng, other, aside)
    if rng.random() < 0.6:  # another thing with the same attribute: the nearest of misses
        twin = rng.choice(known).attribute
        beside = [one for one in beside if one.attribute != twin]
        beside.append(Fact(twin, other, value(twin, language, rng)))
    told = _passages(language, known, beside, rng)
    asked = [_asked(language, told, known, beside, rng, aside) for _ in range(size)]
    return list({task.prompt: task for task in asked}.values())


def passages(language: Language, rng: random.Random) -> list[str]:
    """A context in which nobody has anything to look for."""
    known = invent(language, rng.randint(2, 4), rng, subject(language, rng))
    return _passages(language, known, invent(language, 2, rng, subject(language, rng)), rng)


def _passages(language: Language, known: list[Fact], beside: list[Fact], rng: random.Random) -> list[str]:
    paragraphs = [_told(language, known, rng), _told(language, beside, rng)]
    if rng.random() < 0.35:
        third = invent(language, rng.randint(1, 3), rng, subject(language, rng))
        paragraphs.append(_told(language, third, rng))
    rng.shuffle(paragraphs)
    return paragraphs


def _told(language: Language, facts: list[Fact], rng: random.Random) -> str:
    """Facts about one thing as a paragraph, in which "it" may stand for the thing after its first sentence."""
    facts = rng.sample(facts, len(facts))
    lines = [facts[0].sentence(rng)]
    for fact in facts[1:]:
        short = fact.pronominal(rng, _PRONOUNS[language]) if rng.random() < 0.5 else None
        lines.append(short or fact.sentence(rng))
    if rng.random() < 0.4:
        lines.insert(rng.randint(1, len(lines)), rng.choice(words(language)["filler"]))
    return ("" if language == "zh" else " ").join(lines)


def _asked(
    language: Language,
    passages: list[str],
    known: list[Fact],
    beside: list[Fact],
    rng: random.Random,
    aside: bool,
) -> Task:
    chance = rng.random()
    if chance < 0.25:
        return refuse(passages, _typed(_unanswered(language, known, beside, rng, aside), rng))
    fact = rng.choice([*known, *known, *beside])
    if chance < 0.36 and sum(one.value == fact.value for one in [*known, *beside]) == 1:
        bare = re.sub(r"^(?:the|our) ", "", fact.subject)
        return read(passages, _typed(fact.reversed(rng), rng), (fact.subject, bare))
    return read(passages, _typed(fact.question(rng), rng), (fact.value,))


def _unanswered(
    language: Language, known: list[Fact], beside: list[Fact], rng: random.Random, aside: bool
) -> str:
    """A question about what is spoken of, or about something else, that nothing in the context answers."""
    told = {one.attribute for one in known}
    foreign = [one.attribute for one in beside if one.attribute not in told]
    chance = rng.random()
    if chance < 0.3 and foreign:
        return Fact(rng.choice(foreign), known[0].subject, "").question(rng)
    taken = told | {one.attribute for one in beside}
    free = [one for one in attributes(language, aside) if one not in taken] or list(attributes(language))
    if chance < 0.75:
        return Fact(rng.choice(free), rng.choice([known, known, beside])[0].subject, "").question(rng)
    return rng.choice(known).question(rng).replace(known[0].subject, subject(language, rng))


def _typed(question: str, rng: random.Random) -> str:
    """The question as people type it: some leave the capital or the mark out."""
    if rng.random() < 0.12:
        question = question[0].lower() + question[1:]
    return question.rstrip("?？") if rng.random() < 0.1 else question


def asking(language: Language, rng: random.Random) -> Task:
    """A message of a chat, and the question–answer pairs that it holds: none where it states nothing."""
    if rng.random() < 0.25:
        talk = rng.choice(words(language)["talk"]).replace("{s}", subject(language, rng))
        return Task("ask", labelling_prompt(talk), NOTHING_ZH if language == "zh" else NOTHING)
    facts = invent(language, rng.choice((1, 1, 1, 2, 2, 3)), rng, subject(language, rng))
    if len(facts) > 1 and rng.random() < 0.3:
        facts[-1] = invent(language, 1, rng, subject(language, rng))[0]
    pairs = [f"Q: {one.question(rng)}\nA: {one.value}" for one in facts]
    return Task("ask", labelling_prompt(_message(language, facts, rng)), "\n".join(pairs))


def _message(language: Language, facts: list[Fact], rng: random.Random) -> str:
    """Facts as a person writes them, in one sentence or several."""
    chinese = language == "zh"
    lines = [facts[0].sentence(rng)]
    for before, fact in pairwise(facts):
        short = fact.pronominal(rng, _PRONOUNS[language]) if fact.subject == before.subject else None
        lines.append(short if short and rng.random() < 0.6 else fact.sentence(rng))
    text = ("" if chinese else " ").join(lines)
    if len(lines) > 1 and rng.random() < 0.4:
        joined = ("，".join if chinese else ", and ".join)([one.rstrip(".。") for one in lines])
        text = joined.replace(", and It ", ", and it ") + ("。" if chinese else ".")
    if rng.random() < 0.5:
        opening = rng.choice(words(language)["openings"]) + ("" if chinese else " ")
        follows = opening.endswith((", ", "that "))
        text = opening + (text[0].lower() + text[1:] if follows and _SMALL.match(text) else text)
    if rng.random() < 0.2:
        text += ("" if chinese else " ") + rng.choice(words(language)["closings"])
    return text.rstrip(".。") if rng.random() < 0.15 else text


def rephrasing(language: Language, rng: random.Random) -> Task:
    """A question, and the same in other words, near and far."""
    many: list[Attribute] = [one for one in attributes(language) if len(one.questions) >= 3]
    attribute = rng.choice(many)
    fact = Fact(attribute, subject(language, rng), value(attribute, language, rng))
    first, *others = rng.sample(fact.questions(), len(attribute.questions))
    lines = [one[0].upper() + one[1:] for one in others]
    return Task("rephrase", rephrasing_prompt(first[0].upper() + first[1:]), "\n".join(lines))
