"""The benchmarks run: what they measure is their own affair, on a machine that has time for it."""

import json
import random
from pathlib import Path

import pytest

from benchmarks import dependencies, fuzz_inputs, gpu, gpu_shapes, kills, training
from tuning.config import DEFAULT_BASE
from tuning.models.base_model import BaseModel

pytestmark = pytest.mark.slow


def test_the_gpu_benchmark_runs_every_method_on_a_tiny_shape(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMPRINT_HOME", raising=False)
    output = tmp_path / "gpu.json"
    gpu.main(
        f"--shapes tiny --device cpu --steps 1 --decode-tokens 2 --checkpointing --output {output}".split()
    )
    result = json.loads(output.read_text(encoding="utf-8"))
    assert result["shapes"]["tiny"]["lora"]["tokens_per_step"] == 2 * 96
    assert result["shapes"]["tiny"]["lora, checkpointing"]["tokens_per_second"] > 0
    failed = {name for name, one in result["methods"].items() if "error" in one}
    assert failed == {"qlora"}  # it needs a GPU, and says so
    assert result["decoding"]["tiny"]["1"] > 0
    assert "no real model was tuned" in capsys.readouterr().out


def test_rows_are_full_and_a_given_share_of_them_is_supervised() -> None:
    shape = gpu_shapes.SHAPES["tiny"]
    for row in gpu_shapes.rows(shape, 300, answers=0.5):
        assert len(row.ids) == shape.sequence
        assert 0.4 * shape.sequence < len(row.targets) < 0.6 * shape.sequence


def test_the_examples_of_the_comparison_are_reproducible_and_of_the_announced_length(
    base_model: BaseModel,
) -> None:
    told = training.conversations(48)
    assert told == training.conversations(48)
    assert 180 < training.count_tokens(base_model, told) / 48 < 220


def test_the_table_shows_the_ratio_to_trl_and_the_limit() -> None:
    result = {
        "tokens": 1000,
        "examples": 5,
        "examples_per_step": 5,
        "parameters": 1_000_000,
        "matrix_flops": [4e9, 3e9],
        "model": DEFAULT_BASE,
        "contenders": {
            "imprint": {"seconds": 2.0, "cpu_seconds": 4.0, "peak_bytes": 2**30, "computed": 900},
            "trl-defaults": {"seconds": 10.0, "cpu_seconds": 20.0, "peak_bytes": 2**31, "computed": None},
        },
    }
    shown = training.table(result)
    assert "| Imprint | 500 | 250 | 900 | 45% | 1.00 GiB | 5.0 |" in shown
    assert "1000 tokens/s" in shown


def test_a_killed_backup_leaves_the_earlier_one_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "kills.json"
    kills.main(f"--times 1 --only backup --output {output}".split())
    result = json.loads(output.read_text(encoding="utf-8"))["backup"]
    assert result["kills"] == 1
    assert result["lost"] == result["damaged"] == []
    assert "| `imprint backup` over an earlier one | 1 |" in capsys.readouterr().out


def test_a_handful_of_damaged_inputs_is_refused_or_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "inputs.json"
    fuzz_inputs.main(
        [
            "--count",
            "60",
            "--only",
            "chat files",
            "adapters",
            "HTTP requests",
            "backups",
            "--output",
            str(output),
        ]
    )
    for outcome in json.loads(output.read_text(encoding="utf-8")).values():
        assert outcome["inputs"] == outcome["refused"] + outcome["accepted"] > 0, outcome["faults"]
    assert "| adapters |" in capsys.readouterr().out


def test_an_input_that_breaks_something_is_counted_and_kept(tmp_path: Path) -> None:
    class Broken(fuzz_inputs.Trial):
        def make(self, chance: random.Random) -> bytes:
            return b"input"

        def use(self, data: bytes) -> None:
            raise ZeroDivisionError("of the parser")

    outcome = fuzz_inputs.fuzz(Broken(tmp_path / "trial"), 3, 0, 60, tmp_path / "kept")
    assert (outcome.crashed, outcome.accepted) == (3, 0)
    assert "ZeroDivisionError: of the parser" in next(iter(outcome.faults))
    assert (tmp_path / "kept" / "Broken-0-0.bin").read_bytes() == b"input"


@pytest.mark.parametrize(
    ("version", "meant"),
    [
        ("0.9", False),
        ("1.0", True),
        ("1.4.9", True),
        ("1.5", False),
        ("2.1", True),
        ("2.2", False),
        ("7.0rc1", True),
    ],
)
def test_an_advisory_means_the_versions_of_its_ranges_and_its_list(version: str, meant: bool) -> None:
    events = [{"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "2"}, {"last_affected": "2.1"}]
    ranges = [{"type": "ECOSYSTEM", "events": events}, {"type": "GIT", "events": [{"introduced": "0"}]}]
    assert dependencies.affects({"ranges": ranges, "versions": ["7.0rc1"]}, version) is meant


def test_the_page_of_dependencies_names_what_is_pinned() -> None:
    root = Path(__file__).parents[1]
    pinned = dependencies.packages((root / "constraints.txt").read_text(encoding="utf-8"))
    page = (root / "docs" / "dependencies.md").read_text(encoding="utf-8")
    rows = [row.split("|") for row in page.splitlines() if row.startswith("| ")]
    listed = {row[1].strip(): row[2].strip() for row in rows[1:]}
    assert listed == {one.name: one.version for one in pinned.values()}, (
        "run python -m benchmarks.dependencies"
    )
