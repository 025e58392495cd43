"""`ChatImprint`: a model of a home, by name, as a LangChain chat model."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import Field, SkipValidation, model_validator

from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from imprint.opened import workspace_of

BASE = "base"


class OpenedLater:
    """Stands for an engine, which is opened at the first use of any part of it."""

    def __init__(self, open: Callable[[], Engine]) -> None:
        self._open = open

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked by copy and pickle, of any object
            raise AttributeError(name)
        return getattr(self._open(), name)


class ChatImprint(ImprintChatModel):
    """The base model of a home or one of its checkpoints, as LangChain's `BaseChatModel`.

    `model` is a checkpoint's name; without one, or with "base", the base model answers. All models of one home share
    what is in memory, which is opened when the first question is asked. Raises AssistantError then.
    """

    model: str | None = None
    home: Path | None = None  # None: IMPRINT_HOME, or the platform's folder
    # None stands for the engine of the home; a program may give one of its own.
    engine: Annotated[Engine, SkipValidation] = Field(default=cast("Engine", None), exclude=True, repr=False)

    @model_validator(mode="after")
    def _choose(self) -> "ChatImprint":
        """Choose the model by its name; nothing is opened for that."""
        if self.engine is None:
            home = self.home
            self.engine = cast("Engine", OpenedLater(lambda: workspace_of(home).engine()))
        if self.checkpoint is None and self.model != BASE:
            self.checkpoint = self.model
        return self

    def _checkpoint(self, model: str | None) -> str | None:
        named = model or self.checkpoint  # the base may be called by its own name
        return None if named in (None, BASE) else super()._checkpoint(named)
