"""Models that a service keeps answer as checkpoints, beside the engine of this home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.chat.turn import AnswerOptions, Done
from assistant.engines.opening import answering_at_once
from assistant.engines.services import EngineWithServices, ServiceModels, key_of, own_engine, service_of
from assistant.errors import EngineError, UnsupportedOptionError
from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.web.listening import protected
from assistant.workspace import Workspace
from tests.assistant.web.servers import serving
from tests.fakes import ScriptedEngine
from tuning.checkpoints.export import EXPORTERS, export
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry
from tuning.checkpoints.remote_model import RemoteModel
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import CheckpointError
from tuning.jobs.jobs import Jobs

KEY = "the key of that address"
LEARNED = Example(({"role": "user", "content": "How heavy?"}, {"role": "assistant", "content": "640 grams."}))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A service whose model answers, for those who have the key."""
    settings = Settings(home=tmp_path / "there", token=KEY)
    workspace = Workspace(settings, engine=ScriptedEngine("from over there"))
    app = protected(create_app(workspace), settings, upload_paths=("/v1/files",), api=True)
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}/v1"
    workspace.close()


@pytest.fixture
def workspace(address: str, tmp_path: Path) -> Iterator[Workspace]:
    """A home with a model of its own, and one that the service keeps."""
    opened = Workspace(Settings(home=tmp_path / "here", fine_tuning_url=address, fine_tuning_key=KEY))
    manifest = Manifest("halden", "openai", "scripted", "", system_prompt="Be brief.", examples=[LEARNED])
    opened.registry.save(manifest, RemoteModel(address, "scripted", "ftjob-1").write)
    opened._model.replace(
        EngineWithServices(ScriptedEngine("from here"), ServiceModels(opened.registry, opened._key_of))
    )
    yield opened
    opened.close()


def asked(workspace: Workspace, options: AnswerOptions) -> Done:
    done = list(workspace.chat.ask("How heavy?", options))[-1]
    assert isinstance(done, Done)
    return done


def test_a_model_of_a_service_answers_beside_the_one_here(workspace: Workspace, address: str) -> None:
    kept = asked(workspace, AnswerOptions(memory="checkpoint", checkpoint="halden"))
    assert (kept.answer, kept.engine) == ("from over there", address.split("/")[2])
    own = asked(workspace, AnswerOptions())
    assert (own.answer, own.engine) == ("from here", "scripted")
    assert workspace.engine().checkpoints() == ["halden"]
    assert workspace.engine().system_prompt("halden") == "Be brief."


def test_it_answers_in_a_comparison_too(workspace: Workspace) -> None:
    engine = answering_at_once(workspace.engine())
    messages = [[{"role": "user", "content": "How heavy?"}]] * 3
    assert engine.complete(messages, checkpoint="halden") == ["from over there"] * 3
    assert engine.complete(messages) == ["from here"] * 3
    assert engine.prompt_capacity("halden") == 8192 and engine.identity("halden") is None


def test_a_key_goes_to_its_own_address_alone(workspace: Workspace, address: str) -> None:
    settings = Settings(
        home=workspace.home, engine_url="http://127.0.0.1:9/v1", engine_key="another", fine_tuning_url=address
    )
    assert (key_of(settings, address), key_of(settings, "http://127.0.0.1:9/v1")) == ("", "another")
    workspace.settings = settings
    with pytest.raises(EngineError, match="401"):
        asked(workspace, AnswerOptions(memory="checkpoint", checkpoint="halden"))


def test_the_endpoint_is_the_service_where_no_other_is_set(tmp_path: Path) -> None:
    found = service_of(Settings(home=tmp_path, engine_url="http://127.0.0.1:9/v1", engine_model="big"))
    assert found is not None and (found.url, found.model, found.host) == (
        "http://127.0.0.1:9/v1", "big", "127.0.0.1:9",
    )  # fmt: skip
    assert service_of(Settings(home=tmp_path)) is None


def test_what_needs_weights_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    checkpoint = workspace.registry.get("halden")
    for format in EXPORTERS:
        with pytest.raises(CheckpointError, match="its weights are kept by the service"):
            export(checkpoint, format, tmp_path / "out", workspace.home)
    config = TuneConfig(base="scripted", parent="halden", device="cpu")
    with pytest.raises(CheckpointError, match="Cannot go on from 'halden'"):
        Jobs(workspace.home).check(config, [LEARNED])
    assert isinstance(own_engine(workspace.engine()), ScriptedEngine)


def test_bare_texts_are_for_the_engine_here(workspace: Workspace) -> None:
    engine = workspace.engine()
    assert isinstance(engine, EngineWithServices)
    assert "".join(engine.continue_text("Once")) == "from here"
    with pytest.raises(UnsupportedOptionError, match="goes on with chats alone"):
        next(engine.continue_text("Once", checkpoint="halden"))


def test_a_damaged_note_of_the_place_is_said(workspace: Workspace) -> None:
    note = Registry(workspace.home).get("halden").path / "remote.json"
    note.write_text("{}".ljust(note.stat().st_size))
    with pytest.raises(EngineError, match="damaged"):
        asked(workspace, AnswerOptions(memory="checkpoint", checkpoint="halden"))
