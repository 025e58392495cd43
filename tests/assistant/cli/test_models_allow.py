"""`imprint models allow`: code that a person read runs, and no other."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.cli.main import imprint
from assistant.settings import Settings
from assistant.workspace import Workspace
from knowledge.errors import StoreError
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, packaged_folder
from tests.assistant.cli.invoke import Run, document

pytestmark = pytest.mark.real
CODE = """
from pathlib import Path

from sentence_transformers.sentence_transformer.modules import Transformer

Path({trace!r}).touch()


class Module(Transformer):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An embedding model whose first module is code of its own."""
    copy = tmp_path / "model"
    shutil.copytree(packaged_folder(DEFAULT_EMBEDDINGS), copy)
    (copy / "own.py").write_text(CODE.format(trace=str(tmp_path / "ran")))
    modules = json.loads((copy / "modules.json").read_text())
    change(copy, [{**modules[0], "type": "own.Module"}, *modules[1:]])
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    return copy


def change(folder: Path, modules: object) -> None:
    (folder / "modules.json").write_text(json.dumps(modules))


def embed(home: Path, folder: Path) -> int:
    with_code = Workspace(Settings(home=home, embedding_model=str(folder), device="cpu"))
    return len(with_code.embeddings.embed_query("a"))


def test_an_embedding_model_runs_the_code_that_was_allowed_until_it_changes(
    run: Run, home: Path, folder: Path
) -> None:
    with pytest.raises(StoreError, match=f"`imprint models allow {folder}`"):
        embed(home, folder)
    assert not (folder.parent / "ran").exists()
    allowed = document(run("models", "allow", folder, "--yes", "--json"))
    assert (allowed["model"], allowed["files"]) == (str(folder), ["own.py"])
    assert embed(home, folder) == 384 and (folder.parent / "ran").exists()
    (folder / "own.py").write_text(
        f"import pathlib\npathlib.Path({str(folder.parent / 'again')!r}).touch()\n"
    )
    with pytest.raises(StoreError, match="needs code of its own"):
        embed(home, folder)
    assert not (folder.parent / "again").exists()


def test_a_person_is_asked_and_may_say_no(home: Path, folder: Path) -> None:
    home.mkdir()
    command = ["models", "allow", str(folder)]
    said = CliRunner().invoke(imprint, command, input="n\n", env={"IMPRINT_HOME": str(home)})
    assert said.exit_code == 1 and "own.py (" in said.stderr and "Nothing was allowed" in said.stderr
    assert not (home / "models" / "allowed_code.json").exists()


def test_what_cannot_be_allowed_is_one_sentence(run: Run, folder: Path) -> None:
    def refused(model: object) -> str:
        result = run("models", "allow", model, "--yes")
        assert result.exit_code == 1 and len(result.stderr.strip().splitlines()) == 1
        return str(result.stderr)

    assert "is not on this machine" in refused("no/such-model")
    assert "has no code of its own" in refused(packaged_folder(DEFAULT_EMBEDDINGS))
    change(folder, [{"idx": 0, "name": "0", "path": "", "type": "someone/else--own.Module"}])
    assert "takes its code from elsewhere ('someone/else--own.Module')" in refused(folder)
