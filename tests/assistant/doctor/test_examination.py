"""What is damaged is found, said in one sentence and mended; nothing that can be read is lost."""

import json
import os
import random
import shutil
import sqlite3
import stat
import time
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.cli.main import imprint
from assistant.doctor import salvage
from assistant.doctor.examination import examine, examine_alone
from assistant.doctor.findings import Finding
from assistant.errors import AssistantError
from assistant.history.conversations import ConversationStore
from assistant.home.use import only_app
from assistant.workspace import Workspace
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import KnowledgeError
from tests.knowledge.bases import add_upload, agrees
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry

pytestmark = pytest.mark.slow

FAKE = DeterministicFakeEmbedding(size=8)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("IMPRINT_HOME", str(home))
    # The property is a descriptor of the class; what it would open takes seconds and is not looked at here.
    monkeypatch.setattr(Workspace, "embeddings", FAKE)
    monkeypatch.setattr(Workspace, "close", lambda self: self._bases.close())
    home.mkdir(mode=0o700)
    (home / "models" / "smollm2-135m-instruct").mkdir(parents=True)
    (home / "models" / "smollm2-135m-instruct" / "imprint.json").write_text('{"name": "x"}')
    return home


def state(home: Path, *, mend: bool = False) -> dict[tuple[str, str], Finding]:
    """What is not in order, by part and name."""
    found = examine_alone(home, lambda _: True) if mend else examine(home)
    return {(one.part, one.name): one for one in found if one.status != "ok"}


def conversations(home: Path, count: int = 60) -> Path:
    store = ConversationStore(home / "conversations.sqlite3")
    for number in range(count):
        one = store.create(f"Conversation {number}")
        question = store.add_message(one, "user", f"Question {number}? " + "word " * 60)
        store.add_message(one, "assistant", f"Answer {number}. " + "word " * 60, parent_id=question.id)
    store.close()
    path = home / "conversations.sqlite3"
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


def overwrite(path: Path, seed: int, count: int = 40, first: int = 4096 * 3) -> None:
    """Random bytes at random places behind the schema."""
    data, dice = bytearray(path.read_bytes()), random.Random(seed)
    for _ in range(count):
        data[dice.randrange(first, len(data))] = dice.randrange(256)
    path.write_bytes(data)


def read_all(home: Path) -> list[str]:
    """The texts of all messages, as a page would read them."""
    store = ConversationStore(home / "conversations.sqlite3")
    texts = [m.content for info in store.list() for m in store.get(info.id).messages]
    store.close()
    return texts


def test_a_whole_home_is_healthy(home: Path) -> None:
    conversations(home, 2)
    with KnowledgeBase(home, embeddings=FAKE) as base:
        add_upload(base, "tern.txt", b"The Tern weighs 310 grams.")
    Registry(home).save(Manifest("halden", "lora", "base", "0" * 64), _weights)
    assert state(home) == {}


def _weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").write_bytes(b"weights")


@pytest.mark.parametrize("seed", range(6))
def test_conversations_are_read_out_of_a_damaged_file(home: Path, seed: int) -> None:
    path = conversations(home)
    overwrite(path, seed)
    before = path.read_bytes()
    found = state(home)[("conversations", path.name)]
    assert found.status == "damaged" and found.mend is not None and "\n" not in found.message
    assert path.read_bytes() == before
    mended = state(home, mend=True)[("conversations", path.name)]
    assert mended.status == "mended" and "the damaged one is" in mended.message
    (kept,) = home.glob("damaged-*/conversations.sqlite3")
    assert kept.read_bytes() == before
    texts = read_all(home)
    assert sum(text.endswith("word word ") for text in texts) >= 100  # of 120
    assert ("conversations", path.name) not in state(home)


def test_a_damaged_file_is_one_sentence_wherever_it_is_read(home: Path) -> None:
    whole = conversations(home).read_bytes()
    said = set()
    for seed in range(25):
        (home / "conversations.sqlite3").write_bytes(whole)
        overwrite(home / "conversations.sqlite3", seed, 60, 100)
        try:
            read_all(home)
        except AssistantError as error:
            said.add("imprint doctor --mend" in str(error))
    assert said == {True}


def test_nothing_left_to_read_names_the_copies(home: Path) -> None:
    path = conversations(home, 2)
    path.write_bytes(b"\xff" * 20_000)
    found = state(home, mend=True)[("conversations", path.name)]
    assert found.status == "damaged" and "imprint restore FILE" in found.message
    assert path.read_bytes() == b"\xff" * 20_000


def test_a_database_without_tables_is_damaged_and_an_empty_file_is_new(home: Path) -> None:
    path = home / "conversations.sqlite3"
    path.touch(0o600)
    assert state(home) == {}
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE another (x)")
    database.close()
    assert state(home)[("conversations", path.name)].status == "damaged"
    assert (
        state(home, mend=True)[("conversations", path.name)].status == "damaged"
    )  # there is nothing to read


def indexed(home: Path, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for number in range(30):
        (folder / f"{number}.txt").write_text(f"Report {number}: the code is {number * 7}. " + "Text. " * 300)
    with KnowledgeBase(home, embeddings=FAKE) as base:
        base.add([folder])
    path = home / "knowledge" / "default.sqlite3"
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.mark.parametrize("damage", [0, 1, 2, "another version", "gone"])
def test_a_catalogue_is_rebuilt_from_its_documents(home: Path, tmp_path: Path, damage: int | str) -> None:
    path = indexed(home, tmp_path / "docs")
    if damage == "another version":
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 99")
        database.close()
    elif damage == "gone":
        database = sqlite3.connect(path)
        database.execute("DELETE FROM passages WHERE number % 3 = 0")
        database.commit()
        database.close()
    else:
        overwrite(path, int(damage))
    assert state(home)[("knowledge base", "default")].status == "damaged"
    mended = state(home, mend=True)[("knowledge base", "default")]
    assert mended.status == "mended" and "30 documents were read again" in mended.message
    with KnowledgeBase(home, embeddings=FAKE) as base:
        assert len(base.documents()) == 30 and agrees(base)
    assert list(home.glob("damaged-*/default.sqlite3")) and state(home).keys() <= {
        ("put aside", _aside(home))
    }


def test_a_catalogue_of_which_nothing_is_left_says_that_the_documents_are_to_be_given_again(
    home: Path, tmp_path: Path
) -> None:
    path = indexed(home, tmp_path / "docs")
    os.truncate(path, 5000)
    mended = state(home, mend=True)[("knowledge base", "default")]
    assert mended.status == "mended" and "index them again; the damaged catalogue is" in mended.message


def _aside(home: Path) -> str:
    return next(home.glob("damaged-*")).name


def test_a_damaged_catalogue_is_one_sentence_wherever_it_is_read(home: Path, tmp_path: Path) -> None:
    path = indexed(home, tmp_path / "docs")
    whole, said = path.read_bytes(), set()
    for seed in range(15):
        path.write_bytes(whole)
        overwrite(path, seed, 100, 100)
        try:
            with KnowledgeBase(home, embeddings=FAKE) as base:
                for document in base.documents():
                    base.passages(document.id)
                base.search("code of report 3", min_relevance=0)
        except KnowledgeError as error:
            said.add("imprint doctor --mend" in str(error))
    assert said == {True}


@pytest.mark.parametrize("damage", ["zeros", "a name that is no UTF-8", "random", "an index file"])
def test_damaged_vectors_are_computed_again(home: Path, tmp_path: Path, damage: str) -> None:
    indexed(home, tmp_path / "docs")
    chroma = home / "knowledge" / "chroma"
    database = chroma / "chroma.sqlite3"
    if damage == "zeros":
        database.write_bytes(b"\0" * 5000)
    elif damage == "a name that is no UTF-8":
        database.write_bytes(
            database.read_bytes().replace(b"CREATE TABLE collections", b"CREATE TABLE c\xd0\xd0lections")
        )
    elif damage == "random":
        overwrite(database, 3, 200, 8000)
    else:
        for file in chroma.glob("*/*.bin"):
            file.write_bytes(b"\xff" * file.stat().st_size)
    if damage in ("zeros", "a name that is no UTF-8"):
        with pytest.raises(KnowledgeError, match=r"imprint doctor --mend"):
            KnowledgeBase(home, embeddings=FAKE)
    found = state(home)
    if found:  # Chroma rebuilds what it can by itself
        assert found[("vectors", "chroma")].status == "damaged"
        assert state(home, mend=True)[("vectors", "chroma")].status == "mended"
        assert list(home.glob("damaged-*/chroma/chroma.sqlite3"))
    with KnowledgeBase(home, embeddings=FAKE) as base:
        assert agrees(base)


def test_checkpoints_jobs_settings_and_presets_are_put_aside_or_mended(home: Path) -> None:
    registry = Registry(home)
    for name in ("whole", "short", "changed"):
        registry.save(Manifest(name, "lora", "base", "0" * 64), _weights)
    (registry.folder / "short" / "adapter_model.safetensors").write_bytes(b"w")
    manifest = registry.folder / "changed" / "imprint.json"
    record = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**record, "sha256": {"adapter_model.safetensors": "0" * 64}}))
    (home / "jobs" / "20260101-000000-000000-aaaa").mkdir(parents=True)
    (home / "settings.json").write_text('{"port": "many", "passages": 7, "own": 1}')
    (home / "prompts.json").write_text("[{")
    model = home / "models" / "smollm2-135m-instruct"
    (model / "model.safetensors").write_bytes((9).to_bytes(8, "little") + b'{"a": {}}')
    damaged = {key for key, one in state(home).items() if one.status == "damaged"}
    assert damaged == {
        ("checkpoint", "short"),
        ("checkpoint", "changed"),
        ("job", "20260101-000000-000000-aaaa"),
        ("settings", "settings.json"),
        ("file", "prompts.json"),
        ("model", "smollm2-135m-instruct"),
    }
    found = state(home, mend=True)
    assert {found[key].status for key in damaged} == {"mended"}
    assert json.loads((home / "settings.json").read_text()) == {"passages": 7, "own": 1}
    assert [checkpoint.name for checkpoint in registry.list()] == ["whole"]
    assert {path.name for path in home.glob("damaged-*/*")} == {
        *("short", "changed", "20260101-000000-000000-aaaa", "settings.json", "prompts.json"),
        "smollm2-135m-instruct",
    }


def test_a_changed_byte_of_a_converted_model_is_found(home: Path) -> None:
    model = home / "models" / "smollm2-135m-instruct"
    about = {"sha256": "c0ffee", "files": {"tokenizer.json": {"sha256": sha256(b"{}").hexdigest()}}}
    (model / "imprint.json").write_text(json.dumps(about))
    (model / "tokenizer.json").write_text("{}")
    assert state(home) == {}
    (model / "tokenizer.json").write_text("[]")
    assert state(home)[("model", model.name)].status == "damaged"


def test_modes_and_leftovers_are_mended(home: Path) -> None:
    leftover = home / "checkpoints" / ".new-1-abc"
    leftover.mkdir(parents=True)
    an_hour_ago = time.time() - 4000
    os.utime(leftover, (an_hour_ago, an_hour_ago))
    young = home / "checkpoints" / ".new-2-abc"
    young.mkdir()
    home.chmod(0o755)
    found = state(home)
    assert found[("leftover", ".new-1-abc")].status == "note"
    assert os.name == "nt" or found[("modes", "home")].status == "damaged"
    state(home, mend=True)
    assert not leftover.exists() and young.exists()
    assert os.name == "nt" or stat.S_IMODE(home.stat().st_mode) == 0o700


def test_nothing_is_called_damaged_because_the_disk_is_full(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = conversations(home, 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    (found,) = state(home, mend=True).values()
    assert found.part == "space" and "Nothing else was examined" in found.message
    monkeypatch.undo()
    monkeypatch.setenv("IMPRINT_HOME", str(home))
    lock = sqlite3.connect(path)
    lock.execute("PRAGMA locking_mode = EXCLUSIVE")
    lock.execute("PRAGMA journal_mode = DELETE")
    lock.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr(salvage, "TIMEOUT_SECONDS", 0.1)
    found = state(home)[("file", "home")]
    lock.close()
    assert "cannot be examined (database is locked)" in found.message and found.mend is None


def test_it_mends_nothing_while_the_app_runs(home: Path) -> None:
    (home / "prompts.json").write_text("[{")
    with only_app(home, "http://127.0.0.1:8501"):
        refused = CliRunner().invoke(imprint, ["doctor", "--mend"])
        examined = CliRunner().invoke(imprint, ["doctor", "--json"])
    assert refused.exit_code == 1 and "in use by the app at http://127.0.0.1:8501" in refused.stderr
    assert examined.exit_code == 1
    report = json.loads(examined.stdout)
    assert not report["healthy"]
    assert [one["name"] for one in report["findings"] if one["status"] == "damaged"] == ["prompts.json"]
    mended = CliRunner().invoke(imprint, ["doctor", "--mend", "--json"])
    assert mended.exit_code == 0 and json.loads(mended.stdout)["healthy"]
