"""The composition root: what pages, commands and the server use of one Imprint home.

Settings, conversations, model, checkpoints and knowledge bases are imported and opened when first needed, once,
whatever thread asks first. It draws nothing and decides nothing.
"""

import contextlib
import json
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.background import start_thread
from assistant.chat.presets import Presets
from assistant.engines.stage import OnStage, Stage
from assistant.errors import AssistantError, EngineError, SettingsError
from assistant.home.privacy import make_private
from assistant.home.swap import finish_restore
from assistant.lazy import IMPORT_LOCK, LockedCachedProperty
from tuning.models.template_options import use_template_options

if TYPE_CHECKING:
    import numpy as np

    from assistant.chat.chat import Chat
    from assistant.engines.base import Engine
    from assistant.engines.local import LocalEngine
    from assistant.history.conversations import ConversationStore
    from assistant.history.preferences import PreferenceStore
    from assistant.models.downloads import Downloads
    from assistant.notes.lookup import Match, Notes
    from assistant.settings import Settings
    from knowledge.base.knowledge_base import KnowledgeBase
    from knowledge.index.embeddings import SentenceEmbeddings
    from tuning.checkpoints.registry import Registry
    from tuning.jobs.jobs import Jobs
    from tuning.models.base_model import BaseModel
    from tuning.models.capability import Capability
    from tuning.models.catalogue import CatalogueEntry
    from tuning.models.checks import ModelReport

log = logging.getLogger(__name__)


class Workspace:
    """One Imprint home and its open parts. Safe to share between threads."""

    def __init__(self, settings: "Settings | None" = None, engine: "Engine | None" = None) -> None:
        """`settings` default to those of the environment and the home; `engine` is one that is open already."""
        if settings is None:
            from assistant.settings import home_folder, load_settings  # heavy: pydantic

            finish_restore(home_folder())
            settings = load_settings()
        else:
            finish_restore(settings.home)
        self.settings = settings
        self._use_template_options()
        make_private(settings.home)
        self._opening = threading.Lock()
        self._engine = engine
        self.engine_stage: Stage | None = None
        self.engine_error = ""
        self._note_embeddings: SentenceEmbeddings | None = None
        self._knowledge: dict[str, KnowledgeBase] = {}
        self._knowledge_lock = threading.RLock()

    @property
    def home(self) -> Path:
        """The folder where everything is kept."""
        return self.settings.home

    @LockedCachedProperty
    def store(self) -> "ConversationStore":
        """The conversations."""
        from assistant.history.conversations import ConversationStore

        return ConversationStore(self.settings.conversations_path)

    @LockedCachedProperty
    def preferences(self) -> "PreferenceStore":
        """The votes between two answers."""
        from assistant.history.preferences import PreferenceStore

        return PreferenceStore(self.settings.conversations_path)

    @LockedCachedProperty
    def presets(self) -> Presets:
        """System prompts with worked examples."""
        return Presets(self.home)

    @LockedCachedProperty
    def registry(self) -> "Registry":
        """The checkpoints."""
        from tuning.checkpoints.registry import Registry

        return Registry(self.home)

    @LockedCachedProperty
    def jobs(self) -> "Jobs":
        """The tuning jobs."""
        from tuning.jobs.jobs import Jobs

        return Jobs(self.home, key_of=self._key_of)

    def catalogue(self) -> "list[CatalogueEntry]":
        """Base models at hand, and those that a hub would offer."""
        with IMPORT_LOCK:
            from tuning.models.catalogue import catalogue  # heavy: torch, transformers

        return catalogue(self.home)

    @LockedCachedProperty
    def downloads(self) -> "Downloads":
        """The models that are being fetched."""
        with IMPORT_LOCK:
            from assistant.models.downloads import Downloads  # heavy: torch, transformers

        return Downloads(self.home)

    def look_at_model(self, name: str) -> "ModelReport":
        """What a model is and needs, on this machine or on a hub. Raises ModelError."""
        with IMPORT_LOCK:
            from tuning.models.offers import look_at  # heavy: torch, transformers

        return look_at(name, self.home)

    def use_model(self, name: str, on_stage: OnStage | None = None) -> None:
        """Open a model that is here, and choose it once it is open; until then, and if it fails, all stays.

        Raises ModelError, EngineError, SettingsError.
        """
        from assistant.settings import from_environment, save_settings  # heavy: pydantic

        if variable := from_environment().get("base_model"):
            raise SettingsError(
                f"The model is set by {variable} in the environment, so {name!r} cannot be chosen. Unset it first."
            )
        with IMPORT_LOCK:
            from tuning.models.checks import check_model  # heavy: torch, transformers

        report = check_model(name, self.home)
        if not report.fits_chat:
            self.close_engine()  # both do not fit; the one before opens anew where this one fails
        chosen = {"base_model": name, "engine_url": None}
        engine = Workspace(self.settings.model_copy(update=chosen)).engine(on_stage)
        self.settings = save_settings(self.settings, **chosen)
        with self._opening:
            before, self._engine = self._engine, engine
        if before is not None:
            before.close()

    # The model

    @property
    def engine_state(self) -> Literal["cold", "loading", "ready", "failed"]:
        """The state of the model; `engine_error` says why it failed, `engine_stage` which step it is at."""
        if self._engine is not None:
            return "ready"
        if self.engine_stage is not None:
            return "loading"
        return "failed" if self.engine_error else "cold"

    def engine(self, on_stage: OnStage | None = None) -> "Engine":
        """The engine, opened on the first call; `on_stage` is called with each step. Raises EngineError."""
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = self._open_engine(on_stage)
        return self._engine

    def base(self) -> "BaseModel":
        """The base model behind the engine: to inspect its weights, or load checkpoints. Raises EngineError."""
        return self.local_engine().base

    def local_engine(self) -> "LocalEngine":
        """The model in this process, opened beside llama.cpp's. Raises EngineError where it is an endpoint."""
        from assistant.engines.opening import torch_engine_of

        return torch_engine_of(self.engine(), self.settings)

    def preload(self) -> None:
        """Begin to open the model in the background; `engine()` waits for the same opening."""
        if self._engine is None and not self._opening.locked():
            start_thread("open-model", self._open_quietly)

    def _open_quietly(self) -> None:
        try:
            self.engine()
        except AssistantError as error:  # kept in engine_error for whoever can show it
            log.warning("the model could not be opened: %s", error)

    def _open_engine(self, on_stage: OnStage | None) -> "Engine":
        def report(stage: Stage) -> None:
            self.engine_stage = stage
            if on_stage is not None:
                on_stage(stage)

        from assistant.engines.opening import open_endpoint
        from assistant.engines.services import EngineWithServices, ServiceModels

        self.engine_error = ""
        try:
            if self.settings.engine_url:
                own = open_endpoint(self.settings, self.registry)
            else:
                own = self._local_engine(report)
            return EngineWithServices(own, ServiceModels(self.registry, self._key_of))
        except AssistantError as error:
            self.engine_error = str(error)
            raise
        finally:
            self.engine_stage = None

    def _local_engine(self, on_stage: OnStage) -> "Engine":
        from assistant.engines.opening import open_local

        return open_local(self.settings, self.registry, on_stage)

    def _key_of(self, url: str) -> str:
        """The key of a service's address, as the settings are now."""
        from assistant.engines.services import key_of

        return key_of(self.settings, url)

    @LockedCachedProperty
    def chat(self) -> "Chat":
        """A chat over this home; the model is opened when the first question is asked."""
        from assistant.chat.chat import Chat

        return Chat(self.engine, self.store, self.existing_knowledge, self._said_capability, self.find_note)

    def _use_template_options(self) -> None:
        """Let the chat templates of this process have the options of the settings."""
        use_template_options(json.loads(self.settings.template_options or "{}"))

    def _said_capability(self) -> "Capability | None":
        said = self.settings.capability
        return None if said == "auto" else said

    def batched_chat(self) -> "tuple[Chat, Callable[[Sequence[str | None]], None]]":
        """A chat that generates concurrent answers in one batch, and a function that loads checkpoints before.

        The chat stores nothing.
        """
        from assistant.chat.chat import Chat

        opened: list[Engine] = []
        opening = threading.Lock()

        def engine() -> "Engine":
            with opening:
                if not opened:
                    opened.append(self.batched_engine())
                return opened[0]

        def prepare(checkpoints: Sequence[str | None]) -> None:
            for checkpoint in checkpoints:
                with contextlib.suppress(EngineError):  # the answer will raise it again
                    engine().prompt_capacity(checkpoint)

        chat = Chat(engine, None, self.existing_knowledge, self._said_capability, self.find_note)
        return chat, prepare

    def batched_engine(self) -> "Engine":
        """An engine that generates concurrent answers in one batch, as an endpoint does. Raises EngineError."""
        from assistant.engines.opening import answering_at_once

        return answering_at_once(self.engine())

    # Notes

    @LockedCachedProperty
    def notes(self) -> "Notes":
        """The notes of this home and of its checkpoints."""
        from assistant.notes.home_notes import HomeNotes
        from assistant.notes.lookup import Notes

        return Notes(HomeNotes(self.home), self.registry, self._encode_notes)

    def find_note(self, question: str, checkpoint: str | None) -> "Match | None":
        """The note or the learned fact that a question asks for. Raises TuningError."""
        return self.notes.find(question, checkpoint)

    def _encode_notes(self, texts: Sequence[str]) -> "np.ndarray":
        """Vectors of the packaged model, whatever documents are indexed with: how alike is enough is its own."""
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS  # heavy: torch
            from knowledge.index.embeddings import open_embeddings

        if self._note_embeddings is None:
            packaged = self.embeddings.name == DEFAULT_EMBEDDINGS
            self._note_embeddings = self.embeddings if packaged else open_embeddings()
        return self._note_embeddings.encode(texts)

    # Knowledge

    @LockedCachedProperty
    def embeddings(self) -> "SentenceEmbeddings":
        """The embedding model that documents are indexed with."""
        with IMPORT_LOCK:
            from knowledge.index.embeddings import open_embeddings  # heavy: torch

        return open_embeddings(self.settings.embedding_model, self.home, trusts=self._trusts)

    def knowledge(self, name: str | None = None) -> "KnowledgeBase":
        """A knowledge base, opened on the first call. Raises KnowledgeError."""
        with IMPORT_LOCK:
            from knowledge.base.knowledge_base import KnowledgeBase  # heavy: torch, chromadb
            from knowledge.ingest.fetch import WebLimits
            from knowledge.search.reranking import CrossEncoderReranker

        reranker = self.settings.reranker
        name = name or self.settings.knowledge_base
        with self._knowledge_lock:
            if name not in self._knowledge:
                self._knowledge[name] = KnowledgeBase(
                    self.home,
                    name,
                    embeddings=self.embeddings,
                    chroma_url=self.settings.chroma_url,
                    reranker=CrossEncoderReranker(reranker, trusts=self._trusts) if reranker else None,
                    web=WebLimits(allow_private=self.settings.allow_private_urls),
                )
            return self._knowledge[name]

    def _trusts(self, name: str, folder: Path) -> bool:
        """Whether a person allowed the code in the folder of an embedding model or reranker."""
        with IMPORT_LOCK:
            from tuning.models.model_code import is_allowed  # heavy: transformers

        return is_allowed(name, folder, self.home)

    def existing_knowledge(self, name: str | None = None) -> "KnowledgeBase":
        """Like `knowledge`, but only for one that exists. Raises AssistantError."""
        name = name or self.settings.knowledge_base
        known = self.knowledge_bases()
        if name not in known and name not in self._knowledge:
            raise AssistantError(
                f"There is no knowledge base {name!r}. There are: {', '.join(known) or 'none yet'}. "
                f"Add documents with `imprint index PATH --kb {name}` or on the Knowledge page."
            )
        return self.knowledge(name)

    def delete_knowledge(self, name: str) -> None:
        """Delete a knowledge base for good. Raises AssistantError, KnowledgeError."""
        base = self.existing_knowledge(name)
        base.delete()
        with self._knowledge_lock:
            self._knowledge.pop(name, None)

    def rename_knowledge(self, name: str, wanted: str) -> None:
        """Give a knowledge base another name, by which settings, conversations and variants know it from then on.

        Raises AssistantError, KnowledgeError.
        """
        from assistant.compare.saved_variants import SavedVariants
        from assistant.settings import from_environment  # heavy: pydantic

        is_default = name == self.settings.knowledge_base
        if is_default and (variable := from_environment().get("knowledge_base")):
            raise SettingsError(
                f"The knowledge base {name!r} is named by {variable} in the environment, so it cannot be renamed "
                "here. Unset it first."
            )
        base = self.existing_knowledge(name)
        with self._knowledge_lock:
            base.rename(wanted)
            self._knowledge.pop(name, None)
        if is_default:
            self.change(knowledge_base=wanted)
        self.store.rename_choice("kb", name, wanted)
        SavedVariants(self.home).rename_knowledge_base(name, wanted)

    def knowledge_bases(self) -> list[str]:
        """Names of the knowledge bases in this home."""
        from knowledge.base.knowledge_base import knowledge_bases  # heavy: torch, chromadb

        return knowledge_bases(self.home)

    # Change and end

    def change(self, **changes: Any) -> "Settings":
        """Save settings and close what they make stale; it opens anew when needed. Raises SettingsError."""
        from assistant.settings import save_settings  # heavy: pydantic

        before, self.settings = self.settings, save_settings(self.settings, **changes)
        after = self.settings
        self._use_template_options()
        if _differs(
            before, after, ("base_model", "device", "engine", "engine_url", "engine_model", "engine_key")
        ):
            self.close_engine()
        if _differs(before, after, ("embedding_model", "reranker", "chroma_url", "allow_private_urls")):
            self.close_knowledge()
        return after

    def close_engine(self) -> None:
        """Close the model and free its memory."""
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def close_knowledge(self) -> None:
        """Close all knowledge bases, so that another process may open them."""
        with self._knowledge_lock:
            opened, self._knowledge = self._knowledge, {}
            Workspace.embeddings.clear(self)  # the settings may name another model now
        for knowledge in opened.values():
            knowledge.close()

    def close(self) -> None:
        """Close everything."""
        self.close_engine()
        self.close_knowledge()


def _differs(before: "Settings", after: "Settings", names: Sequence[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)
