"""A model's own code runs only when just these files were allowed for just this model; nothing is asked."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.tiny import save_tiny
from tuning.errors import ModelError
from tuning.models.base_model import BaseModel
from tuning.models.model_code import code_sha256
from tuning.models.template import Template

CODE = """
from pathlib import Path
from transformers import LlamaConfig, LlamaForCausalLM

Path(__file__).with_name("ran").touch()
Path({trace!r}).touch()


class OwnConfig(LlamaConfig):
    model_type = "own-model"


class OwnForCausalLM(LlamaForCausalLM):
    config_class = OwnConfig
"""
NEEDS = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnForCausalLM"}


@pytest.fixture(scope="module")
def tiny(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(base_model, tmp_path_factory.mktemp("model-code") / "tiny")


@pytest.fixture
def model(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that needs code of its own; a person at the terminal would say yes to everything."""
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder)
    (folder / "own.py").write_text(CODE.format(trace=str(tmp_path / "ran")))
    change(folder / "config.json", model_type="own-model", architectures=["OwnForCausalLM"], auto_map=NEEDS)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    return folder


def change(path: Path, **options: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **options}))


def allow(home: Path, folder: Path) -> None:
    (home / "models").mkdir(exist_ok=True)
    (home / "models" / "allowed_code.json").write_text(json.dumps({str(folder): code_sha256(folder)}))


def test_a_model_with_code_of_its_own_is_refused_without_a_question(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"needs code of its own \('own\.OwnConfig'\).*allowed_code\.json"):
        BaseModel.open(str(model), tmp_path, device="cpu")
    with pytest.raises(ModelError, match="needs code of its own"):
        Template.read(str(model), tmp_path)
    assert not (tmp_path / "ran").exists()


def test_code_of_a_tokenizer_is_not_run(model: Path, tiny: Path, tmp_path: Path) -> None:
    shutil.copy(tiny / "config.json", model / "config.json")
    change(model / "tokenizer_config.json", auto_map={"AutoTokenizer": ["own.OwnConfig", None]})
    Template.read(str(model), tmp_path)
    assert not (tmp_path / "ran").exists()


def test_allowed_code_runs_until_a_file_changes(model: Path, tmp_path: Path) -> None:
    allow(tmp_path, model)
    opened = BaseModel.open(str(model), tmp_path, device="cpu")
    assert type(opened.model).__name__ == "OwnForCausalLM"
    (model / "own.py").write_text((model / "own.py").read_text() + "\n# one more line\n")
    with pytest.raises(ModelError, match="needs code of its own"):
        BaseModel.open(str(model), tmp_path, device="cpu")


def test_the_environment_allows_code_by_its_hash(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_ALLOWED_MODEL_CODE", f"{'0' * 64}, {code_sha256(model)}")
    assert Template.read(str(model), tmp_path).window == 512


def test_code_from_another_repository_is_never_allowed(model: Path, tmp_path: Path) -> None:
    allow(tmp_path, model)
    change(model / "config.json", auto_map={"AutoConfig": "someone/else--own.OwnConfig"})
    with pytest.raises(ModelError, match="takes it from elsewhere"):
        Template.read(str(model), tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"a":' + "[" * 100_000])
def test_a_damaged_configuration_is_one_sentence(model: Path, tmp_path: Path, text: str) -> None:
    (model / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        Template.read(str(model), tmp_path)
