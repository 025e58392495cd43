"""The default base with its skills: a base of its own by hash, with the shipped adapter in its weights."""

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from safetensors.torch import load_file

from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.errors import ModelError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.adapters import read_adapter
from tuning.models.base_model import BaseModel
from tuning.models.gguf_adapter import adapter_tensors
from tuning.models.gguf_base import GgufBase
from tuning.models.packaged import PACKAGED, SKILLS, ShippedAdapter
from tuning.storage import file_sha256

LARGEST_BYTES = 12_000_000


def test_the_shipped_adapter_is_what_its_hashes_say_and_small() -> None:
    SKILLS.check()
    assert sum((SKILLS.folder / name).stat().st_size for name in SKILLS.sha256) <= LARGEST_BYTES
    assert all(one.dtype == torch.bfloat16 for one in load_file(SKILLS.folder / PEFT_WEIGHTS).values())


def test_a_changed_adapter_is_refused(tmp_path: Path) -> None:
    for name in (PEFT_WEIGHTS, PEFT_CONFIG):
        shutil.copyfile(SKILLS.folder / name, tmp_path / name)
    (tmp_path / PEFT_CONFIG).write_text("{}", encoding="utf-8")
    changed = dataclasses.replace(PACKAGED[DEFAULT_BASE], adapter=ShippedAdapter(tmp_path, SKILLS.sha256))
    with pytest.raises(ModelError, match="Install Imprint again"):
        changed.check(tmp_path, changed.sha256)
    with pytest.raises(ModelError, match="Reinstall the package"):
        changed.check(tmp_path, "c0ffee")


def test_a_base_with_an_adapter_has_a_name_and_a_hash_of_its_own() -> None:
    assert PACKAGED[DEFAULT_BASE].file == PACKAGED[PLAIN_BASE].file
    assert PACKAGED[DEFAULT_BASE].identity != PACKAGED[PLAIN_BASE].identity == PACKAGED[PLAIN_BASE].sha256


@pytest.mark.slow
def test_the_skilled_base_is_the_default_with_the_adapters_change(
    plain_model: BaseModel, base_model: BaseModel
) -> None:
    adapter = read_adapter(SKILLS.folder)
    ids = plain_model.chat_ids(
        [{"role": "user", "content": "Who runs the mill?"}], add_generation_prompt=True
    )
    plain_model.add_adapter("skills", adapter)
    try:
        beside = plain_model.logits(ids, adapter="skills")
    finally:
        plain_model.unload("skills")
    plain, merged = plain_model.logits(ids), base_model.logits(ids)
    assert torch.dist(merged, beside) < 0.3 * torch.dist(merged, plain)
    assert base_model.sha256 == PACKAGED[DEFAULT_BASE].identity


@pytest.mark.real
def test_llama_cpp_is_given_the_same_base(imprint_home: Path) -> None:
    found = GgufBase.find(DEFAULT_BASE, imprint_home)
    plain = GgufBase.find(PLAIN_BASE, imprint_home)
    assert found is not None and plain is not None
    assert (found.sha256, found.bits, plain.bits) == (PACKAGED[DEFAULT_BASE].identity, 8, 4)
    assert found.header.chat_template == plain.header.chat_template
    assert GgufBase.find(DEFAULT_BASE, imprint_home) == found  # written once


@pytest.mark.real
def test_the_file_for_llama_cpp_holds_the_sum_of_the_weights_and_the_adapter(imprint_home: Path) -> None:
    found, plain = GgufBase.find(DEFAULT_BASE, imprint_home), GgufBase.find(PLAIN_BASE, imprint_home)
    assert found is not None and plain is not None
    own, was = tensors(found.path), tensors(plain.path)
    change = adapter_tensors(SKILLS.folder, plain.header)
    name = "blk.7.ffn_down.weight"
    summed = was[name] + change[f"{name}.lora_b"].astype(np.float32) @ change[f"{name}.lora_a"].astype(
        np.float32
    )
    assert np.linalg.norm(own[name] - summed) < 0.9 * np.linalg.norm(was[name] - summed)
    assert np.linalg.norm(own[name] - summed) < 0.01 * np.linalg.norm(summed)
    assert np.array_equal(own["token_embd.weight"], was["token_embd.weight"])
    assert own.keys() == was.keys()


def tensors(path: Path) -> dict[str, "np.ndarray[Any, Any]"]:
    wanted = ("blk.7.ffn_down.weight", "token_embd.weight")
    return {
        one.name: dequantize(one.data, one.tensor_type) if one.name in wanted else one.data[:0]
        for one in GGUFReader(path).tensors
    }


@pytest.mark.slow
@pytest.mark.real
def test_a_damaged_file_of_the_sum_is_written_anew(imprint_home: Path, tmp_path: Path) -> None:
    shared = GgufBase.find(DEFAULT_BASE, imprint_home)
    assert shared is not None
    shutil.copytree(shared.path.parent, tmp_path / "models" / shared.path.parent.name)
    found = GgufBase.find(DEFAULT_BASE, tmp_path)
    assert found is not None
    whole = file_sha256(shared.path)
    assert whole == file_sha256(found.path)
    with found.path.open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"no weights")
    os.utime(found.path)
    GgufBase.find(DEFAULT_BASE, tmp_path)
    assert file_sha256(found.path) == whole
