"""Foreign adapters come in as safetensors and JSON, for the right base, and only when they do something."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from tuning.checkpoints.import_peft import import_peft
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel

# PEFT warns of a second adapter in a model, which is what one base with many adapters is.
pytestmark = pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
NAMED = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture(scope="module")
def lora(base_model: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA folder as PEFT itself writes it, with weights that do something."""
    folder = tmp_path_factory.mktemp("foreign") / "kite"
    torch.manual_seed(0)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(base_model.model.config)
    config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", base_model_name_or_path=NAMED)
    inject_adapter_in_model(config, model, "default", low_cpu_mem_usage=True)
    shapes = {n: p.shape for n, p in model.named_parameters() if "lora_" in n}
    folder.mkdir()
    config.save_pretrained(str(folder))
    named = {
        f"base_model.model.{n.replace('.default', '')}": torch.randn(s) * 0.05 for n, s in shapes.items()
    }
    save_file(named, folder / "adapter_model.safetensors")
    return folder


@pytest.fixture
def copy(lora: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "copy"
    folder.mkdir()
    for file in lora.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    yield folder


def change(folder: Path, **options: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **options}))


def test_options_of_a_stored_checkpoint_are_held_to_the_same(
    copy: Path, base_model: BaseModel, tmp_path: Path
) -> None:
    registry = Registry(tmp_path / "home")
    stored = import_peft(registry, copy, "kite", base_model).path
    assert read_adapter(stored)
    change(stored, layer_replication=[[0, 3]])
    with pytest.raises(
        CheckpointError, match=r"sets 'layer_replication' to \[\[0, 3\]\], which is not taken"
    ):
        read_adapter(stored)


def test_a_foreign_lora_is_stored_loaded_and_proved(
    lora: Path, base_model: BaseModel, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    checkpoint = import_peft(registry, lora, "夜莺", base_model)
    assert checkpoint.method == "lora" and checkpoint.config["named_base"] == NAMED
    assert base_model.load_checkpoint(checkpoint).largest_change > 0
    base_model.unload("夜莺")
    assert base_model.loaded == []


def test_a_foreign_prefix_becomes_keys_and_values(base_model: BaseModel, tmp_path: Path) -> None:
    config = base_model.model.config
    layers, heads, size = config.num_hidden_layers, config.num_key_value_heads, config.head_dim
    table = torch.arange(4 * layers * 2 * heads * size, dtype=torch.float).view(4, -1) * 1e-5
    folder = tmp_path / "prefix"
    folder.mkdir()
    save_file({"prompt_embeddings": table}, folder / "adapter_model.safetensors")
    options = {"peft_type": "PREFIX_TUNING", "num_layers": layers, "num_attention_heads": heads}
    (folder / "adapter_config.json").write_text(json.dumps({**options, "num_virtual_tokens": 4}))
    checkpoint = import_peft(Registry(tmp_path), folder, "p", base_model)
    kv = load_file(checkpoint.path / "prefix.safetensors")["kv.001"]
    expected = table.view(4, layers * 2, heads, size).permute(1, 2, 0, 3)[2:4]  # as PEFT itself splits it
    assert torch.equal(kv, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base_model_name_or_path": "Qwen/Qwen3-0.6B"}, r"trained on 'Qwen/Qwen3-0\.6B'"),
        ({"peft_type": "POLY"}, "is a 'POLY' adapter"),
        ({"megatron_config": {"a": 1}, "megatron_core": "os"}, "sets 'megatron_config'"),
        ({"layer_replication": [[0, 4]]}, "sets 'layer_replication'"),
        ({"target_modules": ["no_such_layer"]}, "does not fit|Target modules"),
        ({"r": 3}, "says rank 3, and .* has rank 2"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    copy: Path, base_model: BaseModel, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    change(copy, **options)
    registry = Registry(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        import_peft(registry, copy, "a", base_model)
    assert registry.list() == [] and base_model.loaded == []


SLOW = "(.*.*.*.*.*.*.*.*.*.*.*.*)*q_projX"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_modules": SLOW}, "sets 'target_modules' .* only plain names"),
        ({"target_modules": ["q_proj", SLOW]}, "sets 'target_modules' .* only plain names"),
        ({"target_modules": {"q_proj": 1}}, "sets 'target_modules' .* only plain names"),
        ({"exclude_modules": SLOW}, "sets 'exclude_modules' .* only plain names"),
        ({"modules_to_save": [SLOW]}, "sets 'modules_to_save' .* only plain names"),
        ({"layers_to_transform": [0], "layers_pattern": SLOW}, "sets 'layers_pattern' .* only plain names"),
        ({"rank_pattern": {"((.*)*)*Z": 4}}, "sets 'rank_pattern' .* only plain names"),
        ({"alpha_pattern": {"((.*)*)*Z": 4}}, "sets 'alpha_pattern' .* only plain names"),
        ({"peft_type": "IA3", "feedforward_modules": SLOW}, "sets 'feedforward_modules' .* only plain names"),
        ({"rank_pattern": {"k_proj": 60_000}}, "says rank 60000, and the weights have 2 at most"),
        ({"peft_type": "ADALORA", "init_r": 60_000}, "says rank 60000, and the weights have 576 at most"),
        ({"r": 1_000_000}, "sets 'r' to 1000000"),
        ({"r": 65_000}, "says rank 65000, and .* has rank 2"),
        ({"r": 10**12}, "sets 'r' to"),
        ({"r": -1}, "sets 'r' to -1"),
        ({"r": "2"}, "sets 'r' to \"2\""),
        ({"r": True}, "sets 'r' to true"),
        ({"lora_alpha": float("inf")}, "sets 'lora_alpha' to"),
        ({"lora_dropout": 1.5}, "sets 'lora_dropout' to"),
        ({"bias": ["none"]}, "sets 'bias' to"),
        ({"peft_type": ["LORA"]}, r"is a .* adapter"),
        ({"base_model_name_or_path": 7}, "sets 'base_model_name_or_path' to 7"),
        (
            {"init_lora_weights": "pissa_niter_999999999"},
            "sets 'init_lora_weights' .* changed weights of its base",
        ),
        ({"r": 2.0}, "sets 'r' to 2.0"),
    ],
)
def test_hostile_options_are_refused_in_one_sentence_before_peft_sees_them(
    copy: Path,
    base_model: BaseModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    message: str,
) -> None:
    change(copy, **options)
    monkeypatch.setattr("tuning.models.adapters.PeftConfig", None)
    with pytest.raises(CheckpointError, match=message) as refusal:
        import_peft(Registry(tmp_path), copy, "a", base_model)
    assert "\n" not in str(refusal.value) and len(str(refusal.value)) < 600


def test_many_names_of_modules_that_are_not_there_cost_nothing(
    copy: Path, base_model: BaseModel, tmp_path: Path
) -> None:
    absent = [f"absent_{number}" for number in range(19_000)]
    change(copy, target_modules=["q_proj", *absent], alpha_pattern=dict.fromkeys(absent, 1.0))
    registry = Registry(tmp_path)
    checkpoint = import_peft(registry, copy, "kite", base_model)
    assert base_model.load_checkpoint(checkpoint).largest_change > 0
    (used,) = base_model.model.peft_config.values()
    assert (used.target_modules, used.alpha_pattern) == (
        {"q_proj"},
        {},
    )  # PEFT compares each with each module
    base_model.unload("kite")


DEEP, DEEPER = "[" * 9 + "]" * 9, "[" * 200_000


@pytest.mark.parametrize(
    "text",
    [f'{{"peft_type":"LORA","x":{DEEP}}}', f'{{"peft_type":"LORA","x":{DEEPER}', "7", " " * 5_000_000, "{"],
    ids=len,
)
def test_a_configuration_that_no_program_wrote_is_refused(
    copy: Path, base_model: BaseModel, tmp_path: Path, text: str
) -> None:
    (copy / "adapter_config.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"cannot be read|is a 'None' adapter"):
        import_peft(Registry(tmp_path), copy, "a", base_model)


def test_a_header_of_a_hundred_megabytes_is_not_read(
    copy: Path, base_model: BaseModel, tmp_path: Path
) -> None:
    header = b"{" + b" " * 99_000_000 + b"}"
    content = len(header).to_bytes(8, "little") + header
    (copy / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="larger than any adapter"):
        import_peft(Registry(tmp_path), copy, "a", base_model)


def test_tensors_of_no_adapter_are_refused(copy: Path, base_model: BaseModel, tmp_path: Path) -> None:
    pair = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    shaped = {pair.format("A"): torch.zeros(2), pair.format("B"): torch.ones(2, 2)}
    save_file({**shaped, "x": torch.zeros(0, 3)}, copy / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match="does not fit"):
        import_peft(Registry(tmp_path), copy, "a", base_model)
    assert base_model.loaded == []


def test_weights_that_could_run_code_are_refused(copy: Path, base_model: BaseModel, tmp_path: Path) -> None:
    (copy / "adapter_model.safetensors").rename(copy / "adapter_model.bin")
    with pytest.raises(CheckpointError, match=r"'adapter_model\.bin' is in a format that can run code"):
        import_peft(Registry(tmp_path), copy, "a", base_model)


def test_broken_folders_are_refused(copy: Path, base_model: BaseModel, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    weights = (copy / "adapter_model.safetensors").read_bytes()
    (copy / "adapter_model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match="no whole safetensors file"):
        import_peft(registry, copy, "a", base_model)
    (copy / "adapter_config.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        import_peft(registry, copy, "a", base_model)
    (copy / "adapter_config.json").unlink()
    with pytest.raises(CheckpointError, match="is no PEFT adapter"):
        import_peft(registry, copy, "a", base_model)


def test_an_adapter_that_does_nothing_is_refused(copy: Path, base_model: BaseModel, tmp_path: Path) -> None:
    zeros = {n: torch.zeros_like(t) for n, t in load_file(copy / "adapter_model.safetensors").items()}
    save_file(zeros, copy / "adapter_model.safetensors")
    with pytest.raises(CheckpointError, match="were left at zero"):
        import_peft(Registry(tmp_path), copy, "a", base_model)


def upper_half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value for name, value in state.items() if ".layers.1." in name or ".layers.2." in name}


def without_one_b(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    dropped = next(name for name in state if "lora_B" in name)
    return {name: value for name, value in state.items() if name != dropped}


def one_nan(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    next(iter(state.values()))[0, 0] = float("nan")
    return state


def all_zero(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: torch.zeros_like(value) if "lora_B" in name else value for name, value in state.items()}


def one_layer_zero(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    next(value for name, value in state.items() if "lora_B" in name).zero_()
    return state


def other_names(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name.replace("model.layers", "model.language_model.layers"): value for name, value in state.items()
    }


@pytest.mark.parametrize(
    ("change_of", "message"),
    [
        (upper_half, "lacks 56 of the tensors that its configuration names"),
        (without_one_b, "without its other half .*lora_B"),
        (one_nan, "1 of 60 tensors .* hold NaN or infinity"),
        (all_zero, "30 of 30 layers .* were left at zero"),
        (one_layer_zero, "1 of 30 layers .* were left at zero"),
        (other_names, "has 60 tensors that this base has no place for"),
    ],
)
def test_half_an_adapter_is_refused_for_its_true_reason(
    copy: Path,
    base_model: BaseModel,
    tmp_path: Path,
    change_of: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]],
    message: str,
) -> None:
    weights = copy / "adapter_model.safetensors"
    save_file(change_of(load_file(weights)), weights)
    registry = Registry(tmp_path)
    with pytest.raises(CheckpointError, match=message):
        import_peft(registry, copy, "half", base_model)
    assert registry.list() == [] and base_model.loaded == []


@pytest.mark.parametrize(
    "named", ["/content/drive/MyDrive/models/smol", "unsloth/SmolLM2-135M-Instruct-bnb-4bit"]
)
def test_another_name_of_the_same_base_can_be_declared(
    copy: Path, base_model: BaseModel, tmp_path: Path, named: str
) -> None:
    change(copy, base_model_name_or_path=named)
    registry = Registry(tmp_path)
    with pytest.raises(CheckpointError, match="--same-base"):
        import_peft(registry, copy, "a", base_model)
    assert import_peft(registry, copy, "a", base_model, other_base=True).config["named_base"] == named
