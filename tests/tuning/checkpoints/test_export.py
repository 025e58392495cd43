"""What is exported answers as the checkpoint does, in the programs that it is exported for."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGUFReader
from huggingface_hub import ModelCard
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from tuning.checkpoints.export import EXPORTERS, export
from tuning.checkpoints.export_formats import EXPORT_FORMATS
from tuning.checkpoints.import_peft import import_peft
from tuning.checkpoints.manifest import Checkpoint, Manifest
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError
from tuning.models.adapters import PeftAdapter, PrefixAdapter, tuner_layers
from tuning.models.base_model import BaseModel
from tuning.models.gguf_reader import read_once
from tuning.models.peft_config import read_config

# PEFT warns of a second adapter in a model, which is what one base with many adapters is.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning"),
    pytest.mark.filterwarnings(
        "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"
    ),  # PEFT's own
]
IDS = [1, 4093, 198, 1780, 314, 260, 3575, 282, 4649, 47]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry(tmp_path_factory.mktemp("export"))


def stored(registry: Registry, base: BaseModel, name: str, method: str, adapter: Any) -> Checkpoint:
    manifest = Manifest(
        name, method, base.name, base.sha256, template_fingerprint=base.template_fingerprint,
        stop_ids=base.stop_ids, system_prompt="Be 夜莺.",
    )  # fmt: skip
    return registry.save(manifest, adapter.write)


@pytest.fixture(scope="module")
def lora(base_model: BaseModel, registry: Registry) -> Checkpoint:
    torch.manual_seed(0)
    config = LoraConfig(
        r=2, lora_alpha=4, target_modules=["q_proj", "k_proj", "down_proj"], task_type="CAUSAL_LM"
    )
    state = {}
    for name, module in base_model.model.named_modules():
        if name.endswith(("q_proj", "k_proj", "down_proj")):
            rows, columns = module.weight.shape
            state[f"{name}.lora_A.weight"] = torch.randn(2, columns) * 0.05
            state[f"{name}.lora_B.weight"] = torch.randn(rows, 2) * 0.05
    assert not list(tuner_layers(base_model.model))
    return stored(registry, base_model, "夜莺 lora", "lora", PeftAdapter(config, state))


@pytest.fixture(scope="module")
def prefix(base_model: BaseModel, registry: Registry) -> Checkpoint:
    torch.manual_seed(0)
    config = base_model.model.config
    shape = (2, config.num_key_value_heads, 3, config.head_dim)
    kv = tuple(torch.randn(shape) for _ in range(config.num_hidden_layers))
    return stored(registry, base_model, "prefix", "p-tuning-v2", PrefixAdapter(kv, {}, {}))


@pytest.fixture(scope="module")
def plain(base_model: BaseModel) -> torch.Tensor:
    return base_model.logits(IDS)


@pytest.fixture(scope="module")
def expected(base_model: BaseModel, lora: Checkpoint, plain: torch.Tensor) -> torch.Tensor:
    """What the checkpoint thinks, and a check that it thinks otherwise than the base."""
    base_model.load_checkpoint(lora)
    logits = base_model.logits(IDS, adapter=lora.name)
    base_model.unload(lora.name)
    assert (logits - plain).abs().mean() > 0.5
    return logits


def close(logits: torch.Tensor, expected: torch.Tensor, plain: torch.Tensor) -> bool:
    """Whether two precisions compute one model: nearer to each other than to the plain base by far."""
    return bool((logits - expected).abs().mean() < 0.25 * (expected - plain).abs().mean())


@torch.inference_mode()
def logits_of(model: Any) -> torch.Tensor:
    return model(torch.tensor([IDS])).logits[0].float()


def test_merged_weights_need_no_adapter(
    lora: Checkpoint, expected: torch.Tensor, plain: torch.Tensor, imprint_home: Path, tmp_path: Path
) -> None:
    files = export(lora, "merged", tmp_path / "merged", imprint_home)
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= {f.name for f in files}
    again = BaseModel.open(str(tmp_path / "merged"), tmp_path, device="cpu")
    assert close(again.logits(IDS), expected, plain)
    again.close()


@pytest.mark.slow
def test_what_is_tuned_on_skills_leaves_as_one_adapter_of_the_published_base(
    lora: Checkpoint,
    expected: torch.Tensor,
    base_model: BaseModel,
    plain_model: BaseModel,
    imprint_home: Path,
    tmp_path: Path,
) -> None:
    export(lora, "peft", tmp_path / "peft", imprint_home)
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    published = plain_model.logits(IDS)
    base = AutoModelForCausalLM.from_pretrained(plain_model.model.name_or_path, dtype=torch.float32)
    again = PeftModel.from_pretrained(base, tmp_path / "peft")
    assert close(logits_of(again), expected, published)
    halves = {k: v.bfloat16() for k, v in load_file(tmp_path / "peft" / "adapter_model.safetensors").items()}
    bare = tmp_path / "bare"  # passed on as its two usual files, in half the size
    bare.mkdir()
    shutil.copy(tmp_path / "peft" / "adapter_config.json", bare)
    save_file(halves, bare / "adapter_model.safetensors")
    for folder in (tmp_path / "peft", bare):
        back = import_peft(Registry(tmp_path / "home"), folder, folder.name, base_model)
        base_model.load_checkpoint(back)
        off = (base_model.logits(IDS, adapter=folder.name) - expected).abs().mean()
        base_model.unload(folder.name)
        assert off < 0.05 and read_config(back.path)["r"] < config["r"]
    export(lora, "gguf-lora", tmp_path / "lora", imprint_home)
    assert [one.suffix for one in sorted((tmp_path / "lora").iterdir())] == [".md", ".gguf"]


def test_a_gguf_file_is_read_back_as_the_same_model(
    lora: Checkpoint, expected: torch.Tensor, plain: torch.Tensor, imprint_home: Path, tmp_path: Path
) -> None:
    files = export(lora, "ollama", tmp_path / "out", imprint_home)
    assert [f.name for f in files] == ["Modelfile", "夜莺 lora.gguf"]  # the package brings no licence file
    reader = GGUFReader(files[1])
    assert reader.fields["general.name"].contents() == "夜莺 lora"
    assert len(reader.fields["tokenizer.ggml.tokens"].data) == 49152
    with read_once():  # transformers would parse it three times
        model = AutoModelForCausalLM.from_pretrained(
            tmp_path / "out", gguf_file="夜莺 lora.gguf", dtype=torch.float32
        )
    assert close(logits_of(model), expected, plain)
    text = files[0].read_text(encoding="utf-8")
    assert text.startswith("FROM ./夜莺 lora.gguf\nTEMPLATE") and 'SYSTEM """Be 夜莺."""' in text
    assert 'PARAMETER stop "<|im_end|>"' in text and "PARAMETER num_ctx 8192" in text
    assert 'LICENSE """Apache-2.0, CC BY-SA 4.0"""' in text


def test_an_adapter_names_a_base_that_others_can_find_and_may_bring_its_own(
    lora: Checkpoint, expected: torch.Tensor, plain: torch.Tensor, imprint_home: Path, tmp_path: Path
) -> None:
    export(lora, "peft-with-base", tmp_path / "out", imprint_home)
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "base"
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "out" / "base", dtype=torch.bfloat16)
    assert close(logits_of(base), plain, expected)
    assert close(logits_of(PeftModel.from_pretrained(base, tmp_path / "out")), expected, plain)


def test_vllm_is_given_a_lora_its_template_and_the_command(
    lora: Checkpoint, imprint_home: Path, tmp_path: Path, base_model: BaseModel
) -> None:
    files = export(lora, "vllm", tmp_path / "out", imprint_home)
    assert [f.name for f in files] == [
        "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja",
    ]  # fmt: skip
    assert files[3].read_text(encoding="utf-8") == base_model.tokenizer.chat_template
    said = files[0].read_text(encoding="utf-8")
    assert "vllm serve HuggingFaceTB/SmolLM2-135M-Instruct --enable-lora --max-lora-rank 32" in said


def test_the_card_says_where_it_comes_from(lora: Checkpoint, imprint_home: Path, tmp_path: Path) -> None:
    figures = {"before": 0.1, "after": 0.9, "n": 20}
    known = replace(lora, evaluation={"rephrased": figures}, config={"epochs": 3}, note="Of the night.")
    export(known, "peft", tmp_path / "out", imprint_home)
    card = ModelCard.load(tmp_path / "out" / "README.md")
    about = card.data.to_dict()
    assert (
        about["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
        and about["license_name"] == "Apache-2.0, CC BY-SA 4.0"
    )
    assert about["library_name"] == "peft" and about["base_model_relation"] == "adapter"
    assert "| taught questions, in other words | 10% | 90% | 20 |" in card.text
    for said in (
        "- epochs: 3",
        "Be 夜莺.",
        "1. 夜莺 lora: lora, 0 examples",
        "Of the night.",
        lora.base_sha256,
    ):
        assert said in card.text


def test_peft_reads_an_exported_prefix(
    prefix: Checkpoint,
    base_model: BaseModel,
    plain: torch.Tensor,
    imprint_home: Path,
    tmp_path: Path,
) -> None:
    checkpoint = prefix
    export(checkpoint, "peft", tmp_path / "adapter", imprint_home)
    base_model.load_checkpoint(checkpoint)
    expected = base_model.logits(IDS, adapter=checkpoint.name)
    base_model.unload(checkpoint.name)
    base = AutoModelForCausalLM.from_pretrained(base_model.model.name_or_path, dtype=torch.bfloat16)
    assert (tmp_path / "adapter" / "skills" / "adapter_model.safetensors").is_file()
    assert close(logits_of(PeftModel.from_pretrained(base, tmp_path / "adapter")), expected, plain)


def test_what_cannot_be_exported_says_so(
    lora: Checkpoint, prefix: Checkpoint, imprint_home: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="changes no weight, so there is nothing to merge"):
        export(prefix, "merged", tmp_path / "x", imprint_home)
    with pytest.raises(CheckpointError, match="vLLM serves plain LoRA adapters, and 'prefix' is a prefix"):
        export(prefix, "vllm", tmp_path / "x", imprint_home)
    with pytest.raises(CheckpointError, match=r"llama\.cpp cannot add 'prefix' to a base: it is a prefix"):
        export(prefix, "gguf-lora", tmp_path / "x", imprint_home)
    with pytest.raises(
        CheckpointError, match=r"no export format 'onnx'\. There are: peft, peft-with-base, vllm, merged"
    ):
        export(lora, "onnx", tmp_path / "x", imprint_home)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").write_text("keep")
    with pytest.raises(CheckpointError, match="is not empty"):
        export(lora, "peft", tmp_path / "x", imprint_home)


def test_every_format_is_listed_without_torch() -> None:
    assert tuple(EXPORTERS) == EXPORT_FORMATS
