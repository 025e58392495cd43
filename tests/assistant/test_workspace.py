"""The workspace: what is opened when, once, and what a change of settings closes."""

import contextvars
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from assistant.engines.base import Engine
from assistant.engines.stage import OnStage
from assistant.errors import AssistantError, EngineError
from assistant.i18n.texts import t, use_language
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine

WAIT_SECONDS = 10.0
ROOT = Path(__file__).parents[2]


class Scripted(Workspace):
    """Opens a scripted engine when it may, or fails at it, and counts how often."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.opened = 0
        self.fails = False
        self.may_open = threading.Event()
        self.may_open.set()

    def _local_engine(self, on_stage: OnStage) -> Engine:
        on_stage("opening")
        self.opened += 1
        assert self.may_open.wait(WAIT_SECONDS)
        if self.fails:
            raise EngineError("the weights are gone")
        return ScriptedEngine()


@pytest.fixture
def workspace(tmp_path: Path) -> Scripted:
    return Scripted(Settings(home=tmp_path))


def wait_for_preload() -> None:
    for thread in threading.enumerate():
        if thread.name == "open-model":
            thread.join(WAIT_SECONDS)


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom assistant.settings import Settings\n"
        "from assistant.workspace import Workspace\n"
        "w = Workspace(Settings(home=Path(sys.argv[1])))\nw.store.list(); w.presets.list(); w.close()\n"
        "print([m for m in ('torch', 'transformers', 'langchain_core', 'chromadb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_many_callers_open_the_model_once(workspace: Scripted) -> None:
    engines: list[Engine] = []
    threads = [threading.Thread(target=lambda: engines.append(workspace.engine())) for _ in range(5)]
    workspace.may_open.clear()
    workspace.preload()
    for thread in threads:
        thread.start()
    workspace.may_open.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert len(engines) == 5 and len(set(map(id, engines))) == 1
    assert workspace.opened == 1


def test_a_preloaded_model_is_opened_in_the_language_of_the_page(
    workspace: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(
        workspace, "_local_engine", lambda on_stage: said.append(t("save")) or ScriptedEngine()
    )

    def chinese_page() -> None:
        use_language("zh")
        workspace.preload()
        wait_for_preload()
        said.append(t("save"))

    contextvars.copy_context().run(chinese_page)
    assert said[0] == said[1] != t("save")


def test_the_state_tells_how_far_the_model_is(workspace: Scripted) -> None:
    states = [workspace.engine_state]
    stages: list[str | None] = []
    workspace.engine(lambda stage: (stages.append(stage), states.append(workspace.engine_state))[0])
    states.append(workspace.engine_state)
    assert states == ["cold", "loading", "ready"]
    assert stages == ["opening"] and workspace.engine_stage is None


def test_a_failure_is_kept_for_whoever_can_show_it_and_can_be_tried_again(workspace: Scripted) -> None:
    workspace.fails = True
    workspace.preload()
    wait_for_preload()
    assert workspace.engine_state == "failed"
    assert workspace.engine_error == "the weights are gone"
    with pytest.raises(EngineError, match="weights are gone"):
        workspace.engine()
    workspace.fails = False
    assert workspace.engine().name == "scripted" and workspace.engine_error == ""


def test_a_change_of_model_closes_the_open_one(workspace: Scripted) -> None:
    first = workspace.engine()
    workspace.change(max_new_tokens=64)
    assert workspace.engine() is first
    workspace.change(base_model="another")
    assert workspace.engine_state == "cold"
    assert workspace.engine() is not first
    assert json.loads((workspace.home / "settings.json").read_text()) == {
        "max_new_tokens": 64,
        "base_model": "another",
    }


def test_an_endpoint_is_used_only_when_it_is_set(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, engine_url="http://127.0.0.1:9/v1", engine_model="big")
    workspace = Workspace(settings)
    assert workspace.engine().name == "big"
    with pytest.raises(EngineError, match=r"big runs at http://127\.0\.0\.1:9"):
        workspace.base()
    half = Workspace(Settings(home=tmp_path, engine_url="http://127.0.0.1:9/v1"))
    with pytest.raises(EngineError, match="no model of it"):
        half.engine()


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    workspace = Workspace(Settings(home=tmp_path, base_model="no-such-model", device="cpu"))
    with pytest.raises(EngineError, match="no-such-model"):
        workspace.engine()
    assert workspace.engine_state == "failed"


def test_a_knowledge_base_is_opened_once_and_let_go(tmp_path: Path) -> None:
    workspace = Workspace(Settings(home=tmp_path))
    with pytest.raises(AssistantError, match=r"There is no knowledge base 'products'. There are: none yet"):
        workspace.existing_knowledge("products")
    opened = workspace.knowledge("products")
    assert workspace.knowledge("products") is opened
    assert workspace.existing_knowledge("products") is opened
    assert workspace.knowledge_bases() == ["products"]
    workspace.close()
    assert workspace.knowledge("products") is not opened
    workspace.close()
