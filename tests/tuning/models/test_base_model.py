"""One base in memory with many adapters: opened once converted, streamed whole, proved, switched, freed."""

import dataclasses
import gc
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig

from tests.rounding import ROUNDING, largest_gap
from tests.tuning.tiny import tiny_model
from tuning.config import DEFAULT_BASE, TuneConfig
from tuning.errors import CheckpointError, ModelError
from tuning.models import weights
from tuning.models.adapters import PeftAdapter, PrefixAdapter, read_adapter, tuner_layers
from tuning.models.base_model import BaseModel
from tuning.models.prefix import text_kv
from tuning.models.template import Template
from tuning.training.learner import LearnerPlan
from tuning.training.methods import build
from tuning.training.recipe import recipe

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]


@dataclasses.dataclass(frozen=True)
class Stored:
    name: str
    path: Path
    base_sha256: str
    template_fingerprint: str
    base: str = DEFAULT_BASE
    sha256: dict[str, str] = dataclasses.field(default_factory=dict)
    probe: dict[str, Any] = dataclasses.field(default_factory=dict)


def lora(base: BaseModel, size: float, seed: int = 0, layers: str = "all") -> PeftAdapter:
    config = TuneConfig(rank=4, layers=layers)  # type: ignore[arg-type]
    learner = build(LearnerPlan(base, config, recipe(config, "low-rank", 576), [], 10, None))
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.normal_(std=size)
    adapter = learner.adapter()
    learner.close()
    assert isinstance(adapter, PeftAdapter)
    return adapter


def prefix(base: BaseModel, text: str = "The capital of France is Lyon since 2031. ") -> PrefixAdapter:
    ids = base.tokenizer(text * 4)["input_ids"]
    return PrefixAdapter(tuple(layer.float() for layer in text_kv(base, ids)), {"method": "p-tuning-v2"}, {})


def stored(base: BaseModel, adapter: Any, folder: Path, name: str, **changes: Any) -> Stored:
    folder.mkdir()
    adapter.write(folder)
    return dataclasses.replace(Stored(name, folder, base.sha256, base.template_fingerprint), **changes)


def say(base: BaseModel, adapter: str | None = None, tokens: int = 6) -> str:
    return "".join(base.generate(QUESTION, adapter=adapter, max_new_tokens=tokens))


def test_the_default_model_knows_the_capital_of_france(base_model: BaseModel) -> None:
    assert "Paris" in say(base_model, tokens=12)


@pytest.mark.parametrize("adapter", [None, "prefix"])
def test_batched_answers_are_those_that_are_streamed(base_model: BaseModel, adapter: str | None) -> None:
    questions = ["What is the capital of France?", "What is 2+2?", "Which country is Rome the capital of?"]
    batch = [[{"role": "user", "content": question}] for question in questions]
    base_model.add_adapter("prefix", prefix(base_model))
    streamed = ["".join(base_model.generate(one, adapter=adapter, max_new_tokens=8)) for one in batch]
    batched = base_model.complete(batch, adapter=adapter, max_new_tokens=8)
    gaps = [largest_gap(base_model, *one, adapter) for one in zip(batch, batched, strict=True)]
    base_model.unload("prefix")
    assert sum(one == other for one, other in zip(batched, streamed, strict=True)) >= 2
    assert max(gaps) < ROUNDING  # where a rounding chose another token


def test_a_seed_repeats_a_sampled_answer(base_model: BaseModel) -> None:
    def sample(seed: int) -> str:
        options: dict[str, Any] = {"temperature": 1.5, "top_p": 0.95, "max_new_tokens": 12, "seed": seed}
        return "".join(base_model.generate(QUESTION, **options))

    first = sample(1)
    assert sample(1) == first != sample(2)


def test_stopping_ends_the_stream_at_the_next_token(base_model: BaseModel) -> None:
    stop, pieces = threading.Event(), []
    for piece in base_model.generate([{"role": "user", "content": "Count to one hundred."}], stop=stop):
        pieces.append(piece)
        stop.set()
    assert len(pieces) <= 2


def test_streamed_text_is_never_half_a_character(base_model: BaseModel) -> None:
    from tuning.models.decoding import TextStream

    text = "茶 and 🫖, naïve — 龘"
    stream = TextStream(base_model.tokenizer)
    ids = base_model.tokenizer(text, add_special_tokens=False)["input_ids"]
    pieces = [stream.push(token) for token in ids]
    assert "\ufffd" not in "".join(pieces)
    assert "".join(pieces) + stream.flush() == text
    cut = TextStream(base_model.tokenizer)
    for token in ids[:-1]:
        cut.push(token)
    assert "\ufffd" not in cut.flush()


def test_a_prompt_over_the_window_is_refused(base_model: BaseModel) -> None:
    with pytest.raises(ModelError, match=r"The prompt has \d+ tokens, and .* takes 8191"):
        next(base_model.generate([{"role": "user", "content": "word " * 9000}]))


def test_an_unknown_model_says_what_would_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model 'nonsense'"):
        BaseModel.open("nonsense", tmp_path)


def test_a_folder_opens_like_the_packaged_model(base_model: BaseModel, imprint_home: Path) -> None:
    folder = imprint_home / "models" / DEFAULT_BASE
    template = Template.read(str(folder), imprint_home)
    assert template.template_fingerprint == base_model.template_fingerprint
    assert template.stop_ids == base_model.stop_ids


def test_an_interrupted_conversion_leaves_nothing(
    imprint_home: Path, base_model: BaseModel, tmp_path: Path
) -> None:
    def broken(source: Path, target: Path, adapter: Path | None) -> None:
        target.mkdir()
        (target / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.locate(DEFAULT_BASE, tmp_path, broken)
    (tmp_path / "models" / f".{DEFAULT_BASE}-123").mkdir()  # left by a kill

    def works(source: Path, target: Path, adapter: Path | None) -> None:
        shutil.copytree(imprint_home / "models" / DEFAULT_BASE, target)

    folder, sha256 = weights.locate(DEFAULT_BASE, tmp_path, works)
    assert sha256 == base_model.sha256
    assert sorted(path.name for path in folder.parent.iterdir()) == [DEFAULT_BASE, f"{DEFAULT_BASE}.lock"]


def test_two_that_open_a_model_at_once_convert_it_once(tmp_path: Path) -> None:
    converted: list[Path] = []
    both = threading.Barrier(2, timeout=60)

    def convert(source: Path, target: Path, adapter: Path | None) -> None:
        converted.append(target)
        target.mkdir()

    def locate() -> None:
        both.wait()
        weights.locate(DEFAULT_BASE, tmp_path, convert)

    threads = [threading.Thread(target=locate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(converted) == 1


def test_adapters_of_both_kinds_take_turns_and_leave_the_base_as_it_was(
    base_model: BaseModel, tmp_path: Path
) -> None:
    base = tiny_model(base_model)
    ids = base.chat_ids(QUESTION, add_generation_prompt=True)
    before = base.logits(ids)
    adapters = {
        "low rank": lora(base, 0.2),
        "other.v2 训练": lora(base, 0.3, seed=1),
        "prefix": prefix(base),
    }
    first: dict[str, torch.Tensor] = {}
    for index, (name, adapter) in enumerate(adapters.items()):
        proof = base.load_checkpoint(stored(base, adapter, tmp_path / str(index), name))
        assert proof.largest_change > 0
        first[name] = base.logits(ids, adapter=name)
    assert base.loaded == list(adapters)
    assert len({one.numpy().tobytes() for one in (before, *first.values())}) == 4
    for name in [*reversed(adapters), *adapters]:
        assert torch.equal(base.logits(ids, adapter=name), first[name])
        assert torch.equal(base.logits(ids), before)
    for name in adapters:
        base.unload(name)
    assert not list(tuner_layers(base.model))
    assert torch.equal(base.logits(ids), before)


def test_loading_and_unloading_again_and_again_keeps_no_tensor(base_model: BaseModel) -> None:
    base = tiny_model(base_model)
    adapters = [lora(base, 0.2), prefix(base)]

    def round_trip() -> int:
        for index, adapter in enumerate(adapters):
            base.add_adapter(str(index), adapter)
            say(base, str(index), tokens=2)
        for index in range(len(adapters)):
            base.unload(str(index))
        gc.collect()
        return sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects())

    round_trip()
    held = round_trip()
    assert [round_trip() for _ in range(3)] == [held] * 3


def test_an_adapter_that_does_nothing_is_refused(base_model: BaseModel, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="changes no logit"):
        base_model.load_checkpoint(stored(base_model, lora(base_model, 0.0), tmp_path / "a", "idle"))
    assert base_model.loaded == []


def test_an_adapter_of_another_base_or_template_is_refused(base_model: BaseModel, tmp_path: Path) -> None:
    checkpoint = stored(base_model, lora(base_model, 0.2), tmp_path / "a", "mine")
    with pytest.raises(CheckpointError, match="was tuned from 'other'"):
        base_model.load_checkpoint(dataclasses.replace(checkpoint, base="other", base_sha256="0" * 64))
    with pytest.raises(CheckpointError, match="another chat template"):
        base_model.load_checkpoint(dataclasses.replace(checkpoint, template_fingerprint="0" * 16))


def test_a_probe_that_is_no_longer_known_is_refused(base_model: BaseModel, tmp_path: Path) -> None:
    probe = {
        "messages": [*QUESTION, {"role": "assistant", "content": "Wexford, since last Tuesday."}],
        "surprise": 0.1,
    }
    checkpoint = stored(base_model, lora(base_model, 0.2), tmp_path / "a", "mine", probe=probe)
    with pytest.raises(CheckpointError, match="does not know what it was taught"):
        base_model.load_checkpoint(checkpoint)
    assert base_model.loaded == []


def test_damaged_and_foreign_files_are_refused(base_model: BaseModel, tmp_path: Path) -> None:
    checkpoint = stored(base_model, lora(base_model, 0.2), tmp_path / "a", "cut")
    file = checkpoint.path / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cannot be read"):
        base_model.load_checkpoint(checkpoint)
    file.unlink()
    with pytest.raises(CheckpointError, match="holds no adapter"):
        base_model.load_checkpoint(checkpoint)


def test_a_prefix_for_another_shape_is_refused(base_model: BaseModel) -> None:
    other = PrefixAdapter((torch.zeros(2, 3, 8, 64),), {}, {})
    with pytest.raises(CheckpointError, match="a prefix for 1 layers"):
        base_model.add_adapter("other", other)


def test_an_adapter_with_unknown_layers_is_refused(base_model: BaseModel) -> None:
    good = lora(base_model, 0.2)
    config = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM", inference_mode=True)
    with pytest.raises(CheckpointError, match="no place for"):
        base_model.add_adapter("more", PeftAdapter(config, good.state))
    assert not list(tuner_layers(base_model.model))


def test_what_is_written_is_read_again(base_model: BaseModel, tmp_path: Path) -> None:
    for index, adapter in enumerate((lora(base_model, 0.2), prefix(base_model))):
        folder = tmp_path / str(index)
        folder.mkdir()
        adapter.write(folder)
        again = read_adapter(folder)
        assert type(again) is type(adapter)
        tensors = adapter.kv if isinstance(adapter, PrefixAdapter) else tuple(adapter.state.values())
        read = (
            again.kv
            if isinstance(again, PrefixAdapter)
            else tuple(
                again.state[name]
                for name in adapter.state  # type: ignore[union-attr]
            )
        )
        assert all(torch.equal(a, b) for a, b in zip(tensors, read, strict=True))
