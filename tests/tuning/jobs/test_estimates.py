"""An estimate says what it rests on, and follows what was measured."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.tuning.gguf_files import tiny_llm, write_gguf
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import MethodError
from tuning.jobs import estimates
from tuning.jobs.estimates import Measured, estimate, remember
from tuning.models import weights
from tuning.models.base_model import BaseModel
from tuning.models.conversion import convert

CONFIG = TuneConfig(device="cpu", epochs=10)


def examples(count: int, probes: int = 0) -> list[Example]:
    return [
        Example(
            (
                {"role": "user", "content": f"我的第{n}个项目叫什么名字？"},
                {"role": "assistant", "content": "夜莺" * 9},
            ),
            probes=tuple("q" * (p + 1) for p in range(probes)),
        )
        for n in range(count)
    ]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    return tmp_path


def test_the_first_estimate_says_that_it_is_typical(home: Path) -> None:
    few, many = estimate(home, CONFIG, examples(5)), estimate(home, CONFIG, examples(50))
    assert "typical machine" in few.basis and few.steps == 10 and many.steps == 100
    assert 9 * few.tokens < many.tokens < 11 * few.tokens and many.seconds > few.seconds
    assert sum(few.phases.values()) == pytest.approx(few.seconds) and few.bytes > 10**9


def test_an_estimate_grows_with_the_base(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuning.models.device.emulates_bf16", lambda: False)
    bases = ("smollm2-135m-instruct", "Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-1.5B-Instruct")
    found = [estimate(home, replace(CONFIG, base=base), examples(20)) for base in bases]
    small, middle, large = found
    assert 1.5 < middle.phases["training"] / small.phases["training"] < 4
    assert 2 < large.phases["training"] / middle.phases["training"] < 5
    assert 1.7e9 < small.bytes < 2.8e9 and 2.8e9 < middle.bytes < 4.8e9 and 6e9 < large.bytes < 9e9
    full = estimate(home, replace(CONFIG, method="full"), examples(20))
    assert full.bytes > small.bytes + 16 * 134_515_008
    monkeypatch.setattr("tuning.models.device.emulates_bf16", lambda: True)
    monkeypatch.setattr("tuning.models.device.FLOAT32_SHARE", 1.0)
    doubled = estimate(home, replace(CONFIG, base=bases[0]), examples(20)).bytes
    if not (torch.cuda.is_available() or torch.backends.mps.is_available()):
        assert doubled > small.bytes + 2 * 134_000_000


@pytest.mark.real
def test_a_gguf_file_is_estimated_by_its_header_and_its_conversion(home: Path, tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", tiny_llm())
    config = replace(CONFIG, base=str(file))
    before = estimate(home, config, examples(5))
    assert before.bytes < 1.5e9 and not estimates.is_at_hand(home, config)
    weights.locate(str(file), home, convert)
    after = estimate(home, config, examples(5))
    assert estimates.is_at_hand(home, config) and after.phases["preparing"] < before.phases["preparing"]


def test_later_estimates_follow_what_was_measured(home: Path) -> None:
    before = estimate(home, CONFIG, examples(20))
    taken = Measured(
        tokens=before.tokens, steps=before.steps, train_seconds=100.0, prepare_seconds=7.0,
        evaluate_seconds=40.0, answers=2 * estimates.questions_of(examples(20)) + estimates.GENERAL_QUESTIONS,
        memory_bytes=2e9, done=0.5,
    )  # fmt: skip
    remember(home, CONFIG, "cpu", taken)
    after = estimate(home, CONFIG, examples(20))
    assert after.seconds == pytest.approx(148) and after.bytes == 2_000_000_000
    assert after.basis == "measured on this machine in the last job with lora on smollm2-135m-instruct"
    twice = estimate(home, TuneConfig(device="cpu", epochs=20), examples(20))
    assert twice.phases["training"] == pytest.approx(200, rel=0.01)
    other = estimate(home, TuneConfig(device="cpu", epochs=10, method="ia3"), examples(20))
    assert "typical machine" in other.basis


def test_only_the_last_jobs_count(home: Path) -> None:
    for seconds in range(30):
        remember(home, CONFIG, "cpu", Measured(100, 1, seconds, 1, 1, 10, 1e9))
    assert [k.train_seconds for k in estimates.measured(home, CONFIG, "cpu")] == list(range(10, 30))


def test_questions_count_their_other_wordings() -> None:
    assert estimates.questions_of(examples(3)) == 12 and estimates.questions_of(examples(3, probes=2)) == 9


def test_an_unknown_method_is_refused_before_the_job(home: Path) -> None:
    with pytest.raises(MethodError, match="no tuning method 'magic'"):
        estimate(home, TuneConfig(method="magic"), examples(1))


def test_a_further_round_counts_what_earlier_ones_taught(base_model: BaseModel, imprint_home: Path) -> None:
    first = estimate(imprint_home, CONFIG, examples(10))
    further = estimate(imprint_home, CONFIG, examples(10), earlier=examples(30))
    assert further.steps == first.steps and further.tokens > 1.2 * first.tokens
    assert further.phases["evaluating"] > first.phases["evaluating"]
