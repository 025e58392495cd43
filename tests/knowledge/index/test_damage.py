"""A damaged index, a full disk: one sentence that says what to do, and the texts are indexed again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.doctor.salvage import check_file
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.errors import KnowledgeError, StoreError
from knowledge.index.chroma import close_client, open_folder
from knowledge.index.passage_store import PassageStore
from tests.damage import damaged
from tests.knowledge.bases import agrees
from tests.unfinished import leave_unfinished

FAKE = DeterministicFakeEmbedding(size=16)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a few documents."""
    root = tmp_path_factory.mktemp("filled")
    for number in range(5):
        parts = [f"The lamp {number}.{part} weighs {part * 7} grams. " * 9 for part in range(20)]
        (root / f"{number}.txt").write_text("\n\n".join(parts), encoding="utf-8")
    with KnowledgeBase(root / "home", embeddings=FAKE) as base:
        base.add(sorted(root.glob("*.txt")))
    return root / "home"


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "home"))


def attempt(action: Callable[[], object]) -> object:
    """What an action returns; None where it is refused in words."""
    try:
        return action()
    except KnowledgeError as error:
        assert "Error" not in str(error)
        return None


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_damaged_only_known_errors_get_out(home: Path, seed: int) -> None:
    store = attempt(lambda: PassageStore(damaged(home / "knowledge" / "default.sqlite3", seed)))
    if not isinstance(store, PassageStore):
        return
    ids = attempt(store.passage_ids) or []
    documents = attempt(store.documents) or []
    for action in (store.texts, store.places, store.parts):
        attempt(lambda act=action: act(ids))  # type: ignore[misc]
    attempt(store.all_terms)
    attempt(store.all_contexts)
    attempt(lambda: store.revision)
    attempt(lambda: store.remove([info.id for info in documents][:1]))  # type: ignore[attr-defined]
    store.close()


@pytest.mark.parametrize("seed", range(8))
def test_a_search_in_a_damaged_index_finds_or_says_why(home: Path, seed: int) -> None:
    damaged(home / "knowledge" / "default.sqlite3", seed)
    base = attempt(lambda: KnowledgeBase(home, embeddings=FAKE))
    if isinstance(base, KnowledgeBase):
        attempt(lambda: base.search("lamp 3.4", min_relevance=0))
        attempt(lambda: [base.passages(info.id) for info in base.documents()])
        base.close()


def test_a_damaged_file_of_chroma_is_named_and_made_again_once_it_is_moved_away(home: Path) -> None:
    chroma = home / "knowledge" / "chroma"
    file = chroma / "chroma.sqlite3"
    file.write_bytes(file.read_bytes()[:5000] + bytes(20_000))
    for _ in range(2):  # the folder is not left locked
        with pytest.raises(
            StoreError, match=r"chroma.sqlite3 is damaged.* `imprint doctor --mend` .* move the folder away"
        ):
            KnowledgeBase(home, embeddings=FAKE)
    chroma.rename(chroma.with_name("damaged"))
    with KnowledgeBase(home, embeddings=FAKE) as base:
        assert agrees(base) and base.search("lamp 3.4", min_relevance=0)


def test_a_full_disk_loses_nothing_and_says_so(home: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.txt"
    new.write_text(
        "\n\n".join(f"The kettle {n} weighs {n} grams. " * 9 for n in range(200)), encoding="utf-8"
    )
    with KnowledgeBase(home, embeddings=FAKE) as base:
        before = base.documents()
        pages = base._store._rows("PRAGMA page_count")[0][0]
        base._store._rows(f"PRAGMA max_page_count = {pages + 10}")
        with pytest.raises(StoreError, match=r"the disk is full\. Free some space"):
            base.add([new])
        assert base.documents() == before
        base._store._rows("PRAGMA max_page_count = 100000")
        base.add([new])
        assert len(base.documents()) == len(before) + 1 and agrees(base)


def test_chroma_on_a_full_disk_is_not_taken_for_damaged(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "knowledge" / "chroma" / "chroma.sqlite3"
    file.write_bytes(file.read_bytes()[:5000] + bytes(20_000))
    monkeypatch.setattr("knowledge.errors.shutil.disk_usage", lambda path: SimpleNamespace(free=4096))
    with pytest.raises(StoreError, match=r"Chroma cannot open .*: the disk is full. Free some space"):
        open_folder(file.parent)


def test_a_closed_index_says_so_in_words(home: Path) -> None:
    base = KnowledgeBase(home, embeddings=FAKE)
    base.close()
    with pytest.raises(StoreError):
        base.documents()


def test_a_transaction_that_a_kill_left_unfinished_is_no_damage(tmp_path: Path) -> None:
    close_client(open_folder(tmp_path))
    leave_unfinished(tmp_path / "chroma.sqlite3")

    assert check_file(tmp_path / "chroma.sqlite3") == []
    leave_unfinished(tmp_path / "chroma.sqlite3")
    close_client(open_folder(tmp_path))
