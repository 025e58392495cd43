"""LangChain's standard suites for chat models, with everything on that a text model can do, on real weights."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from assistant.engines.langchain_model import ImprintChatModel
from assistant.engines.llama_engine import LlamaEngine
from tests.fakes import ScriptedEngine
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.models.base_model import BaseModel
from tuning.models.gguf_base import GgufBase

CHECKPOINT = "standard-halden"
# In the names of tests whose answer must be whole: a shorter one is cut off within its JSON.
STRUCTURED = ("json", "structured", "tool", "agent")


@pytest.fixture(scope="module")
def registry(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    found = Registry(tmp_path_factory.mktemp("registry"))
    save_prefix(base_model, found, CHECKPOINT)
    return found


@pytest.fixture(scope="module")
def llama(registry: Registry, imprint_home: Path) -> Iterator[LlamaEngine]:
    """The default model in llama.cpp, with the checkpoints of the registry."""
    base = GgufBase.find(DEFAULT_BASE, imprint_home)
    assert base is not None
    opened = LlamaEngine(base, registry)
    yield opened
    opened.close()


class Capable:
    """What a model that reads and writes text can do; it sees and hears nothing."""

    has_tool_calling = True
    has_tool_choice = True
    has_structured_output = True
    supports_json_mode = True
    supports_anthropic_inputs = True
    returns_usage_metadata = True
    supports_model_override = True
    model_override_value = CHECKPOINT
    chat_model_class = ImprintChatModel


class TestUnitStandard(Capable, ChatModelUnitTests):
    """What needs no answer."""

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().standard_chat_model_params
        return {
            name: value for name, value in params.items() if name != "api_key"
        }  # there is no key to a model here

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": ScriptedEngine()}


class TestIntegrationStandard(Capable, ChatModelIntegrationTests):
    """Everything that a text model can do, on the default model: by grammar, and not always wisely."""

    _engine: LlamaEngine

    @pytest.fixture(autouse=True)
    def _use_engine(self, llama: LlamaEngine) -> None:
        type(self)._engine = llama

    @pytest.fixture
    def model(self, request: pytest.FixtureRequest, llama: LlamaEngine) -> BaseChatModel:
        structured = any(word in request.node.name for word in STRUCTURED)
        tokens = 96 if structured else 24
        return ImprintChatModel(engine=llama, max_tokens=tokens, **getattr(request, "param", {}))

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"engine": self._engine, "max_tokens": 48}
