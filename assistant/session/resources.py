"""What this browser tab is looking at: the workspace behind it, the open conversation, the chosen memory.

It remembers choices between reruns and pages; what they mean is decided in `assistant`.
"""

import gc
import importlib
import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from assistant.chat.live import LiveAnswers
from assistant.errors import KNOWN_ERRORS
from assistant.workspace import Workspace
from knowledge.errors import KnowledgeError
from knowledge.index.passage_store import DocumentInfo, PassageStore
from knowledge.ingest.fetch import name_of

if TYPE_CHECKING:
    from assistant.arena.prefetch import PrefetchRuns
    from assistant.arena.trials import BlindTrials
    from assistant.compare.running import EvaluationRuns
    from assistant.compare.side_by_side import SideBySideRuns
    from assistant.documents.upload import UploadQueue
    from assistant.engines.base import Engine

log = logging.getLogger(__name__)
_importing, _imported = threading.Lock(), threading.Event()


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The Imprint home of this process, with the model on its way into memory."""
    opened = Workspace()
    threading.Thread(target=_warm_up, args=(opened,), name="warm-up", daemon=True).start()
    return opened


def import_models() -> None:
    """Import what opens models, one thread at a time: transformers cannot be imported by two at once."""
    with _importing:
        for name in ("tuning.training.methods", "sentence_transformers"):
            importlib.import_module(name)
    _imported.set()


def engine() -> "Engine":
    """The engine, for what cannot go on without it. Raises EngineError."""
    import_models()
    return workspace().engine()


def models_are_imported() -> bool:
    """Whether `import_models` returns at once."""
    return _imported.is_set()


def _warm_up(opened: Workspace) -> None:
    """Open the model, and then the index, before anybody asks. What fails is told when it is needed."""
    try:
        import_models()
        opened.engine()
        _spare_what_stays()
        opened.knowledge()
    except KNOWN_ERRORS as error:
        log.warning("not ready before the first question: %s", error)
    _spare_what_stays()


def _spare_what_stays() -> None:
    """Streamlit collects garbage after every run: a third of a second if it had to search the libraries."""
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def answering() -> LiveAnswers:
    """The answers that are being written in this process, whichever tab asked for them."""
    return LiveAnswers()


@st.cache_resource(show_spinner=False)
def indexing() -> "UploadQueue":
    """The files that are being indexed in this process."""
    from assistant.documents.upload import UploadQueue  # heavy: chromadb, torch

    return UploadQueue()


@st.cache_resource(show_spinner=False)
def side_by_side() -> "SideBySideRuns":
    """The questions that were put to several variants in this process."""
    from assistant.compare.side_by_side import SideBySideRuns  # heavy: scipy

    return SideBySideRuns(answering())


@st.cache_resource(show_spinner=False)
def evaluation_runs() -> "EvaluationRuns":
    """The evaluations of this process."""
    from assistant.compare.running import EvaluationRuns  # heavy: scipy

    return EvaluationRuns()


@st.cache_resource(show_spinner=False)
def answers_ahead() -> "PrefetchRuns":
    """The answers of blind trials that are being written in this process."""
    from assistant.arena.prefetch import PrefetchRuns  # heavy: scipy

    return PrefetchRuns()


@st.cache_resource(show_spinner=False)
def blind_trials() -> "BlindTrials":
    """The blind trials of this home."""
    from assistant.arena.trials import BlindTrials  # heavy: scipy

    return BlindTrials(workspace().settings.conversations_path)


# ---- the open conversation


# ---- pages


# ---- the sample domain

SAMPLE = Path(__file__).parents[2] / "examples" / "halden"


def import_sample_chat() -> int:
    """Put the sample conversation into the store; its id."""
    found = workspace().store.import_json((SAMPLE / "conversation.json").read_text(encoding="utf-8"))
    return found


def sample_questions(count: int = 3) -> list[str]:
    """A few questions that the sample domain answers."""
    lines = (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [record["question"] for record in map(json.loads, lines) if record.get("slice") == "training"]
    return asked[:count]


# ---- asking


# ---- choices


# ---- knowledge bases


@st.cache_resource(show_spinner=False)
def knowledge_counts() -> dict[str, int]:
    """Passages by knowledge base, without opening the index; `count_knowledge` counts anew."""
    counts = {}
    for path in sorted((workspace().home / "knowledge").glob("*.sqlite3")):
        try:
            catalogue = PassageStore(path)
            counts[path.stem] = catalogue.count
            catalogue.close()
        except KnowledgeError as error:  # told where it is opened: on its page, or when a question needs it
            log.warning("%s", error)
            counts[path.stem] = 0
    return counts


@st.cache_resource(show_spinner=False)
def documents_of(name: str) -> list[DocumentInfo]:
    """The documents of a knowledge base by name, without opening the index; none where there is none."""
    if name not in knowledge_counts():  # an address may name anything
        return []
    try:
        catalogue = PassageStore(workspace().home / "knowledge" / f"{name}.sqlite3")
        documents = catalogue.documents()
        catalogue.close()
    except KnowledgeError as error:  # told where it is opened
        log.warning("%s", error)
        return []
    return sorted(documents, key=lambda info: name_of(info.path).casefold())


def count_knowledge() -> None:
    """Count anew: something was added or removed."""
    knowledge_counts.clear()
    documents_of.clear()
