"""The sample domain, which the pages offer to people who have no documents of their own."""

import json
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from assistant.history.transfer import import_json
from assistant.session import choices
from assistant.session.resources import documents_of, knowledge_counts, workspace

# The package is always installed as a folder: what indexes documents reads paths.
SAMPLE = Path(str(files("assistant") / "sample"))
DOCUMENTS = SAMPLE / "documents"


def is_offered() -> bool:
    """Whether no knowledge base holds any document besides those of the sample."""
    own = _sample_hashes()
    return all(info.sha256 in own for name in knowledge_counts() for info in documents_of(name))


def is_chosen() -> bool:
    """Whether the chosen knowledge base holds documents, and all of them are the sample's."""
    documents = documents_of(choices.knowledge_base())
    return bool(documents) and all(info.sha256 in _sample_hashes() for info in documents)


def import_chat() -> int:
    """Store the sample conversation; returns its id."""
    return import_json(workspace().store, (SAMPLE / "conversation.json").read_text(encoding="utf-8"))


def questions(count: int = 3) -> list[str]:
    """A few questions that the documents answer."""
    lines = (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [record["question"] for record in map(json.loads, lines) if record.get("slice") == "training"]
    return asked[:count]


@cache
def _sample_hashes() -> frozenset[str]:
    """The documents are recognised by their content: a copy of them may have been indexed."""
    return frozenset(sha256(path.read_bytes()).hexdigest() for path in DOCUMENTS.iterdir())
