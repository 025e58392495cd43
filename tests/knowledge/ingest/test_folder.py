"""A folder with everything in it: what is whole is read, what is not is refused."""

import random
from pathlib import Path

import pytest

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.ingest.chunking import split
from knowledge.ingest.document import find_files, read_document
from knowledge.readers import ocr
from knowledge.sandbox.client import Sandbox, SandboxLimits
from tests.knowledge.ingest.test_chunking import words
from tests.knowledge.readers.samples import hostile, whole

pytestmark = pytest.mark.slow

FACTS = ("640 grams", "六百四十克", "六百四十グラム")


def test_everything_at_once(tmp_path: Path) -> None:
    good, bad = whole(), hostile()
    for name, data in {**good, **bad}.items():
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "huge.txt").open("wb") as huge:
        huge.truncate(2 * 2**30)
    files = find_files([tmp_path])
    random.Random(0).shuffle(files)
    refused: dict[str, DocumentError] = {}
    with Sandbox(SandboxLimits(seconds=20)) as sandbox:
        for file in files:
            try:
                passages = split(read_document(file, sandbox=sandbox), words)
                assert any(fact in passage.text for passage in passages for fact in FACTS), file.name
            except DocumentError as error:
                refused[file.name] = error
                assert "was stopped" not in str(error), file.name
    expected = {*bad, "huge.txt"} - ({"scan.pdf"} if ocr.available() else set())
    assert set(refused) == expected
    assert isinstance(refused["encrypted.pdf"], PasswordNeededError)
    for name, error in refused.items():
        assert name in str(error) and len(str(error)) < 500
    assert {path.name for path in tmp_path.iterdir()} == {*good, *bad, "huge.txt"}
