"""A converted model is opened only while its files are those that were written."""

from pathlib import Path

import pytest

from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.models import weights


class Conversion:
    """Converts a model to a few bytes, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, source: Path, target: Path, adapter: Path | None = None) -> None:
        self.count += 1
        target.mkdir()
        (target / "model.safetensors").write_bytes(b"weights")


@pytest.mark.real
def test_a_converted_model_whose_bytes_changed_is_converted_again(tmp_path: Path) -> None:
    convert = Conversion()
    folder, _ = weights.locate(DEFAULT_BASE, tmp_path, convert)
    (folder / "model.safetensors").touch()  # another time alone, as in a copy
    weights.locate(DEFAULT_BASE, tmp_path, convert)
    assert convert.count == 1

    (folder / "model.safetensors").write_bytes(b"weighty")
    weights.locate(DEFAULT_BASE, tmp_path, convert)
    assert convert.count == 2
    assert (folder / "model.safetensors").read_bytes() == b"weights"


def test_a_model_converted_by_an_earlier_version_is_taken_as_it_is(tmp_path: Path) -> None:
    convert = Conversion()
    folder = tmp_path / "models" / PLAIN_BASE
    folder.mkdir(parents=True)
    (folder / "imprint.json").write_text('{"sha256": "c0ffee"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    assert weights.locate(PLAIN_BASE, tmp_path, convert) == (folder, "c0ffee")
    assert convert.count == 0
