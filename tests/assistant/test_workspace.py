"""The workspace: what is opened when, once, and what a change of settings closes."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assistant.engines.base import Engine
from assistant.errors import AssistantError, EngineError
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine


class Slow(Workspace):
    """Opens a scripted engine slowly, or fails at it, and counts how often."""

    opened = 0
    fails = False

    def _local_engine(self, tell: object) -> Engine:
        assert callable(tell)
        tell("opening")
        time.sleep(0.05)
        Slow.opened += 1
        if Slow.fails:
            raise EngineError("the weights are gone")
        return ScriptedEngine()


@pytest.fixture
def slow(tmp_path: Path) -> Slow:
    Slow.opened, Slow.fails = 0, False
    return Slow(Settings(home=tmp_path))


def test_nothing_heavy_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom assistant.settings import Settings\n"
        "from assistant.workspace import Workspace\n"
        "w = Workspace(Settings(home=Path(sys.argv[1])))\nw.store.list(); w.presets.list(); w.close()\n"
        "print([m for m in ('torch', 'transformers', 'langchain_core', 'chromadb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_many_callers_open_the_model_once(slow: Slow) -> None:
    engines: list[Engine] = []
    threads = [threading.Thread(target=lambda: engines.append(slow.engine())) for _ in range(5)]
    slow.preload()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(engines) == 5 and len(set(map(id, engines))) == 1
    assert Slow.opened == 1


def test_the_state_tells_how_far_the_model_is(slow: Slow) -> None:
    states = [slow.engine_state]
    stages: list[str | None] = []
    slow.engine(lambda stage: (stages.append(stage), states.append(slow.engine_state))[0])
    states.append(slow.engine_state)
    assert states == ["cold", "loading", "ready"]
    assert stages == ["opening"] and slow.engine_stage is None


def test_a_failure_is_kept_for_whoever_can_show_it_and_can_be_tried_again(slow: Slow) -> None:
    Slow.fails = True
    slow.preload()
    deadline = time.monotonic() + 5
    while slow.engine_state != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert slow.engine_error == "the weights are gone"
    with pytest.raises(EngineError, match="weights are gone"):
        slow.engine()
    Slow.fails = False
    assert slow.engine().name == "scripted" and slow.engine_error == ""


def test_a_change_of_model_closes_the_open_one(slow: Slow) -> None:
    first = slow.engine()
    slow.change(max_new_tokens=64)
    assert slow.engine() is first
    slow.change(base_model="another")
    assert slow.engine_state == "cold"
    assert slow.engine() is not first
    assert json.loads((slow.home / "settings.json").read_text()) == {
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
