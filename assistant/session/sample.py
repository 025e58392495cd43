"""The sample domain, which the pages offer to people who have no documents of their own; a Chinese one in Chinese."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

from assistant.history.transfer import import_json
from assistant.i18n.texts import language
from assistant.session import choices
from assistant.session.resources import documents_of, knowledge_counts, workspace

# The package is always installed as a folder: what indexes documents reads paths.
SAMPLE = Path(str(files("assistant") / "sample"))
# Facts that the shipped default model was seen to answer right from the documents: these are suggested first.
SUGGESTED = ("skerrin-weight", "office-dog", "founder", "lark-weight", "shop-cat", "lark-warranty")
FOLDERS = {"en": SAMPLE, "zh": SAMPLE / "zh"}


@dataclass(frozen=True)
class SampleFact:
    """A sentence of the sample, and the question that it answers."""

    statement: str
    question: str


def folder() -> Path:
    """The sample domain in the language of the page."""
    return FOLDERS.get(language(), SAMPLE)


def documents() -> Path:
    """The folder of its documents."""
    return folder() / "documents"


def is_offered() -> bool:
    """Whether no knowledge base holds any document besides those of the samples."""
    own = _sample_hashes()
    return all(info.sha256 in own for name in knowledge_counts() for info in documents_of(name))


def is_chosen() -> bool:
    """Whether the chosen knowledge base holds documents, and all of them are the sample's in this language."""
    documents = documents_of(choices.knowledge_base())
    return bool(documents) and all(info.sha256 in _hashes(folder()) for info in documents)


def import_chat() -> int:
    """Store the sample conversation; returns its id."""
    return import_json(workspace().store, (folder() / "conversation.json").read_text(encoding="utf-8"))


def questions(count: int = 3) -> list[str]:
    """A few questions that the documents answer."""
    asked = {r["fact"]: r["question"] for r in _records("questions") if r.get("slice") == "training"}
    first = [fact for fact in SUGGESTED if fact in asked]
    return [asked[fact] for fact in dict.fromkeys((*first, *asked))][:count]


def file_count() -> int:
    """How many documents it has."""
    return len(list(documents().iterdir()))


def lesson_count() -> int:
    """How many facts its conversation teaches."""
    return len(_records("examples"))


def first_fact() -> SampleFact:
    """A fact that no model can know."""
    record = _records("facts")[0]
    return SampleFact(record["statement"], record["question"])


def _records(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder() / f"{name}.jsonl").read_text("utf-8").splitlines()]


def _sample_hashes() -> frozenset[str]:
    return frozenset().union(*map(_hashes, FOLDERS.values()))


@cache
def _hashes(sample: Path) -> frozenset[str]:
    """The documents are recognised by their content: a copy of them may have been indexed."""
    return frozenset(sha256(path.read_bytes()).hexdigest() for path in (sample / "documents").iterdir())
