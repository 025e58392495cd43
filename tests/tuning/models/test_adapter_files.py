"""The files of a checkpoint are those that were stored: a changed byte is found when it is loaded."""

import json
from pathlib import Path

import pytest

from tests.saved_checkpoints import save_prefix, save_random
from tuning.checkpoints.export_peft import write_peft
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel


def flip(path: Path) -> None:
    """Change one byte of the weights, not of the header."""
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def stored(kind: str, base: BaseModel, registry: Registry) -> Checkpoint:
    return (
        save_prefix(base, registry, kind) if kind == "prefix" else save_random(base, registry, kind, "lora")
    )


@pytest.mark.parametrize("kind", ["prefix", "adapter_model"])
def test_a_flipped_byte_of_the_weights_is_found(kind: str, base_model: BaseModel, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    checkpoint = stored(kind, base_model, registry)
    flip(checkpoint.path / f"{kind}.safetensors")
    with pytest.raises(CheckpointError, match=f"damaged: '{kind}.safetensors' is no longer what was stored"):
        base_model.load_checkpoint(registry.get(kind))
    with pytest.raises(CheckpointError, match="is no longer what was stored"):
        write_peft(registry.get(kind), tmp_path, tmp_path)
    assert kind not in base_model.loaded


def test_a_changed_configuration_of_an_adapter_is_found(base_model: BaseModel, tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    checkpoint = stored("lora", base_model, registry)
    path = checkpoint.path / "adapter_config.json"
    path.write_text(path.read_text().replace('"lora_alpha": ', '"lora_alpha":1'))
    with pytest.raises(CheckpointError, match="is no longer what was stored"):
        base_model.load_checkpoint(registry.get("lora"))


def test_a_checkpoint_of_an_earlier_version_has_no_hashes_and_loads(
    base_model: BaseModel, tmp_path: Path
) -> None:
    registry = Registry(tmp_path)
    checkpoint = stored("prefix", base_model, registry)
    manifest = json.loads((checkpoint.path / "imprint.json").read_text())
    assert set(manifest.pop("sha256")) == {"prefix.json", "prefix.safetensors"}
    (checkpoint.path / "imprint.json").write_text(json.dumps(manifest))
    assert base_model.load_checkpoint(registry.get("prefix")).largest_change > 0
    base_model.unload("prefix")
