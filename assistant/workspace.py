"""What the pages and the command line talk to: settings, conversations, model, checkpoints, knowledge.

Everything heavy is imported and opened when it is first needed, once, whatever thread asks first.
It draws nothing and decides nothing.
"""

import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assistant.background import start_thread
from assistant.chat.presets import Presets
from assistant.errors import AssistantError, EngineError

if TYPE_CHECKING:
    from assistant.chat.chat import Chat
    from assistant.engines.base import Engine
    from assistant.engines.local import LocalEngine
    from assistant.history.conversations import ConversationStore
    from assistant.history.preferences import PreferenceStore
    from assistant.settings import Settings
    from knowledge.base.knowledge_base import KnowledgeBase
    from knowledge.index.embeddings import SentenceEmbeddings
    from tuning.checkpoints.registry import Registry
    from tuning.jobs.jobs import Jobs
    from tuning.models.base_model import BaseModel
    from tuning.models.catalogue import CatalogueEntry

log = logging.getLogger(__name__)

# What opening the model is busy with; a page or a terminal words it.
Stage = Literal["importing", "converting", "opening"]
OnStage = Callable[[Stage], None]
# The lazy modules of transformers break when two threads import them at once.
_importing = threading.RLock()


class Workspace:
    """An Imprint home and what is open of it. Safe to share between threads."""

    def __init__(self, settings: "Settings | None" = None, engine: "Engine | None" = None) -> None:
        """Over `settings` or those of the environment; an engine that is open already is used."""
        if settings is None:
            from assistant.settings import load_settings  # heavy: pydantic

            settings = load_settings()
        self.settings = settings
        self._opening = threading.Lock()
        self._engine = engine
        self.engine_stage: Stage | None = None
        self.engine_error = ""
        self._knowledge: dict[str, KnowledgeBase] = {}
        self._knowledge_lock = threading.RLock()

    @property
    def home(self) -> Path:
        """The folder where everything is kept."""
        return self.settings.home

    @cached_property
    def store(self) -> "ConversationStore":
        """The conversations."""
        from assistant.history.conversations import ConversationStore

        return ConversationStore(self.settings.conversations_path)

    @cached_property
    def preferences(self) -> "PreferenceStore":
        """The votes between two answers."""
        from assistant.history.preferences import PreferenceStore

        return PreferenceStore(self.settings.conversations_path)

    @cached_property
    def presets(self) -> Presets:
        """System prompts with worked examples."""
        return Presets(self.home)

    @cached_property
    def registry(self) -> "Registry":
        """The checkpoints."""
        from tuning.checkpoints.registry import Registry  # heavy: torch

        return Registry(self.home)

    @cached_property
    def jobs(self) -> "Jobs":
        """The tuning jobs."""
        with _importing:
            from tuning.jobs.jobs import Jobs  # heavy: torch

        return Jobs(self.home)

    def catalogue(self) -> "list[CatalogueEntry]":
        """Base models at hand, and those that a hub would offer."""
        with _importing:
            from tuning.models.catalogue import catalogue  # heavy: torch, transformers

        return catalogue(self.home)

    # The model

    @property
    def engine_state(self) -> Literal["cold", "loading", "ready", "failed"]:
        """How far the model is; `engine_error` says why it failed, `engine_stage` what it is busy with."""
        if self._engine is not None:
            return "ready"
        if self.engine_stage is not None:
            return "loading"
        return "failed" if self.engine_error else "cold"

    def engine(self, on_stage: OnStage | None = None) -> "Engine":
        """The engine, opened on the first call; `on_stage` hears how far that is. Raises EngineError."""
        if self._engine is None:
            with self._opening:
                if self._engine is None:
                    self._engine = self._open_engine(on_stage)
        return self._engine

    def base(self) -> "BaseModel":
        """The open base model itself, for what is done to it rather than asked of it. Raises EngineError."""
        return self.local_engine().base

    def local_engine(self) -> "LocalEngine":
        """The engine, where it is a model on this machine that can be looked into. Raises EngineError."""
        from assistant.engines.local import LocalEngine

        engine = self.engine()
        if not isinstance(engine, LocalEngine):
            raise EngineError(
                f"{engine.name} runs at {self.settings.engine_url}; this needs a model on this machine. "
                "Take the address out of the settings."
            )
        return engine

    def preload(self) -> None:
        """Begin to open the model without waiting for it; `engine()` joins in."""
        if self._engine is None and not self._opening.locked():
            start_thread("open-model", self._open_quietly)

    def _open_quietly(self) -> None:
        try:
            self.engine()
        except AssistantError as error:  # kept in engine_error for whoever can show it
            log.warning("the model could not be opened: %s", error)

    def _open_engine(self, on_stage: OnStage | None) -> "Engine":
        def tell(stage: Stage) -> None:
            self.engine_stage = stage
            if on_stage is not None:
                on_stage(stage)

        self.engine_error = ""
        try:
            return self._remote_engine() if self.settings.engine_url else self._local_engine(tell)
        except AssistantError as error:
            self.engine_error = str(error)
            raise
        finally:
            self.engine_stage = None

    def _remote_engine(self) -> "Engine":
        from assistant.engines.remote import RemoteEngine

        settings = self.settings
        if not settings.engine_url or not settings.engine_model:
            raise EngineError(
                f"The endpoint {settings.engine_url} is set, but no model of it. Set engine_model as well."
            )
        return RemoteEngine(settings.engine_url, settings.engine_model, settings.engine_key or "")

    def _local_engine(self, tell: OnStage) -> "Engine":
        tell("importing")
        with _importing:  # heavy: torch, transformers, peft
            from assistant.engines.local import LocalEngine
            from tuning.errors import TuningError
            from tuning.models.base_model import BaseModel

        name = self.settings.base_model
        converted = (self.home / "models" / name / "imprint.json").exists()
        tell("opening" if converted or Path(name).is_dir() else "converting")
        try:
            return LocalEngine(BaseModel.open(name, self.home, device=self.settings.device), self.registry)
        except TuningError as error:
            raise EngineError(str(error)) from error

    @cached_property
    def chat(self) -> "Chat":
        """A chat over this home; the model is opened when the first question is asked."""
        from assistant.chat.chat import Chat

        return Chat(self.engine, self.store, self.existing_knowledge)

    def chat_at_once(self) -> "tuple[Chat, Callable[[Sequence[str | None]], None]]":
        """A chat whose answers are written side by side, and what opens model and checkpoints before.

        It keeps nothing. An endpoint answers many at once by itself.
        """
        from assistant.chat.chat import Chat

        opened: list[Engine] = []
        opening = threading.Lock()

        def engine() -> "Engine":
            with opening:
                if not opened:
                    opened.append(self.answers_at_once())
                return opened[0]

        def prepare(checkpoints: Sequence[str | None]) -> None:
            for checkpoint in checkpoints:
                with contextlib.suppress(EngineError):  # whoever asks it will say so
                    engine().prompt_capacity(checkpoint)

        return Chat(engine, None, self.existing_knowledge), prepare

    def answers_at_once(self) -> "Engine":
        """An engine whose answers are written side by side; an endpoint does so by itself. Raises EngineError."""
        engine = self.engine()
        from assistant.engines.batched import BatchedEngine
        from assistant.engines.local import LocalEngine  # heavy: torch

        return BatchedEngine(engine) if isinstance(engine, LocalEngine) else engine

    # Knowledge

    @cached_property
    def embeddings(self) -> "SentenceEmbeddings":
        """The embedding model that documents are indexed with."""
        with _importing:
            from knowledge.index.embeddings import open_embeddings  # heavy: torch

        return open_embeddings(self.settings.embedding_model, self.home)

    def knowledge(self, name: str | None = None) -> "KnowledgeBase":
        """A knowledge base, opened on the first call. Raises KnowledgeError."""
        with _importing:
            from knowledge.base.knowledge_base import KnowledgeBase  # heavy: chromadb
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
                    reranker=CrossEncoderReranker(reranker) if reranker else None,
                    web=WebLimits(allow_private=self.settings.allow_private_urls),
                )
            return self._knowledge[name]

    def existing_knowledge(self, name: str | None = None) -> "KnowledgeBase":
        """As `knowledge`, but a name that nothing was added under is refused. Raises AssistantError."""
        name = name or self.settings.knowledge_base
        known = self.knowledge_bases()
        if name not in known and name not in self._knowledge:
            raise AssistantError(
                f"There is no knowledge base {name!r}. There are: {', '.join(known) or 'none yet'}. "
                f"Add documents with `imprint index PATH --kb {name}` or on the Knowledge page."
            )
        return self.knowledge(name)

    def knowledge_bases(self) -> list[str]:
        """Names of the knowledge bases in this home."""
        from knowledge.base.knowledge_base import knowledge_bases  # heavy: chromadb

        return knowledge_bases(self.home)

    # Change and end

    def change(self, **changes: Any) -> "Settings":
        """Save settings and close what they make stale; it opens anew when needed. Raises SettingsError."""
        from assistant.settings import save_settings  # heavy: pydantic

        before, self.settings = self.settings, save_settings(self.settings, **changes)
        after = self.settings
        if _differs(before, after, ("base_model", "device", "engine_url", "engine_model", "engine_key")):
            self.close_engine()
        if _differs(before, after, ("embedding_model", "reranker", "chroma_url", "allow_private_urls")):
            self.close_knowledge()
        return after

    def close_engine(self) -> None:
        """Give the model's memory back."""
        with self._opening:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    def close_knowledge(self) -> None:
        """Let go of the index, so that another process may open it."""
        with self._knowledge_lock:
            opened, self._knowledge = self._knowledge, {}
            self.__dict__.pop("embeddings", None)  # the settings may name another model now
        for knowledge in opened.values():
            knowledge.close()

    def close(self) -> None:
        """Close everything."""
        self.close_engine()
        self.close_knowledge()


def _differs(before: "Settings", after: "Settings", names: Sequence[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)
