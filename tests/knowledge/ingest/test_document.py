"""Files of every kind → documents with title, headings, pages and spans."""

import os
from pathlib import Path

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import find_files, read_bytes, read_document


def test_an_empty_file_is_refused_by_name() -> None:
    with pytest.raises(DocumentError, match=r"void\.txt: the file is empty"):
        read_bytes("void.txt", b"")


def test_a_two_gigabyte_text_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(DocumentError, match=r"huge\.txt: 2,048 MiB is over the limit of 200 MiB"):
        read_document(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_pipes_devices_folders_and_missing_files_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "folder.txt").mkdir()
    (tmp_path / "loop.txt").symlink_to(tmp_path / "loop.txt")
    for name, reason in (
        ("pipe.txt", "is not an ordinary file"),
        ("folder.txt", "is a folder"),
        ("none.txt", "no such file"),
        ("loop.txt", "no such file|cannot be opened"),
    ):
        with pytest.raises(DocumentError, match=reason):
            read_document(tmp_path / name)
    with pytest.raises(DocumentError, match="is not an ordinary file"):
        read_document("/dev/zero")


def test_a_folder_is_walked_without_following_links_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "in" / "b.txt").write_text("b")
    (tmp_path / "in" / "deep" / "a.md").write_text("a")
    (tmp_path / "in" / ".hidden.txt").write_text("h")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    found = find_files([tmp_path / "in", tmp_path / "in" / "b.txt", tmp_path / "gone.txt"])
    assert [path.name for path in found] == ["b.txt", "a.md", "gone.txt"]
