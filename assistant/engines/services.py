"""Models that a fine-tuning service keeps, beside the engine of this home: which there are, and who answers.

They are checkpoints of this home without weights. What is asked of one is sent to the service that tuned it, and to
no other; each address has a key of its own.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from assistant.engines.base import Engine
from assistant.engines.forwarding import ForwardingEngine
from assistant.engines.remote import RemoteEngine
from assistant.errors import EngineError
from assistant.settings import Settings
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.checkpoints.remote_model import remote_model
from tuning.errors import CheckpointError


@dataclass(frozen=True)
class Service:
    """A fine-tuning service as the settings name it."""

    url: str
    model: str  # "" where none is set

    @property
    def host(self) -> str:
        """The address without its path."""
        return urlsplit(self.url).netloc


def service_of(settings: Settings) -> Service | None:
    """The service of the settings, or the endpoint that answers; None where neither is set."""
    if settings.fine_tuning_url:
        return Service(settings.fine_tuning_url, settings.fine_tuning_model or "")
    if settings.engine_url:
        return Service(settings.engine_url, settings.fine_tuning_model or settings.engine_model or "")
    return None


def key_of(settings: Settings, url: str) -> str:
    """The key that belongs to this address; "" where there is none: a key goes nowhere else."""
    keys = {settings.engine_url: settings.engine_key, settings.fine_tuning_url: settings.fine_tuning_key}
    return keys.get(url) or ""


class ServiceModels:
    """The checkpoints of a registry that services keep, each with an engine of its own, opened when first asked."""

    def __init__(self, registry: Registry, key_for: Callable[[str], str]) -> None:
        self._registry, self._key_for = registry, key_for
        self._opening = threading.Lock()
        self._opened: dict[tuple[str, str, str], RemoteEngine] = {}

    def names(self) -> list[str]:
        """The names of the checkpoints."""
        return [found.name for found in self._registry.list() if found.is_remote]

    def find(self, checkpoint: str | None) -> Checkpoint | None:
        """The checkpoint of this name, if a service keeps it."""
        if checkpoint is None or not self._registry.exists(checkpoint):
            return None
        try:
            found = self._registry.get(checkpoint)
        except CheckpointError:  # the engine of this home says what is wrong with it
            return None
        return found if found.is_remote else None

    def engine_of(self, checkpoint: Checkpoint) -> RemoteEngine:
        """The engine that answers with it. Raises EngineError."""
        try:
            model = remote_model(checkpoint)
        except CheckpointError as error:
            raise EngineError(str(error)) from error
        assert model is not None
        known = (model.url, model.model, self._key_for(model.url))
        with self._opening:
            if known not in self._opened:
                self._opened[known] = RemoteEngine(*known)
            return self._opened[known]

    def close(self) -> None:
        """Close the connections."""
        with self._opening:
            for opened in self._opened.values():
                opened.close()
            self._opened = {}


class EngineWithServices(ForwardingEngine):
    """An engine of this home, and beside it the models that services keep; tokens are counted by the former."""

    chats_alone = "model: {name} goes on with chats alone. Ask it in a chat."

    def __init__(self, own: Engine, services: ServiceModels) -> None:
        super().__init__(own)
        self.own, self.services = own, services

    def engine_for(self, checkpoint: str | None) -> tuple[Engine, str | None]:
        """The engine that answers, and what it is asked for as a checkpoint. Raises EngineError."""
        found = self.services.find(checkpoint)
        return (self.own, checkpoint) if found is None else (self.services.engine_of(found), None)

    def checkpoints(self) -> list[str]:
        """Those of the engine, then those that services keep."""
        own = self.own.checkpoints()
        return [*own, *(name for name in self.services.names() if name not in own)]

    def system_prompt(self, checkpoint: str | None) -> str:
        """The system prompt that a checkpoint was tuned with."""
        found = self.services.find(checkpoint)
        return found.system_prompt if found else self.own.system_prompt(checkpoint)

    def close(self) -> None:
        """Close the engine and the connections."""
        self.own.close()
        self.services.close()


def own_engine(engine: Engine) -> Engine:
    """The engine of this home, without what services keep."""
    return engine.own if isinstance(engine, EngineWithServices) else engine


def answering(engine: Engine, checkpoint: str | None) -> tuple[Engine, str | None]:
    """The engine that answers with a checkpoint, and what it is asked for. Raises EngineError."""
    return engine.engine_for(checkpoint) if isinstance(engine, EngineWithServices) else (engine, checkpoint)
