"""Processes that share the base out find what one finds; what a strategy cannot do is said before the job."""

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.tuning.tiny import save_tiny
from tuning import strategies
from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.models import BaseModel

ALONG = str(Path(__file__).with_name("along.py"))
METHODS = ("lora", "cartridge", "prompt-tuning", "full")


@pytest.fixture(scope="module")
def folder(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama on disk."""
    return save_tiny(base_model, tmp_path_factory.mktemp("tiny") / "llama")


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, Path]:
    """What one process makes of every method, and two that share the base out."""
    found = {}
    config = TuneConfig(processes=2, strategy="fsdp")
    for kind, command in {"alone": [sys.executable], "shared": strategies.launch(config, [])}.items():
        found[kind] = folder.parent / kind
        found[kind].mkdir()
        done = subprocess.run(
            [*command, ALONG, str(folder), str(found[kind]), *METHODS], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    return found


@pytest.mark.parametrize("method", METHODS)
def test_a_base_that_is_shared_out_learns_the_same(trained: dict[str, Path], method: str) -> None:
    alone, shared = (
        {n: v for file in (path / method).glob("*.safetensors") for n, v in load_file(file).items()}
        for path in trained.values()
    )
    assert alone and alone.keys() == shared.keys()
    for name in alone:
        apart = (alone[name] - shared[name]).float().abs()
        assert float(apart.mean()) < 0.01 * float(alone[name].float().abs().mean()) + 1e-5, name


@pytest.mark.parametrize("name", list(strategies.STRATEGIES))
def test_every_packaged_configuration_is_read_by_accelerate(name: str) -> None:
    file = str(strategies.STRATEGIES[name].file)
    assert strategies.strategy(file).shares_base is strategies.STRATEGIES[name].shares_base


@pytest.mark.parametrize(
    ("config", "device", "message"),
    [
        (TuneConfig(strategy="magic", processes=2), "cpu", "no strategy 'magic'.*ddp, fsdp"),
        (TuneConfig(strategy="fsdp"), "cpu", "for several processes, and processes is 1"),
        (TuneConfig(strategy="fsdp", processes=2, dora=True), "cpu", "DoRA needs the whole base"),
        (TuneConfig(strategy="fsdp", processes=2, method="qlora"), "cpu", "qlora needs the whole base"),
        (TuneConfig(processes=900), "cuda", "900 processes were asked for, one a GPU, and this machine has"),
    ],
)
def test_what_a_strategy_cannot_do_is_said(config: TuneConfig, device: str, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        strategies.check(config, device)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("distributed_type: MEGATRON_LM", "for MEGATRON_LM, and training knows MULTI_GPU"),
        ("distributed_type: FSDP\nfsdp_config: {fsdp_version: 1}", "asks for FSDP 1"),
        ("colour: blue", "is no Accelerate configuration"),
        (": [", "is no Accelerate configuration"),
    ],
)
def test_a_file_that_is_no_fitting_configuration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(MethodError, match=message):
        strategies.strategy(str(tmp_path / "own.yaml"))
