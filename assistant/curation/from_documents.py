"""From documents to training examples: what passages state, as questions and answers checked against the text.

Rules find them; a chat model may add more (`labeller.py`), which are checked the same way and marked.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Protocol

from assistant.curation.candidates import Candidate, Curation, Labeller, LeftOut, weigh, without_secrets
from assistant.language.extractive import is_supported
from assistant.language.facts import Fact, facts_in
from assistant.language.paraphrase import rephrase
from assistant.language.text import has_chinese, normal
from tuning.data.examples import Example

_ROW = re.compile(r"^[^:;\n]{1,40}: [^;\n]+(?:; [^:;\n]{1,40}: [^;\n]+)+$")
_NAME_COLUMNS = (
    "name",
    "product",
    "item",
    "title",
    "person",
    "article",
    "model",
    "产品",
    "名称",
    "姓名",
    "品名",
    "型号",
)
_UNITS = {
    "eur": "euros",
    "usd": "dollars",
    "gbp": "pounds",
    "g": "grams",
    "kg": "kilograms",
    "mm": "millimetres",
    "cm": "centimetres",
    "m": "metres",
    "km": "kilometres",
    "s": "seconds",
    "min": "minutes",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "weeks": "weeks",
    "months": "months",
    "years": "years",
    "percent": "percent",
    "w": "watts",
    "v": "volts",
}
_TIMES = {"seconds", "minutes", "hours", "days", "weeks", "months", "years"}
_TABLE_NOTE = (
    "It is a row of a table: a document is quoted whole, while a model learns a long table with gaps."
)
# In a document, "we" and "you" are whoever wrote and reads it: no question for later.
_BY_MODEL = "written by a model"
_SPEAKER = re.compile(r"\b(?:I|me|my|we|us|our|you|your)\b|[\"“”]|我|你|您", re.IGNORECASE)


class PassageLike(Protocol):
    """What is needed of a passage; one of the knowledge base fits."""

    @property
    def text(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def page(self) -> int | None: ...
    @property
    def headings(self) -> tuple[str, ...]: ...


def curate_passages(
    passages: Sequence[PassageLike], *, known: Iterable[Example] = (), labeller: Labeller | None = None
) -> Curation:
    """Candidates that make passages permanent, in the order of the text. Raises NothingToLearn.

    What `labeller` writes is offered only where its passage holds it; the rest is listed as left out, and so is what
    holds a secret.
    """
    found: list[Candidate] = []
    left_out: list[LeftOut] = []
    for passage in passages:
        facts, rows = list(_stated(passage.text)), list(_rows(passage.text))
        found += [_candidate(fact, passage) for fact in facts]
        found += [_candidate(fact, passage, ticked=False, note=_TABLE_NOTE) for fact in rows]
        known_here = {normal(fact.question) for fact in (*facts, *rows)}
        for question, answer in labeller(passage.text) if labeller else ():
            if normal(question) in known_here:
                continue
            if is_supported(question, answer, passage.text, " ".join([passage.title, *passage.headings])):
                fact = Fact(question, answer, passage.text)
                found.append(
                    _candidate(fact, passage, ticked=False, note=f"{_BY_MODEL}, checked against the passage")
                )
            else:
                why = f"{_BY_MODEL}, and the passage does not support it"
                left_out.append(LeftOut(f"{question} {answer}", why, _place(passage)))
    found, secrets = without_secrets(found)
    return weigh(found, [*left_out, *secrets], known)


def _stated(text: str) -> Iterator[Fact]:
    lines = [line for line in text.splitlines() if not _is_table_line(line)]
    # A sentence may run over several lines; an empty line, a heading or a list item ends it.
    joined = re.sub(r"(?<![\n.!?:。！？])\n(?=[^\n#*|•\-\d])", " ", "\n".join(lines))
    yield from (fact for fact in facts_in(joined) if not _SPEAKER.search(fact.question))


def _rows(text: str) -> Iterator[Fact]:
    """`product: Skerrin; price_eur: 1480` → the price of the Skerrin is 1480 euros."""
    for line in text.splitlines():
        if not _ROW.match(line.strip()):
            continue
        cells = dict(cell.split(": ", 1) for cell in line.strip().split("; ") if ": " in cell)
        name = next((cells[column] for column in cells if column.casefold() in _NAME_COLUMNS), "")
        if not name:
            continue
        for column, value in cells.items():
            if value != name and len(value) <= 60:
                yield _cell(name, column, value, line)


def _cell(name: str, column: str, value: str, line: str) -> Fact:
    if has_chinese(name + column):
        return Fact(f"{name}的{column}是什么？", value, line)
    words = re.sub(r"[_()\[\]]+", " ", column).split()
    unit = _UNITS.get(words[-1].lower(), "") if len(words) > 1 else ""
    if unit and re.fullmatch(r"[\d.,]+", value):
        words, value = words[:-1], f"{value} {unit}"
        if unit in _TIMES and words[-1].lower() not in ("time", "period", "duration"):
            words.append("time")
    article = "" if name.lower().startswith("the ") else "the "
    answer = f"{value[:1].upper()}{value[1:]}".rstrip(".") + "."
    return Fact(f"What is the {' '.join(words).lower()} of {article}{name}?", answer, line)


def _is_table_line(line: str) -> bool:
    return bool(_ROW.match(line.strip())) or line.count("|") >= 2


def _candidate(fact: Fact, passage: PassageLike, *, ticked: bool = True, note: str = "") -> Candidate:
    name = passage.title or PurePath(passage.source).name
    reason = f"{_BY_MODEL} from {name}" if note.startswith(_BY_MODEL) else f"stated in {name}"
    messages = ({"role": "user", "content": fact.question}, {"role": "assistant", "content": fact.answer})
    example = Example(messages, _place(passage), reason, rephrase(fact.question, fact.answer))
    kind = "written" if note.startswith(_BY_MODEL) else "documents"
    return Candidate(example, kind, ticked, note)


def _place(passage: PassageLike) -> str:
    name = PurePath(passage.source).name or passage.title
    return f"{name} p.{passage.page}" if passage.page else name
