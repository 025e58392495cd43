"""From the settings to an open engine: an endpoint, llama.cpp with torch behind it, or torch alone."""

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING

from assistant.engines.base import Engine
from assistant.engines.services import EngineWithServices, own_engine
from assistant.engines.stage import OnStage
from assistant.errors import EngineError
from assistant.lazy import IMPORT_LOCK
from assistant.settings import Settings
from tuning.checkpoints.registry import Registry

if TYPE_CHECKING:  # torch takes seconds to import
    from assistant.engines.local import LocalEngine

log = logging.getLogger(__name__)


def open_local(settings: Settings, registry: Registry, on_stage: OnStage) -> Engine:
    """A model on this machine as the settings ask for it; `on_stage` is called with each step. Raises EngineError."""
    if settings.engine != "torch":
        on_stage("opening")
    if needs_torch(settings):
        return _torch(settings, registry, on_stage)
    try:
        return _llama(settings, registry)
    except EngineError as error:
        if settings.engine != "auto":
            raise
        log.warning("torch is used instead of llama.cpp: %s", error)
        return _torch(settings, registry, on_stage)


def needs_torch(settings: Settings) -> bool:
    """Whether torch will answer, from the settings and the machine: without, the model is open in a second."""
    from assistant.engines.gpu import has_gpu

    if settings.engine_url:
        return False
    return settings.engine == "torch" or (settings.engine == "auto" and has_gpu(settings.device))


def torch_engine_of(engine: Engine, settings: Settings) -> "LocalEngine":
    """The model in this process behind an engine. Raises EngineError where it is an endpoint."""
    from assistant.engines.chosen import ChosenEngine

    engine = own_engine(engine)
    if isinstance(engine, ChosenEngine):
        return engine.torch
    with IMPORT_LOCK:
        from assistant.engines.local import LocalEngine  # heavy: torch, transformers, peft

    if not isinstance(engine, LocalEngine):
        raise EngineError(
            f"{engine.name} runs at {settings.engine_url}; this needs a model on this machine. "
            "Take the address out of the settings."
        )
    return engine


def answering_at_once(engine: Engine) -> Engine:
    """The same engine, where answers that are asked for at the same time are written at the same time."""
    from assistant.engines.chosen import ChosenEngine

    if isinstance(engine, EngineWithServices):
        return EngineWithServices(answering_at_once(engine.own), engine.services)
    if isinstance(engine, ChosenEngine):
        return engine.sharing(_in_one_batch)
    with IMPORT_LOCK:
        from assistant.engines.local import LocalEngine  # heavy: torch, transformers, peft

    return _in_one_batch(engine) if isinstance(engine, LocalEngine) else engine


def _in_one_batch(engine: "LocalEngine") -> Engine:
    from assistant.engines.batched import BatchedEngine  # heavy: torch

    return BatchedEngine(engine)


def open_endpoint(settings: Settings, registry: Registry) -> Engine:
    """The endpoint that the settings name. Raises EngineError."""
    from assistant.engines.remote import RemoteEngine

    if not settings.engine_url or not settings.engine_model:
        raise EngineError(
            f"The endpoint {settings.engine_url} is set, but no model of it. Set engine_model as well."
        )
    key = settings.engine_key or ""
    return RemoteEngine(settings.engine_url, settings.engine_model, key, registry=registry)


def _llama(settings: Settings, registry: Registry) -> Engine:
    """llama.cpp, with torch for what it cannot do. Raises EngineError."""
    from assistant.engines.chosen import ChosenEngine
    from assistant.engines.llama_engine import LlamaEngine
    from tuning.errors import TuningError
    from tuning.models.gguf_base import GgufBase

    if not _is_installed("xllamacpp"):
        raise EngineError(
            "llama.cpp needs the package xllamacpp, which is not installed here: pip install xllamacpp"
        )
    name = settings.base_model
    try:
        base = GgufBase.find(name, settings.home)
    except TuningError as error:
        raise EngineError(str(error)) from error
    if base is None:
        raise EngineError(f"llama.cpp needs the model {name!r} as one GGUF file, and there is none.")
    return ChosenEngine(LlamaEngine(base, registry), lambda: _torch(settings, registry, lambda stage: None))


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # what was imported under that name is no package
        return False


def _torch(settings: Settings, registry: Registry, on_stage: OnStage) -> "LocalEngine":
    on_stage("importing")
    with IMPORT_LOCK:  # heavy: torch, transformers, peft
        from assistant.engines.local import LocalEngine
        from tuning.errors import TuningError
        from tuning.models.base_model import BaseModel
        from tuning.models.sizes import weights_folder

    name, home = settings.base_model, settings.home
    on_stage("converting" if weights_folder(name, home) is None else "opening")
    try:
        return LocalEngine(BaseModel.open(name, home, device=settings.device), registry)
    except TuningError as error:
        raise EngineError(str(error)) from error
