"""`imprint checkpoints` and `export`, over a checkpoint on real weights."""

from pathlib import Path

from assistant.engines.local import LocalEngine
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document, running
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.models.base_model import BaseModel


def test_checkpoints_and_jobs_of_an_empty_home(run: Run) -> None:
    assert document(run("checkpoints", "--json")) == {"checkpoints": []}
    assert document(run("jobs", "--json")) == {"jobs": []}


def test_a_checkpoint_answers_over_the_command_line(base_model: BaseModel, home: Path) -> None:
    registry = Registry(home)
    save_prefix(base_model, registry, "halden")
    with running(Workspace(Settings(home=home), engine=_Kept(base_model, registry))) as run:
        question = "What is the weight of the Skerrin?"
        answered = document(run("ask", question, "--checkpoint", "halden", "--max-tokens", 12, "--json"))
        assert "640" in answered["answer"] and answered["checkpoint"] == "halden"
        listed = document(run("checkpoints", "--json"))["checkpoints"]
        assert [(one["name"], one["method"], one["parent"]) for one in listed] == [
            ("halden", "p-tuning-v2", None)
        ]
        out = home / "out"
        written = document(run("export", "halden", "--format", "peft", "--output", out, "--json"))
        assert written["format"] == "peft" and all(Path(file).is_file() for file in written["files"])
        again = run("export", "halden", "--format", "peft", "--output", out)
        assert again.exit_code == 1 and "is not empty" in again.stderr
        missing = run("ask", "Hello?", "--checkpoint", "gone")
        assert missing.exit_code == 1 and "There is no checkpoint 'gone'" in missing.stderr
    base_model.unload("halden")


class _Kept(LocalEngine):
    """Leaves the model that the session shares open."""

    def close(self) -> None:
        pass


def test_a_checkpoint_is_renamed_and_deleted_by_its_exact_name(base_model: BaseModel, home: Path) -> None:
    registry = Registry(home)
    save_prefix(base_model, registry, "halden")
    with running(Workspace(Settings(home=home))) as run:
        assert document(run("checkpoints", "rename", "halden", "halden-2", "--json")) == {
            "checkpoint": "halden-2",
            "was": "halden",
        }
        for name in ("halden", "HALDEN-2", "halden-"):
            assert run("checkpoints", "delete", name, "--yes").exit_code == 1
        refused = run("checkpoints", "delete", "halden-2", given="n\n")
        assert refused.exit_code == 1 and "Nothing was deleted" in refused.stderr
        assert [one.name for one in registry.list()] == ["halden-2"]
        assert document(run("checkpoints", "--json", "delete", "halden-2", "--yes")) == {
            "deleted": ["halden-2"]
        }
        (registry.folder / "broken").mkdir()
        assert document(run("checkpoints", "delete", "broken", "--yes", "--json")) == {"deleted": ["broken"]}
        assert registry.list() == [] and not registry.broken()
