"""Where nothing is known of a kind of job, a few of its steps are timed, once."""

import errno
from pathlib import Path

import pytest

from tests.tuning.tiny import save_tiny
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.jobs import calibration, estimates
from tuning.jobs.jobs import Jobs
from tuning.jobs.rates import Rates
from tuning.models.base_model import BaseModel

EXAMPLES = [
    Example(
        ({"role": "user", "content": f"What is in box {n}?"}, {"role": "assistant", "content": "A clock."})
    )
    for n in range(12)
]


def test_a_calibration_is_what_the_first_estimate_rests_on(
    base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "PATIENCE_SECONDS", 500.0)  # the machine of a test may be busy
    jobs = Jobs(tmp_path / "home")
    config = TuneConfig(base=str(save_tiny(base_model, tmp_path / "llama")), device="cpu")
    assert not jobs.estimate(config, EXAMPLES[:1]).measured
    jobs.calibrate(config, EXAMPLES[:1])
    found = jobs.estimate(config, EXAMPLES[:1])
    assert found.measured and "in a few steps" in found.basis
    assert 0 < found.phases["training"] < 200 and 10**8 < found.bytes < 4 * 10**9
    kept = jobs.folder / estimates.CALIBRATED
    before = kept.stat().st_mtime_ns
    jobs.calibrate(config, EXAMPLES[:1])
    assert kept.stat().st_mtime_ns == before and not jobs.is_calibrating
    assert sorted(path.name for path in jobs.folder.iterdir() if path.is_dir()) == []


def test_a_machine_too_busy_to_time_a_few_steps_gets_a_rough_estimate(
    base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "PATIENCE_SECONDS", 0.5)  # too little for the imports of a worker
    jobs = Jobs(tmp_path / "home")
    config = TuneConfig(base=str(save_tiny(base_model, tmp_path / "llama")), device="cpu")
    assert not jobs.estimate(config, EXAMPLES).rough
    jobs.calibrate(config, EXAMPLES)
    found = jobs.estimate(config, EXAMPLES)
    assert (
        found.rough
        and not found.measured
        and found.basis.startswith("a rough guess: this machine was too busy")
    )
    estimates.remember_rates(jobs.home, config, "cpu", Rates(0.01, 1.0, 0.1, 1e9))
    found = jobs.estimate(config, EXAMPLES)
    assert not found.rough and found.measured


def test_a_calibration_without_room_gives_up_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The job itself says what is wrong; a thread that ends in a traceback would say it worse."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(calibration, "write_json", full)
    assert not calibration.calibrate(tmp_path, TuneConfig(base="llama", device="cpu"), EXAMPLES)
    assert "No space left" in caplog.text
