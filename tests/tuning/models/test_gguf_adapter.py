"""LoRA checkpoints as GGUF adapters: what can be converted, with which scale, and when it is done anew."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file

from tests.saved_checkpoints import save_random
from tests.tuning.tiny import tiny_model
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.errors import CheckpointError
from tuning.models import adapters
from tuning.models.base_model import BaseModel
from tuning.models.gguf_adapter import gguf_adapter, scale_of, why_not
from tuning.models.gguf_base import GgufBase
from tuning.models.gguf_header import GgufHeader


@pytest.fixture(scope="module")
def header(imprint_home: Path) -> GgufHeader:
    base = GgufBase.find(DEFAULT_BASE, imprint_home)
    assert base is not None
    return base.header


@pytest.fixture
def checkpoint(base_model: BaseModel, tmp_path: Path) -> Checkpoint:
    return save_random(base_model, Registry(tmp_path), "lora", "lora")


def change(checkpoint: Checkpoint, **options: object) -> None:
    """Another value for options of the adapter."""
    path = checkpoint.path / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **options}), encoding="utf-8")


def test_every_pair_of_matrices_is_there_under_llama_cpps_names(
    checkpoint: Checkpoint, header: GgufHeader
) -> None:
    reader = GGUFReader(gguf_adapter(checkpoint.path, checkpoint.sha256, header))
    found = {tensor.name: tensor.data for tensor in reader.tensors}
    stored = load_file(checkpoint.path / "adapter_model.safetensors")
    assert len(found) == len(stored) > 0
    own = stored["base_model.model.model.layers.7.mlp.down_proj.lora_A.weight"]
    assert np.allclose(found["blk.7.ffn_down.weight.lora_a"], own.numpy(), atol=1e-3)
    assert reader.fields["adapter.type"].contents() == "lora"
    assert reader.fields["general.architecture"].contents() == "llama"


def test_the_scale_is_pefts(base_model: BaseModel) -> None:
    patterns = {"rank_pattern": {"q_proj": 2, "layers.1.mlp.up_proj": 3}, "alpha_pattern": {"up_proj": 5}}
    for slora in (False, True):
        config = LoraConfig(
            r=4, lora_alpha=6, use_rslora=slora, target_modules=["q_proj", "up_proj"], **patterns
        )
        model = tiny_model(base_model).model
        inject_adapter_in_model(config, model, "default")
        seen = 0
        for name, module in model.named_modules():
            if isinstance(module, LoraLayer):
                seen += 1
                assert module.scaling["default"] == pytest.approx(
                    scale_of(config.to_dict(), name, module.r["default"])
                )
        assert seen == 4


def test_it_is_converted_once_and_anew_when_the_adapter_changes(
    checkpoint: Checkpoint, header: GgufHeader
) -> None:
    first = gguf_adapter(checkpoint.path, checkpoint.sha256, header)
    written = first.stat().st_mtime_ns
    assert gguf_adapter(checkpoint.path, checkpoint.sha256, header) == first
    assert first.stat().st_mtime_ns == written
    weights = checkpoint.path / "adapter_model.safetensors"
    save_file({name: 2 * tensor for name, tensor in load_file(weights).items()}, weights)
    second = gguf_adapter(checkpoint.path, {}, header)
    assert second != first and not first.exists()
    with pytest.raises(CheckpointError, match=r"'adapter_model\.safetensors' is no longer what was stored"):
        gguf_adapter(checkpoint.path, checkpoint.sha256, header)


def test_what_llama_cpp_cannot_take_is_named(
    base_model: BaseModel, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    assert why_not(checkpoint.path, "llama") == ""
    assert why_not(checkpoint.path, "mamba") == "the order of the layers of mamba is not known"
    change(checkpoint, use_dora=True)
    assert why_not(checkpoint.path, "llama") == "it uses use_dora"
    scaled = save_random(base_model, Registry(tmp_path), "scaled", "ia3")
    assert why_not(scaled.path, "llama") == "it was made with IA3"
    (checkpoint.path / "adapter_model.safetensors").unlink()
    assert why_not(checkpoint.path, "llama") == "it is neither a low-rank adapter nor a prefix"


def test_an_adapter_of_another_model_is_refused(checkpoint: Checkpoint, header: GgufHeader) -> None:
    weights = checkpoint.path / "adapter_model.safetensors"
    tensors = load_file(weights)
    tensors["base_model.model.model.layers.99.mlp.up_proj.lora_A.weight"] = torch.zeros(4, 576)
    save_file(tensors, weights)
    with pytest.raises(
        CheckpointError, match=r"changes 'model\.layers\.99.*which llama\.cpp has no place for"
    ):
        gguf_adapter(checkpoint.path, {}, header)
    assert not list(checkpoint.path.glob(".*"))


def test_a_conversion_that_was_cut_off_leaves_nothing_that_counts(
    checkpoint: Checkpoint, header: GgufHeader, tmp_path: Path
) -> None:
    whole = gguf_adapter(checkpoint.path, checkpoint.sha256, header)
    copy = tmp_path / "copy"
    shutil.copytree(checkpoint.path, copy)
    found = copy / whole.name
    content = found.read_bytes()
    found.rename(copy / f".{whole.name}.1-abcdef.tmp")
    (copy / f".{whole.name}.1-abcdef.tmp").write_bytes(content[:1000])
    assert gguf_adapter(copy, checkpoint.sha256, header).read_bytes() == content


@pytest.mark.parametrize("layers", ["attention", "all"])  # queries and keys lie in another order
def test_llama_cpp_computes_what_torch_does_on_every_kind_of_layer(
    base_model: BaseModel, imprint_home: Path, tmp_path: Path, layers: str
) -> None:
    from assistant.engines.llama_processes import LlamaProcesses
    from assistant.engines.llama_proof import PROOF

    everywhere = save_random(base_model, Registry(tmp_path), "all", "lora", 0.1, {"layers": layers})
    base = GgufBase.find(DEFAULT_BASE, imprint_home)
    assert base is not None
    processes = LlamaProcesses(base)
    try:
        ids = processes.prompts.ids(PROOF)
        with processes.use(everywhere) as running:
            found = running.predict(ids, adapted=True)
    finally:
        processes.close()
    base_model.add_adapter("all", adapters.read_adapter(everywhere.path))
    likely = {
        name: torch.log_softmax(base_model.logits(ids, adapter=name)[-1], -1)[list(found)].numpy()
        for name in ("all", None)
    }
    base_model.unload("all")
    own = np.array(list(found.values()))
    assert np.abs(own - likely["all"]).mean() < 0.25 * np.abs(own - likely[None]).mean()
