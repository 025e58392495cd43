"""Verb forms, sentence splitting and normalisation that the rules for English and Chinese share."""

import re
import unicodedata

_IRREGULAR = {"have": "has", "do": "does", "go": "goes", "be": "is"}
# Past forms that are their own participle, and those that are not.
SAME_PARTICIPLES = frozenset(
    re.findall(
        r"\w+",
        "built made led won found held kept sold taught told bought brought caught met paid read sent set cut"
        " put thought understood lent spent laid heard",
    )
)
_PARTICIPLES = {
    "wrote": "written",
    "drew": "drawn",
    "drove": "driven",
    "gave": "given",
    "took": "taken",
    "chose": "chosen",
    "began": "begun",
    "grew": "grown",
    "knew": "known",
    "sang": "sung",
    "spoke": "spoken",
    "ran": "run",
    "designed": "designed",
}
_COMMON = frozenset(
    re.findall(r"\w+", "the a an our my your his her their its this that these those we each every no")
)
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
# An end of a sentence: Latin ones need white space after them, so that 38.5 and a.m. stay whole.
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]*_]*\s+(?=[\"'(\[]?[A-Z0-9\u3400-\u9fff])|(?<=[。！？；])|\n+")
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e|approx|ca)\.$")
_POLITE = re.compile(
    r"\b(?:please|could you|can you|would you|tell me|do you know|i would like to know|a|an|the)\b"
    r"|请问|请告诉我|您?知道"
)


def word_set(text: str) -> frozenset[str]:
    """The words of a text that is written as a list of them."""
    return frozenset(text.split())


def has_chinese(text: str) -> bool:
    """Whether the text holds a Chinese character."""
    return bool(_CHINESE.search(text))


def third_person(verb: str) -> str:
    """reach → reaches, carry → carries."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if re.search(r"(?:s|x|z|ch|sh|o)$", verb):
        return verb + "es"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + "s"


def base_form(verb: str) -> str:
    """reaches → reach, carries → carry: the inverse of `third_person`."""
    inverse = {form: base for base, form in _IRREGULAR.items()}
    if verb in inverse:
        return inverse[verb]
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if re.search(r"(?:ss|x|zz|ch|sh)es$", verb):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def participle(past: str) -> str:
    """The participle of a past form, or "" where the form is not known to be one."""
    if past in _PARTICIPLES:
        return _PARTICIPLES[past]
    return past if past.endswith("ed") or past in SAME_PARTICIPLES else ""


def capitalised(text: str) -> str:
    """With its first letter large; the rest as it is."""
    return text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """With its first letter small where the first word is no name: articles, pronouns, question words."""
    first = text.split(" ", 1)[0].casefold()
    return text[:1].lower() + text[1:] if first in _COMMON else text


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order; headings and list items count as one each."""
    result: list[str] = []
    for part in _SENTENCE_END.split(text):
        part = part.strip()
        if not part:
            continue
        if result and _ABBREVIATION.search(result[-1]):
            result[-1] = f"{result[-1]} {part}"
        else:
            result.append(part)
    return result


def normal(text: str) -> str:
    """Lower case without punctuation, articles and polite words: equal for texts that say the same."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = "".join(" " if unicodedata.category(letter)[0] in "PSZC" else letter for letter in text)
    text = _POLITE.sub(" ", " ".join(text.split()))
    return "".join(text.split()) if has_chinese(text) else " ".join(text.split())


def same_text(first: str, second: str) -> bool:
    """Whether two texts say the same in the same words."""
    return normal(first) == normal(second)
