"""The resources of the process that all browser tabs share: the workspace, background tasks, counts.

What one tab holds is in `choices` and `open_conversation`.
"""

import gc
import importlib
import logging
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from assistant.background import start_thread
from assistant.chat.live import LiveAnswers
from assistant.engines.opening import needs_torch
from assistant.errors import KNOWN_ERRORS
from assistant.lazy import IMPORT_LOCK
from assistant.notes.consolidation import Consolidation
from assistant.workspace import Workspace
from knowledge.errors import KnowledgeError
from knowledge.index.passage_store import PassageStore
from knowledge.index.records import DocumentInfo
from knowledge.ingest.fetch import name_of
from tuning.process import restrict_new_files

if TYPE_CHECKING:
    from assistant.arena.prefetch import PrefetchRuns
    from assistant.arena.trials import BlindTrials
    from assistant.compare.running import EvaluationRuns
    from assistant.compare.side_by_side import SideBySideRuns
    from assistant.curation.candidates import Labeller
    from assistant.curation.labeller import RememberingLabeller
    from assistant.curation.reader.fact_reader import FactReader
    from assistant.documents.upload import UploadQueue
    from assistant.engines.base import Engine
    from tuning.models.catalogue import CatalogueEntry

log = logging.getLogger(__name__)
# What a question is typed with: the model's tokenizer says how many tokens such characters make.
TYPED = (
    "How long does the warranty of a repaired bicycle last, and which papers do I have to bring along? ",
    "修好的自行车保修多久？需要带哪些材料？请说明周二的营业时间和价格。",
)
_imported = threading.Event()


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The workspace of this process; the model begins to be opened with it."""
    restrict_new_files()
    opened = Workspace()
    start_thread("warm-up", _warm_up, opened)
    start_thread("consolidation", Consolidation(opened).run, threading.Event())
    return opened


def import_models() -> None:
    """Import what opens and trains models; returns at once when another thread has done so."""
    with IMPORT_LOCK:
        for name in ("tuning.training.methods", "sentence_transformers"):
            importlib.import_module(name)
    _imported.set()


def engine() -> "Engine":
    """The open engine, waiting for it if need be. Raises EngineError."""
    import_models()
    return workspace().engine()


@st.cache_resource(show_spinner=False, max_entries=4)
def _tokens_per_character(name: str) -> tuple[float, float]:
    counted = workspace().engine().count_text
    return tuple(counted(text) / len(text) for text in TYPED)  # type: ignore[return-value]


def tokens_per_character() -> tuple[float, float]:
    """How many tokens of the open model a typed character makes: of an alphabet, and of Chinese."""
    return _tokens_per_character(workspace().settings.base_model)


def labeller(*, of_messages: bool) -> "RememberingLabeller | None":
    """What writes examples besides the rules: of messages a tuned reader, and the open model where it is capable.

    None where there is neither.
    """
    opened = workspace()
    is_capable = opened.engine_state == "ready" and opened.chat.capability() != "small"
    name = opened.engine().name if is_capable else ""
    if not name and not of_messages:
        return None
    from knowledge.index.embedding_models import MULTILINGUAL, is_fetched  # heavy: torch

    return _labeller(name, of_messages, is_fetched(MULTILINGUAL, opened.home))


@st.cache_resource(show_spinner=False, max_entries=4)
def _labeller(name: str, of_messages: bool, reads_chinese: bool) -> "RememberingLabeller":
    """One for each case: what it remembers of a text was read so."""
    from assistant.curation.labeller import LabellersInTurn, ModelLabeller, RememberingLabeller
    from assistant.engines.langchain_model import ImprintChatModel

    def written(text: str) -> Sequence[tuple[str, str]]:
        return ModelLabeller(ImprintChatModel(engine=engine()))(text)

    asked: list[Labeller] = [_fact_reader()] if of_messages else []
    return RememberingLabeller(LabellersInTurn(*asked, *([written] if name else [])))


@st.cache_resource(show_spinner=False)
def _fact_reader() -> "FactReader":
    from assistant.curation.reader.fact_reader import FactReader  # heavy: torch

    return FactReader(workspace().settings.home)


def models_are_imported() -> bool:
    """Whether `import_models` returns at once."""
    return _imported.is_set()


@st.cache_resource(show_spinner=False)
def larger_model() -> "CatalogueEntry | None":
    """The model of the catalogue that would answer best on this machine; None where none but the default fits."""
    from tuning.models.catalogue import recommend  # heavy: torch, transformers

    return recommend(workspace().catalogue()).chat


def _warm_up(opened: Workspace) -> None:
    """Open the model, and then the index, before the first question; errors are shown when they are needed."""
    try:
        if needs_torch(opened.settings):
            import_models()
        opened.engine()  # where llama.cpp answers, before the imports, which take seconds
        import_models()
        _freeze_garbage_collector()
        opened.knowledge()
    except KNOWN_ERRORS as error:
        log.warning("not ready before the first question: %s", error)
    _freeze_garbage_collector()


def _freeze_garbage_collector() -> None:
    """Streamlit collects garbage after every run, which takes 0.3 s unless the imported libraries are exempt."""
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def answering() -> LiveAnswers:
    """The answers that are being generated in this process, whichever tab asked for them."""
    return LiveAnswers()


@st.cache_resource(show_spinner=False)
def indexing() -> "UploadQueue":
    """The files that are being indexed in this process."""
    from assistant.documents.upload import UploadQueue  # heavy: chromadb, torch

    return UploadQueue()


@st.cache_resource(show_spinner=False)
def side_by_side() -> "SideBySideRuns":
    """The side-by-side comparisons of this process."""
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


def knowledge_counts() -> dict[str, int]:
    """Knowledge base → number of passages, without opening the index; cached as long as no process changes one."""
    return _counts(stamps())


def documents_of(name: str) -> list[DocumentInfo]:
    """The documents of a knowledge base, sorted by name, without opening it; empty where there is none."""
    return _documents(name, stamps())


def count_knowledge() -> None:
    """Drop the cached counts and lists: something was added or removed."""
    _counts.clear()
    _documents.clear()


@st.cache_resource(show_spinner=False, max_entries=1)
def _counts(stamps: tuple[int, ...]) -> dict[str, int]:
    counts = {}
    for path in _catalogues():
        try:
            with closing(PassageStore(path)) as passages:
                counts[path.stem] = passages.count
        except KnowledgeError as error:  # shown where it is opened: on its page, or when a question needs it
            log.warning("%s", error)
            counts[path.stem] = 0
    return counts


@st.cache_resource(show_spinner=False, max_entries=20)
def _documents(name: str, stamps: tuple[int, ...]) -> list[DocumentInfo]:
    if name not in knowledge_counts():  # an address may name anything
        return []
    try:
        with closing(PassageStore(workspace().home / "knowledge" / f"{name}.sqlite3")) as passages:
            documents = passages.documents()
    except KnowledgeError as error:  # shown where it is opened
        log.warning("%s", error)
        return []
    return sorted(documents, key=lambda info: name_of(info.path).casefold())


def _catalogues() -> list[Path]:
    return sorted((workspace().home / "knowledge").glob("*.sqlite3"))


def stamps() -> tuple[int, ...]:
    """When each catalogue was last written, by whichever process: `imprint index` may run beside the app."""
    files = (file for path in _catalogues() for file in (path, path.with_name(f"{path.name}-wal")))
    return tuple(map(_written, files))


def _written(file: Path) -> int:
    """When something was written to a file; an empty log comes and goes with every look at its catalogue."""
    try:
        found = file.stat()
    except OSError:
        return 0
    return found.st_mtime_ns if found.st_size else 0
