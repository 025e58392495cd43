"""A GGUF file of a model that people have becomes what can be tuned, and computes what it computed before."""

import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import gguf
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.tuning.gguf_files import ARCHITECTURES, HIDDEN, random_blocks, tiny_llm, write_gguf
from tuning.errors import ModelError
from tuning.models import conversion, memory, weights
from tuning.models.base_model import BaseModel
from tuning.models.conversion import convert
from tuning.models.sources import ABOUT

pytestmark = pytest.mark.real  # the vocabulary is the packaged model's
IDS = torch.tensor([[1, 300, 417, 22, 1999, 5, 64]])
KINDS = gguf.GGMLQuantizationType


def logits(model: Any) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(IDS).logits.float()
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_converted_file_computes_what_the_model_did(architecture: str, tmp_path: Path) -> None:
    # Qwen 3's heads have 128 numbers, whatever its width; transformers does not read that from the file.
    model = tiny_llm(architecture, **({"head_dim": 128} if architecture == "qwen3" else {}))
    convert(write_gguf(tmp_path / "tiny.gguf", model), tmp_path / "out")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)
    torch.testing.assert_close(logits(again), logits(model), rtol=2e-2, atol=2e-2)
    if not architecture.startswith("gemma"):  # whose own vocabulary is of another kind
        tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
        assert tokenizer.decode(tokenizer("Hello 12, you")["input_ids"]) == "Hello 12, you"


def test_each_kind_of_weights_is_dequantised_as_llama_cpp_does(tmp_path: Path) -> None:
    model, blocks = tiny_llm(), dict[Any, Any]()
    weight = model.model.layers[0].mlp.up_proj.weight.detach().numpy()
    for kind in (KINDS.Q8_0, KINDS.F16):
        blocks[kind] = gguf.quants.quantize(weight, kind)
    for kind in (KINDS.Q4_K, KINDS.Q5_K, KINDS.Q6_K, KINDS.Q5_0):
        blocks[kind] = random_blocks(kind, 2 * HIDDEN, HIDDEN)
    places = [(layer, part) for layer in range(3) for part in ("up", "gate")]
    model = tiny_llm(num_hidden_layers=3)
    tensors = {
        f"blk.{layer}.ffn_{part}.weight": (held, kind)
        for (layer, part), (kind, held) in zip(places, blocks.items(), strict=True)
    }
    convert(write_gguf(tmp_path / "tiny.gguf", model, tensors=tensors), tmp_path / "out")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.bfloat16)
    for (layer, part), (kind, held) in zip(places, blocks.items(), strict=True):
        found = getattr(again.model.layers[layer].mlp, f"{part}_proj").weight.float()
        expected = torch.from_numpy(gguf.quants.dequantize(held, kind)).bfloat16().float()
        torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-4, msg=f"{kind.name} differs")


def test_rotations_that_llama_3_divides_are_divided(tmp_path: Path) -> None:
    scaled = {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    model = tiny_llm(rope_parameters=scaled, head_dim=64)
    plain = 500_000.0 ** (-torch.arange(32) / 32)
    factors = plain / model.model.rotary_emb.inv_freq
    convert(
        write_gguf(tmp_path / "tiny.gguf", model, tensors={"rope_freqs.weight": factors}), tmp_path / "out"
    )
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    torch.testing.assert_close(
        again.model.rotary_emb.inv_freq, model.model.rotary_emb.inv_freq, rtol=1e-4, atol=0
    )
    odd = write_gguf(
        tmp_path / "odd.gguf", model, tensors={"rope_freqs.weight": factors.flip(0).contiguous()}
    )
    with pytest.raises(ModelError, match="scaled in a way that is not known"):
        convert(odd, tmp_path / "other")


def test_a_file_is_converted_once_and_goes_by_its_hash(tmp_path: Path) -> None:
    file, home = write_gguf(tmp_path / "tiny.gguf", tiny_llm()), tmp_path / "home"
    count = 0

    def counting(source: Path, target: Path, adapter: Path | None) -> None:
        nonlocal count
        count += 1
        convert(source, target, adapter)

    folder, sha256 = weights.locate(str(file), home, counting)
    assert folder.name == f"gguf-{sha256[:16]}" and (folder / ABOUT).is_file()
    moved = shutil.copy(file, tmp_path / "copy.gguf")
    assert weights.locate(str(moved), home, counting) == (folder, sha256) and count == 1
    base = BaseModel.open(str(file), home, "cpu")
    assert base.sha256 == sha256 and "".join(
        base.generate([{"role": "user", "content": "Hi"}], max_new_tokens=3)
    )
    base.close()


def test_what_cannot_be_converted_says_what_to_choose_instead(tmp_path: Path) -> None:
    stretched = write_gguf(tmp_path / "a.gguf", tiny_llm("qwen2"), fields={"qwen2.rope.scaling.type": "yarn"})
    with pytest.raises(ModelError, match=r"stretches its context window \('yarn'\).*Hugging Face id"):
        convert(stretched, tmp_path / "out")
    mute = write_gguf(tmp_path / "b.gguf", tiny_llm(), template=None)
    with pytest.raises(
        ModelError, match=r"no chat template, so it cannot chat\. Choose its instruct version"
    ):
        convert(mute, tmp_path / "out")


def test_a_conversion_without_room_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm())
    with monkeypatch.context() as patch:
        patch.setattr(conversion, "available_memory", lambda: 10**8)
        with pytest.raises(ModelError, match=r"takes 0.7 GB of memory, and 0.1 GB are free"):
            convert(file, tmp_path / "out")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match=r"takes 0.1 GB of disk, and 0.0 GB are free"):
        convert(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_disk_that_fills_up_leaves_no_half_model(tmp_path: Path) -> None:
    """In a process that may write no file beyond a few megabytes, as on a disk that is full."""
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm())
    script = (
        "import resource, sys; from pathlib import Path; resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6));"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from tuning.models import weights; from tuning.models.conversion import convert\n"
        "from tuning.errors import ModelError\n"
        "try: weights.locate(sys.argv[1], Path(sys.argv[2]), convert)\n"
        "except ModelError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file), str(tmp_path / "home")], capture_output=True, text=True
    )
    assert "cannot be converted to be tuned" in done.stdout and "Free disk space" in done.stdout, done.stderr
    assert not [one for one in (tmp_path / "home" / "models").iterdir() if one.is_dir()]


def test_what_another_thread_writes_during_a_conversion_is_not_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = threading.Event()
    heard = 0

    def speak() -> None:
        nonlocal heard
        while not stop.wait(0.02):
            print("heard", file=sys.stderr)
            heard += 1

    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm())
    capsys.readouterr()
    thread = threading.Thread(target=speak)
    thread.start()
    convert(file, tmp_path / "out")
    stop.set()
    thread.join()
    assert heard > 2 and capsys.readouterr().err.split() == ["heard"] * heard


def test_a_model_larger_than_the_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm())
    weights.locate(str(file), tmp_path / "home", convert)
    monkeypatch.setattr(memory, "available_memory", lambda: 10**6)
    with pytest.raises(ModelError, match=r"weights of .* take 0.0 GB of memory, and 0.0 GB are free"):
        BaseModel.open(str(file), tmp_path / "home", "cpu")
