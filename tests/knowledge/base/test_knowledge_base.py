"""The index: what goes in is found, what is unchanged costs nothing, what is gone is gone."""

import threading
from pathlib import Path

import pytest
from langchain_core.documents import Document

from knowledge.base.knowledge_base import KnowledgeBase, knowledge_bases
from knowledge.base.uploads import safe_name
from knowledge.errors import StoreError
from knowledge.index.embeddings import SentenceEmbeddings
from tests.knowledge.bases import add_upload, agrees, statuses

ROOT = Path(__file__).parents[3]  # where a process of a test finds the packages


def test_what_was_indexed_is_found_in_both_languages(base: KnowledgeBase, folder: Path) -> None:
    assert statuses(base.add([folder])) == {"kettle.md": "added", "library.txt": "added"}
    found = base.search("How heavy is the kettle?", k=1)[0].passage
    assert ("840 grams" in found.text, found.headings[-1], found.title) == (True, "Weight", "Zephyr kettle")
    assert "林小月" in base.search("图书馆的馆长是谁？", k=1)[0].passage.text
    assert agrees(base)


def test_the_same_text_in_two_files_is_stored_once_and_cited_for_both(
    base: KnowledgeBase, folder: Path
) -> None:
    text = "The lighthouse of Orrin was built of basalt in the year 1821 by the guild of masons. " * 4
    (folder / "one.txt").write_text(text, encoding="utf-8")
    (folder / "two.txt").write_text(text, encoding="utf-8")
    base.add([folder / "one.txt", folder / "two.txt"])
    assert base.count == 1
    hit = base.search("Who built the lighthouse of Orrin?")[0]
    sources = {Path(passage.source).name for passage in (hit.passage, *hit.also)}
    assert sources == {"one.txt", "two.txt"}
    base.remove(next(info.id for info in base.documents() if info.path.endswith("one.txt")))
    assert base.search("Who built the lighthouse of Orrin?")[0].passage.source.endswith("two.txt")
    assert agrees(base)


def test_an_upload_is_kept_under_the_home_and_leaves_with_its_document(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    report = add_upload(base, "../../etc/no\x00tes.md", b"# Notes\n\nThe mill of Tarn grinds on Tuesdays.\n")
    kept = Path(report.path)
    assert kept == tmp_path / "home" / "knowledge" / "files" / "default" / "notes.md"
    assert "Tuesdays" in base.search("When does the mill of Tarn grind?")[0].passage.text
    base.remove(report.document_id)
    assert not kept.exists() and base.count == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [("..", "document"), ("a/b\\c.txt", "c.txt"), (".bashrc", "bashrc"), ("图.md", "图.md")],
)
def test_a_name_is_made_safe(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_langchain_documents_go_in(base: KnowledgeBase) -> None:
    ids = base.add_documents(
        [
            Document("The ferry to Sorrel leaves at nine.", metadata={"source": "ferry.txt", "page": 3}),
            Document("Cats are not allowed aboard the ferry.", metadata={"source": "ferry.txt", "page": 4}),
        ]
    )
    assert len(ids) == 1 and base.documents()[0].path == "ferry.txt"
    hit = base.search("When does the ferry to Sorrel leave?")[0]
    assert hit.passage.page == 3


def test_knowledge_bases_do_not_mix(
    base: KnowledgeBase, folder: Path, tmp_path: Path, minilm: SentenceEmbeddings
) -> None:
    base.add([folder])
    with KnowledgeBase(tmp_path / "home", "other", minilm) as other:
        assert other.search("How heavy is the kettle?") == []
        assert knowledge_bases(tmp_path / "home") == ["default", "other"]


def test_search_can_be_limited_to_documents(base: KnowledgeBase, folder: Path) -> None:
    base.add([folder])
    library = next(info for info in base.documents() if info.path.endswith("library.txt"))
    hits = base.search("How heavy is the kettle?", documents=[library.id], min_relevance=0)
    assert {hit.passage.document_id for hit in hits} == {library.id}
    assert base.search("How heavy is the kettle?", documents=[library.path]) == []


def test_several_threads_may_search_while_one_writes(base: KnowledgeBase, folder: Path) -> None:
    base.add([folder])
    errors: list[Exception] = []
    done = threading.Event()

    def ask() -> None:
        try:
            while not done.is_set():
                assert base.search("How heavy is the kettle?", k=1)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(4):
        add_upload(base, f"{number}.txt", f"Mast {number} of the harbour is painted green.".encode())
    done.set()
    for thread in threads:
        thread.join()
    assert not errors and base.count == 7


def test_a_strange_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be called '\.\./x'"):
        KnowledgeBase(tmp_path, "../x")


def test_an_upload_that_cannot_be_written_leaves_nothing_and_keeps_the_one_before(
    base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = base.keep_upload("a.txt", b"old")

    def full(self: Path, data: bytes) -> int:
        self.touch()  # the file is there before its content
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        base.keep_upload("a.txt", b"new")
    assert [one.name for one in path.parent.iterdir()] == ["a.txt"]
    assert path.read_text() == "old"


def test_a_question_in_a_language_that_no_document_is_in_is_known_as_such(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    (tmp_path / "ferry.md").write_text("The ferry Lumme leaves at seven.", encoding="utf-8")
    base.add([tmp_path / "ferry.md"])
    assert base.is_foreign("渡轮几点出发？") and base.is_foreign("Когда отходит паром?")
    assert not base.is_foreign("When does the ferry leave?") and not base.is_foreign("7:40")
    (tmp_path / "渡轮.md").write_text("渡轮七点出发，每天两班。", encoding="utf-8")
    base.add([tmp_path / "渡轮.md"])
    assert not base.is_foreign("渡轮几点出发？") and base.is_foreign("Когда отходит паром?")


def test_a_question_in_another_language_of_the_same_script_is_known_as_such(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    text = "The ferry Lumme leaves at seven from pier two. Dogs travel free, and a ticket costs four crowns."
    (tmp_path / "ferry.md").write_text(text, encoding="utf-8")
    base.add([tmp_path / "ferry.md"])
    assert base.languages() == ("en",)
    assert base.is_foreign("Wann fährt die Fähre morgens ab?") and not base.is_foreign("Lumme timetable?")
    german = (
        "Die Fähre Lumme fährt um sieben Uhr vom zweiten Steg ab. Hunde reisen frei, eine Karte kostet wenig."
    )
    (tmp_path / "Fähre.md").write_text(german, encoding="utf-8")
    base.add([tmp_path / "Fähre.md"])
    assert set(base.languages()) == {"en", "de"}
    assert not base.is_foreign("Wann fährt die Fähre morgens ab?")
