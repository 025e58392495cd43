"""Other wordings of a question, by rules of grammar: re-orderings and synonyms, in English and Chinese.

They are probes: they measure whether a fact was learned or only its wording. Training never sees them, and its
noise (`tuning.augment`) is of another kind.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from assistant.language.paraphrase_patterns import (
    ACT_OF,
    CHINESE,
    CHINESE_SYNONYMS,
    ENGLISH,
    NOUN_OF,
    SYNONYM_OF,
)
from assistant.language.text import capitalised, has_chinese, normal, participle, third_person
from assistant.language.verbs import BASE, base_of

MAX_WORDINGS = 4


@lru_cache(maxsize=4096)  # a page curates the same chat at every click
def rephrase(question: str, answer: str = "") -> tuple[str, ...]:
    """Up to four other wordings that ask the same, in the question's language; none where no rule fits.

    `answer` only helps to choose the wording: "in which year" where it is a year.
    """
    lines = [line.strip() for line in question.splitlines() if line.strip()]
    if len(lines) != 1 or len(lines[0]) > 200:
        return ()
    found = _in_chinese(lines[0]) if has_chinese(lines[0]) else _in_english(lines[0], answer)
    seen = {normal(question)}
    kept: list[str] = []
    for other in found:
        if normal(other) not in seen and _keeps_names(lines[0], other):
            seen.add(normal(other))
            kept.append(other)
    return tuple(kept[:MAX_WORDINGS])


def _in_english(line: str, answer: str) -> Iterator[str]:
    text, opening = _bare(line)
    for pattern, templates in ENGLISH:
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        if match:
            fields = _fields(match, answer)
            for template in templates:
                if all(fields.get(name) is not None for name in re.findall(r"{(\w+)}", template)):
                    yield opening + capitalised(template.format(**fields)) + "?"
            break
    yield from _with_synonym(line)


def _bare(line: str) -> tuple[str, str]:
    """The question without its mark, and what stands before it: a greeting, a first sentence."""
    opening, text = "", line.rstrip(" ?？")
    parts = re.split(r"(?<=[.!,:])\s+", text)
    for start in range(1, len(parts)):
        rest = " ".join(parts[start:])
        if re.match(r"(?:what|which|who|where|when|why|how)\b", rest, re.IGNORECASE):
            opening = " ".join(parts[:start]) + " "
            if re.fullmatch(r"(?:and|so|ok|okay|hi|hello|hey|now|please)[ ,.!]*", opening, re.IGNORECASE):
                opening = ""
            return rest, opening
    return text, opening


def _fields(match: re.Match[str], answer: str) -> dict[str, str | None]:
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    be, aux, verb = groups.get("be", "").lower(), groups.get("aux", "").lower(), groups.get("v", "").lower()
    plural = be in ("are", "were") or aux == "do"
    past = be in ("was", "were") or aux == "did"
    agreeing: str | None = None
    if base_of(verb, BASE) or verb == "have":
        agreeing = {"does": third_person(verb), "do": verb}.get(aux) or (
            f"{aux} {verb}" if aux and aux != "did" else None
        )
    fields: dict[str, str | None] = {
        **groups,
        "be": be,
        "p": groups.get("p", "").lower(),
        "aux": aux,
        "noun": NOUN_OF.get(groups.get("adj", "").lower()),
        "act": ACT_OF.get(verb),
        "s": agreeing,
        "s_have": {"does": "has", "do": "have", "did": "had"}.get(aux),
        "has": "did" if past else "do" if plural else "does",
        "has_v": "had" if past else "have" if plural else "has",
        "is_": {"does": "is", "do": "are", "did": "was"}.get(aux),
        "when": _time_phrase(answer),
        "x_statement": _statement(groups.get("x", ""), aux),
    }
    done = participle(verb)
    if verb.endswith("s") and not done:  # "who leads the company"
        fields["vp"] = None
    else:
        fields["vp"] = done or None
    fields["wasis"] = "was"
    return fields


def _statement(rest: str, aux: str) -> str | None:
    """`the ferry leave` after "does" → `the ferry leaves`; only where the verb ends the question."""
    words = rest.split()
    if len(words) < 2 or aux not in ("does", "do") or not base_of(words[-1], BASE):
        return None
    return " ".join([*words[:-1], third_person(words[-1])]) if aux == "does" else rest


def _time_phrase(answer: str) -> str | None:
    if re.search(r"\b(?:1[0-9]|20)\d\d\b", answer):
        exact = re.search(r"\d{1,2}(?:st|nd|rd|th)?\s+\w+\s+\d{4}|\w+ \d{1,2}, \d{4}", answer)
        return "on what date" if exact else "in which year"
    if re.search(r"days?\b", answer, re.IGNORECASE) and re.search(
        r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day", answer, re.IGNORECASE
    ):
        return "on which day"
    if re.search(
        r"\d\s*(?::\d\d|am\b|pm\b|o'clock)|\bo['’]clock|\bnoon\b|\bmidnight\b", answer, re.IGNORECASE
    ):
        return "at what time"
    return None


def _with_synonym(line: str) -> Iterator[str]:
    """The same question with one word exchanged, and "which" for "what"."""
    for word, other in SYNONYM_OF.items():
        changed = re.sub(rf"\b{word}\b", other, line)
        if changed != line:
            yield changed
    swapped = re.sub(
        r"^(what|which)\b(?= \w+ (?:is|are|was|does|do|did)\b)", _swap, line, flags=re.IGNORECASE
    )
    if swapped != line:
        yield swapped


def _swap(match: re.Match[str]) -> str:
    other = "which" if match[1].lower() == "what" else "what"
    return capitalised(other) if match[1][0].isupper() else other


def _in_chinese(line: str) -> Iterator[str]:
    text = re.sub(r"^(?:请问|你知道|请告诉我|那么?)[,，]?", "", line.rstrip(" ?？。"))
    text = re.sub(r"[呢啊呀吗]$", "", text)
    for pattern, templates in CHINESE:
        match = re.fullmatch(pattern, text)
        if match:
            for template in templates:
                yield (
                    template.format(**{name: value or "" for name, value in match.groupdict().items()}) + "？"
                )
            break
    for word, other in CHINESE_SYNONYMS:
        if word in text:
            yield text.replace(word, other) + "？"


def _keeps_names(question: str, other: str) -> bool:
    """Whether every name and number of the question is in the other wording."""
    names = re.findall(r"(?<!^)\b[A-Z][\w-]+|\d[\d.,]*", question)
    return all(name.casefold() in other.casefold() for name in names)
