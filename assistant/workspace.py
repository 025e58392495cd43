"""The composition root: what pages, commands and the server use of one Imprint home.

Settings, conversations, model, checkpoints and knowledge bases are imported and opened when first needed, once,
whatever thread asks first. It draws nothing and decides nothing.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from assistant.documents.open_bases import OpenBases, trusted_code
from assistant.engines.open_engine import EngineState, OpenEngine
from assistant.engines.stage import OnStage, Stage
from assistant.errors import EngineError, SettingsError
from assistant.home_stores import HomeStores
from assistant.lazy import IMPORT_LOCK, LockedCachedProperty

if TYPE_CHECKING:
    from assistant.chat.chat import Chat
    from assistant.chat.passage_judge import PassageJudge
    from assistant.engines.base import Engine
    from assistant.engines.local import LocalEngine
    from assistant.notes.lookup import Notes
    from assistant.settings import Settings
    from knowledge.base.knowledge_base import KnowledgeBase
    from knowledge.index.embeddings import SentenceEmbeddings
    from tuning.models.base_model import BaseModel
    from tuning.models.capability import Capability


class Workspace(HomeStores):
    """One Imprint home and its open parts. Safe to share between threads."""

    def __init__(self, settings: "Settings | None" = None, engine: "Engine | None" = None) -> None:
        """`settings` default to those of the environment and the home; `engine` is one that is open already."""
        super().__init__(settings)
        self._model = OpenEngine(self._open_engine, engine)
        self._bases = OpenBases(lambda: self.settings, lambda: self.embeddings)

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
        self._model.replace(engine)

    # The model

    @property
    def engine_state(self) -> EngineState:
        """The state of the model; `engine_error` says why it failed, `engine_stage` which step it is at."""
        return self._model.state

    @property
    def engine_stage(self) -> Stage | None:
        """The step that the opening of the model is at; None where none is underway."""
        return self._model.stage

    @property
    def engine_error(self) -> str:
        """Why the model could not be opened; empty where it could, or nobody tried."""
        return self._model.error

    def engine(self, on_stage: OnStage | None = None) -> "Engine":
        """The engine, opened on the first call; `on_stage` is called with each step. Raises EngineError."""
        return self._model.get(on_stage)

    def base(self) -> "BaseModel":
        """The base model behind the engine: to inspect its weights, or load checkpoints. Raises EngineError."""
        return self.local_engine().base

    def local_engine(self) -> "LocalEngine":
        """The model in this process, opened beside llama.cpp's. Raises EngineError where it is an endpoint."""
        from assistant.engines.opening import torch_engine_of

        return torch_engine_of(self.engine(), self.settings)

    def preload(self) -> None:
        """Begin to open the model in the background; `engine()` waits for the same opening."""
        self._model.preload()

    def _open_engine(self, on_stage: OnStage) -> "Engine":
        from assistant.engines.opening import open_endpoint
        from assistant.engines.services import EngineWithServices, ServiceModels

        endpoint = self.settings.engine_url
        own = open_endpoint(self.settings, self.registry) if endpoint else self._local_engine(on_stage)
        return EngineWithServices(own, ServiceModels(self.registry, self._key_of))

    def _local_engine(self, on_stage: OnStage) -> "Engine":
        from assistant.engines.opening import open_local

        return open_local(self.settings, self.registry, on_stage)

    @LockedCachedProperty
    def chat(self) -> "Chat":
        """A chat over this home; the model is opened when the first question is asked."""
        from assistant.chat.chat import Chat

        return Chat(
            self.engine,
            self.store,
            self.existing_knowledge,
            self._said_capability,
            lambda: self.notes,
            lambda: self.passage_judge,
        )

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

        chat = Chat(
            engine,
            None,
            self.existing_knowledge,
            self._said_capability,
            lambda: self.notes,
            lambda: self.passage_judge,
        )
        return chat, prepare

    def batched_engine(self) -> "Engine":
        """An engine that generates concurrent answers in one batch, as an endpoint does. Raises EngineError."""
        from assistant.engines.opening import answering_at_once

        return answering_at_once(self.engine())

    # Notes

    @LockedCachedProperty
    def notes(self) -> "Notes":
        """The notes of this home and of its checkpoints."""
        from assistant.notes.encoder import NoteEncoder
        from assistant.notes.home_notes import HomeNotes
        from assistant.notes.lookup import Notes

        encoder = NoteEncoder(lambda: self.embeddings, self.home)
        return Notes(HomeNotes(self.home), self.registry, encoder.encode, encoder.judge)

    @LockedCachedProperty
    def passage_judge(self) -> "PassageJudge":
        """What judges whether passages answer a question."""
        from assistant.chat.passage_judge import PassageJudge

        with IMPORT_LOCK:
            from knowledge.search.answerability import Answerability  # heavy: torch

        return PassageJudge(Answerability().score)

    # Knowledge

    @LockedCachedProperty
    def embeddings(self) -> "SentenceEmbeddings":
        """The embedding model that documents are indexed with."""
        with IMPORT_LOCK:
            from knowledge.index.embeddings import open_embeddings  # heavy: torch

        return open_embeddings(self.settings.embedding_model, self.home, trusts=trusted_code(self.home))

    def knowledge(self, name: str | None = None) -> "KnowledgeBase":
        """A knowledge base, opened on the first call. Raises KnowledgeError."""
        return self._bases.get(name or self.settings.knowledge_base)

    def existing_knowledge(self, name: str | None = None) -> "KnowledgeBase":
        """Like `knowledge`, but only for one that exists. Raises AssistantError."""
        return self._bases.existing(name or self.settings.knowledge_base)

    def delete_knowledge(self, name: str) -> None:
        """Delete a knowledge base for good. Raises AssistantError, KnowledgeError."""
        self._bases.delete(name)

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
        self._bases.rename(name, wanted)
        if is_default:
            self.change(knowledge_base=wanted)
        self.store.rename_choice("kb", name, wanted)
        SavedVariants(self.home).rename_knowledge_base(name, wanted)

    def knowledge_bases(self) -> list[str]:
        """Names of the knowledge bases in this home."""
        return self._bases.names()

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
        self._model.replace(None)

    def close_knowledge(self) -> None:
        """Close all knowledge bases, so that another process may open them."""
        Workspace.embeddings.clear(self)  # the settings may name another model now
        self._bases.close()

    def close(self) -> None:
        """Close everything."""
        self.close_engine()
        self.close_knowledge()


def _differs(before: "Settings", after: "Settings", names: Sequence[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in names)
