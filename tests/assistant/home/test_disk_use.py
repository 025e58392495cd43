"""How much room the parts of a home take."""

from pathlib import Path

from assistant.home.disk_use import disk_use


def test_each_part_counts_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "models" / "one").mkdir(parents=True)
    (tmp_path / "models" / "one" / "weights").write_bytes(b"x" * 300)
    (tmp_path / "conversations.sqlite3").write_bytes(b"x" * 20)
    (tmp_path / "stray").write_bytes(b"x" * 5)
    used = disk_use(tmp_path)
    assert (used.parts["models"], used.parts["conversations"], used.parts["other"]) == (300, 20, 5)
    assert used.taken == 325
    assert 0 < used.free <= used.total


def test_a_link_to_itself_ends(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "again").symlink_to(tmp_path / "models")
    assert disk_use(tmp_path).parts["models"] == 0
