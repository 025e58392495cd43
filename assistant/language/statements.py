"""A question with its answer, told as a person would state it: "How much does it weigh? 640 grams." → "It weighs …".

Rules alone; where none fits, the statement names question and answer.
"""

import re

from assistant.language.text import capitalised, has_chinese, third_person, uncapitalised

_BE = r"(?P<be>is|are|was|were)"
_PART = (
    r"(?P<part>called|named|made of|made from|located|kept|stored|\w+ed (?:with|by|from|in|at|to|of)|\w+ed|"
    r"built(?: in)?|born|held|sold|open|closed)"
)
_PART_LAST = re.compile(rf"(?:what|who|when|where|which|how \w+) {_BE} (?P<x>.+?) {_PART}", re.IGNORECASE)
_IS = re.compile(
    rf"(?:what|who|when|where|how (?:heavy|tall|long|wide|high|deep|old|big|large|fast|many|much|far)) {_BE} (?P<x>.+)",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"(?P<ask>how long|how often|how much|how many \w+|what|when|where|which \w+) (?P<aux>does|do|did) "
    r"(?P<x>(?:the |a |an |our |my |your )?[\w'’-]+(?: [A-Z][\w'’-]*)*?|.+?) (?P<verb>[a-z]+)(?P<rest>(?: .+)?)",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"how (?:often|long) (?P<aux>must|should|can) (?P<x>.+?) (?P<verb>be \w+(?: \w+)?)", re.IGNORECASE
)
_WHO_DID = re.compile(r"who (?P<verb>(?!is\b|are\b|was\b|were\b)[a-z]+) (?P<x>.+)", re.IGNORECASE)
_FUNCTION_WORD = re.compile(r"(?:At|In|On|By|For|From|Every|Until|After|Before|About|Only|Not)\b")
_YEAR = re.compile(r"[12]\d{3}")
_ZH_ASKED = re.compile(
    r"多少钱|多少|什么时候|什么地方|什么(?:材料|颜色)?|哪里|哪儿|多久|谁|几(?=[点个天年月])|有?多[重长高宽大]"
)
_ZH_MEASURE = re.compile(r"有?多([重长高宽大])")


def statement_of(question: str, answer: str) -> str:
    """The fact as one statement. `answer` may end with a full stop or not."""
    asked, said = question.strip().rstrip("?？ "), answer.strip().rstrip(".。 ")
    if has_chinese(asked):
        return _chinese(asked, said)
    for pattern, tell in _FORMS:
        if found := pattern.fullmatch(asked):
            return capitalised(tell(found, _inside(said))) + "."
    return f"The answer to “{asked}?” is: {said}."


def _inside(said: str) -> str:
    """An answer as it stands within a sentence."""
    if _FUNCTION_WORD.match(said):
        return said[:1].lower() + said[1:]
    return f"in {said}" if _YEAR.fullmatch(said) else uncapitalised(said)


def _with_part(found: re.Match[str], said: str) -> str:
    return f"{found['x']} {found['be'].lower()} {found['part']} {said}"


def _with_be(found: re.Match[str], said: str) -> str:
    return f"{found['x']} {found['be'].lower()} {said}"


def _with_must(found: re.Match[str], said: str) -> str:
    return f"{found['x']} {found['aux'].lower()} {found['verb']} {said}"


def _with_verb(found: re.Match[str], said: str) -> str:
    verb = {"does": third_person(found["verb"]), "do": found["verb"]}.get(found["aux"].lower())
    rest = found["rest"].strip()
    if verb is None:  # the past of an unknown verb
        verb = f"did {found['verb']}"
    lasts = found["ask"].lower() == "how long" and not said.startswith(("for ", "until ", "about "))
    return " ".join(part for part in (found["x"], verb, rest, "for" if lasts else "", said) if part)


def _who_did(found: re.Match[str], said: str) -> str:
    return f"{said} {found['verb'].lower()} {found['x']}"


_FORMS = (
    (_PART_LAST, _with_part),
    (_MUST, _with_must),
    (_DOES, _with_verb),
    (_IS, _with_be),
    (_WHO_DID, _who_did),
)


def _chinese(asked: str, said: str) -> str:
    found = _ZH_ASKED.search(asked)
    if found is None:
        return f"{asked}：{said}。"
    measure = _ZH_MEASURE.fullmatch(found[0])
    kept = measure[1] if measure else ""
    return f"{asked[: found.start()]}{kept}{said}{asked[found.end() :]}。"
