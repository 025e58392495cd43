"""English verbs and their forms: which word of a clause can be its verb, and what its base form is."""

from functools import cache
from importlib.resources import files

from assistant.language.text import third_person

BASE, THIRD, PAST, PARTICIPLE = "base", "third", "past", "participle"


def base_of(form: str, kind: str) -> str:
    """The base of a form that can be of that kind, or "": base_of("led", PAST) is "lead"."""
    return _forms().get(form.lower(), {}).get(kind, "")


@cache
def _forms() -> dict[str, dict[str, str]]:
    """Every form, with what it can be: {"led": {"past": "lead", "participle": "lead"}}."""
    forms: dict[str, dict[str, str]] = {}
    irregular, regular = files("assistant.language").joinpath("verbs.txt").read_text("utf-8").split("\n\n")
    for line in irregular.splitlines()[1:]:
        base, past, done = (line.split() * 3)[:3] if " " not in line else line.split()
        _enter(forms, base, past, done)
    for entry in regular.split():
        past = _regular_past(entry)
        _enter(forms, entry.rstrip("+"), past, past)
    return forms


def _enter(forms: dict[str, dict[str, str]], base: str, past: str, done: str) -> None:
    """The forms of a verb; a form that already is another verb's stays so."""
    for form, kind in ((base, BASE), (third_person(base), THIRD), (past, PAST), (done, PARTICIPLE)):
        forms.setdefault(form, {}).setdefault(kind, base)


def _regular_past(entry: str) -> str:
    """plan+ → planned, carry → carried, bake → baked."""
    if entry.endswith("+"):
        return entry[:-1] + entry[-2] + "ed"
    if entry.endswith("e"):
        return entry + "d"
    if entry.endswith("y") and entry[-2] not in "aeiou":
        return entry[:-1] + "ied"
    return entry + "ed"
