"""Models of embeddings that need code of their own are refused, without a question."""

import io
import json
import shutil
from pathlib import Path

import pytest

from knowledge.errors import StoreError
from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, load_model, packaged_folder
from knowledge.search.reranking import CrossEncoderReranker


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packaged model with code beside it; a person at the terminal would say yes to everything."""
    copy = tmp_path / "model"
    shutil.copytree(packaged_folder(DEFAULT_EMBEDDINGS), copy)
    (copy / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    return copy


def needs_own_config(folder: Path) -> None:
    path = folder / "config.json"
    needs = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    path.write_text(json.dumps({**json.loads(path.read_text()), "model_type": "own", "auto_map": needs}))


def needs_own_module(folder: Path) -> None:
    path = folder / "modules.json"
    modules = json.loads(path.read_text())
    path.write_text(json.dumps([{**modules[0], "type": "own.Module"}, *modules[1:]]))


@pytest.mark.real
@pytest.mark.parametrize("needs", [needs_own_config, needs_own_module])
def test_a_model_of_embeddings_with_code_of_its_own_is_refused(folder: Path, needs: object) -> None:
    assert callable(needs)
    needs(folder)
    with pytest.raises(StoreError, match="needs code of its own, which is not run unless you read it"):
        load_model(str(folder))
    assert not (folder.parent / "ran").exists()


@pytest.mark.real
def test_a_reranker_with_code_of_its_own_is_refused(folder: Path) -> None:
    needs_own_config(folder)
    with pytest.raises(StoreError, match="needs code of its own, which is not run unless you read it"):
        CrossEncoderReranker(str(folder)).score("a?", ["a"])
    assert not (folder.parent / "ran").exists()
