"""Files are written whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from assistant.errors import PresetError
from assistant.storage import write_json, write_whole


def test_text_and_bytes_are_written_with_the_folders_they_need(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    assert write_whole(path, "夜莺\n") == path and path.read_text(encoding="utf-8") == "夜莺\n"
    write_whole(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert [one.name for one in path.parent.iterdir()] == ["file.txt"]


def test_a_name_as_long_as_the_file_system_takes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    assert write_whole(path, "x").read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize("step", ["os.fsync", "pathlib.Path.replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = write_whole(tmp_path / "presets.json", "old")
    monkeypatch.setattr(step, full)
    with pytest.raises(PresetError, match=r"presets\.json cannot be written: No space left on device"):
        write_json(path, ["new"], PresetError)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_readable_by_its_owner_alone_and_other_files_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_json(tmp_path / "a.json", {}, PresetError)
        write_whole(tmp_path / "a.html", "")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"a.json": 0o600, "a.html": 0o644}
