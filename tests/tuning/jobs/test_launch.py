"""Processes that share the base out find what one finds; what a strategy cannot do is said before the job."""

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.tuning.distributed import train_methods
from tests.tuning.tiny import save_tiny
from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.jobs import launch
from tuning.models.base_model import BaseModel

ALONG = str(Path(__file__).parents[1] / "distributed" / "train_methods.py")
APART = Path(os.environ.get("DEEPSPEED", "nowhere"))  # where `make test` puts it
METHODS = ("lora", "cartridge", "prompt-tuning", "full")
SHARING = [one for one in launch.STRATEGIES.values() if one.shards_base]
CASES = [(one.name, method) for one in SHARING for method in METHODS if method not in one.refused]


@pytest.fixture(scope="module")
def folder(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Llama on disk."""
    return save_tiny(base_model, tmp_path_factory.mktemp("tiny") / "llama")


def learn(folder: Path, command: list[str], kind: str, methods: list[str]) -> Path:
    """Train these methods as the command launches it; returns where their weights are."""
    found = folder.parent / kind
    found.mkdir()
    paths = os.pathsep.join([str(APART), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | ({"PYTHONPATH": paths} if kind == "deepspeed" else {})
    done = subprocess.run(
        [*command, ALONG, str(folder), str(found), *methods], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return found


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    """What one process makes of every method."""
    found = folder.parent / "alone"
    for method in METHODS:
        (found / method).mkdir(parents=True)
        train_methods.learn(folder, found / method, method)
    return found


@pytest.fixture(scope="module")
def shared(folder: Path) -> Callable[[str], Path]:
    """What two processes make that share the base out in this way."""

    @functools.cache
    def trained(kind: str) -> Path:
        command = launch.launch(TuneConfig(processes=2, strategy=kind), [])
        return learn(folder, command, kind, [method for name, method in CASES if name == kind])

    return trained


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_a_base_that_is_shared_out_learns_the_same(
    alone: Path, shared: Callable[[str], Path], kind: str, method: str
) -> None:
    if kind == "deepspeed" and not APART.is_dir() and os.environ.get("CI") != "true":
        pytest.skip("DeepSpeed is not there: `make test` fetches it")
    one, two = (
        {n: v for file in (path / method).glob("*.safetensors") for n, v in load_file(file).items()}
        for path in (alone, shared(kind))
    )
    assert one and one.keys() == two.keys()
    for name in one:
        apart = (one[name] - two[name]).float().abs()
        assert float(apart.mean()) < 0.01 * float(one[name].float().abs().mean()) + 1e-5, name


@pytest.mark.parametrize("name", list(launch.STRATEGIES))
def test_every_packaged_configuration_is_read_by_accelerate(name: str) -> None:
    file = str(launch.STRATEGIES[name].file)
    assert launch.strategy(file).shards_base is launch.STRATEGIES[name].shards_base


@pytest.mark.parametrize(
    ("config", "device", "message"),
    [
        (TuneConfig(strategy="magic", processes=2), "cpu", "no strategy 'magic'.*ddp, fsdp, deepspeed"),
        (TuneConfig(strategy="fsdp"), "cpu", "for several processes, and processes is 1"),
        (TuneConfig(strategy="fsdp", processes=2, dora=True), "cpu", "DoRA needs the whole base"),
        (TuneConfig(strategy="fsdp", processes=2, method="qlora"), "cpu", "qlora needs the whole base"),
        (TuneConfig(strategy="deepspeed", processes=2, method="full"), "cpu", "Use strategy='fsdp'"),
        (TuneConfig(processes=900), "cuda", "900 processes were asked for, one a GPU, and this machine has"),
    ],
)
def test_what_a_strategy_cannot_do_is_said(config: TuneConfig, device: str, message: str) -> None:
    with pytest.raises(MethodError, match=message):
        launch.check(config, device)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "distributed_type: MEGATRON_LM",
            "for MEGATRON_LM, and training knows MULTI_GPU, MULTI_CPU, FSDP, DEEPSPEED",
        ),
        ("distributed_type: FSDP\nfsdp_config: {fsdp_version: 1}", "asks for FSDP 1"),
        (
            "distributed_type: DEEPSPEED\ndeepspeed_config: {zero_stage: 2}",
            "asks for ZeRO 2.*Set zero_stage to 3",
        ),
        (
            "distributed_type: DEEPSPEED\ndeepspeed_config: {deepspeed_config_file: nowhere.json}",
            "names 'nowhere.json', which says no ZeRO stage",
        ),
        ("colour: blue", "is no Accelerate configuration"),
        (": [", "is no Accelerate configuration"),
    ],
)
def test_a_file_that_is_no_fitting_configuration_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(MethodError, match=message):
        launch.strategy(str(tmp_path / "own.yaml"))


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(MethodError, match=r"needs the package deepspeed.*pip install deepspeed"):
        launch.check(TuneConfig(strategy="deepspeed", processes=2), "cpu")
