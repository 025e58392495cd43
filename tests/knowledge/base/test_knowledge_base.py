"""The index: what goes in is found, what is unchanged costs nothing, what is gone is gone."""

import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding

from knowledge.base.intake import DocumentReport, IndexProgress
from knowledge.base.knowledge_base import KnowledgeBase, knowledge_bases, safe_name
from knowledge.errors import EmbeddingChangedError, IndexBusyError, StoreError
from knowledge.index.embeddings import SentenceEmbeddings
from knowledge.ingest.fetch import WebLimits
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf
from tests.knowledge.uploads import add_upload

ROOT = Path(__file__).parents[3]  # where a process of a test finds the packages


def statuses(reports: list[DocumentReport]) -> dict[str, str]:
    return {Path(report.path).name: report.status for report in reports}


def agrees(base: KnowledgeBase) -> bool:
    """Whether Chroma and SQLite hold the same passages, and every document's passages are there."""
    ids = set(base._store.passage_ids())
    read = {passage.id for document in base.documents() for passage in base.passages(document.id)}
    return base._writer.vectors.ids() == ids == read and not base._store.pending()


def test_what_was_indexed_is_found_in_both_languages(base: KnowledgeBase, folder: Path) -> None:
    assert statuses(base.add([folder])) == {"kettle.md": "added", "library.txt": "added"}
    found = base.search("How heavy is the kettle?", k=1)[0].passage
    assert ("840 grams" in found.text, found.headings[-1], found.title) == (True, "Weight", "Zephyr kettle")
    assert "林小月" in base.search("图书馆的馆长是谁？", k=1)[0].passage.text
    assert agrees(base)


def test_indexing_twice_changes_and_embeds_nothing(
    base: KnowledgeBase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.add([folder])
    before = base.documents()
    monkeypatch.setattr(
        SentenceEmbeddings, "encode_passages", lambda *_: pytest.fail("an unchanged file was embedded")
    )
    monkeypatch.setattr(
        "knowledge.base.intake.read_document", lambda *_: pytest.fail("an unchanged file was read")
    )
    assert set(statuses(base.add([folder])).values()) == {"unchanged"}
    assert base.documents() == before


def test_a_changed_file_embeds_only_what_changed_and_forgets_the_rest(
    base: KnowledgeBase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.add([folder])
    embedded: list[str] = []
    encode = SentenceEmbeddings.encode_passages

    def spy(self: SentenceEmbeddings, texts: list[str], *rest: object) -> object:
        embedded.extend(texts)
        return encode(self, texts, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(SentenceEmbeddings, "encode_passages", spy)
    kettle = folder / "kettle.md"
    kettle.write_text(kettle.read_text("utf-8").replace("840", "910"), encoding="utf-8")
    assert statuses(base.add([folder])) == {"kettle.md": "updated", "library.txt": "unchanged"}
    assert len(embedded) == 1 and "910" in embedded[0]
    texts = [hit.passage.text for hit in base.search("How heavy is the kettle?", min_relevance=0)]
    assert any("910" in text for text in texts) and not any("840" in text for text in texts)
    assert agrees(base)


def test_a_vanished_file_disappears_when_its_folder_is_added_again(base: KnowledgeBase, folder: Path) -> None:
    base.add([folder])
    (folder / "library.txt").unlink()
    assert statuses(base.add([folder])) == {"kettle.md": "unchanged", "library.txt": "removed"}
    assert [Path(info.path).name for info in base.documents()] == ["kettle.md"]
    assert base.search("图书馆的馆长是谁？") == []
    assert agrees(base)


def test_a_renamed_file_keeps_its_passages(base: KnowledgeBase, folder: Path) -> None:
    base.add([folder])
    (folder / "library.txt").rename(folder / "books.txt")
    assert statuses(base.add([folder])) == {"kettle.md": "unchanged", "books.txt": "renamed"}
    assert base.search("图书馆的馆长是谁？")[0].passage.source.endswith("books.txt")
    assert len(base.documents()) == 2 and agrees(base)


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


def test_a_broken_file_is_reported_and_the_others_go_on(base: KnowledgeBase, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    reports = {Path(report.path).name: report for report in base.add([folder])}
    assert reports["broken.pdf"].status == "failed" and reports["broken.pdf"].error
    assert {reports["kettle.md"].status, reports["library.txt"].status} == {"added"}


def test_a_file_over_the_limit_is_refused_before_its_gigabytes_are_hashed(
    base: KnowledgeBase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (folder / "huge.txt").open("wb") as huge:
        huge.truncate(2 * 2**30)  # sparse: takes no room
    monkeypatch.setattr("knowledge.base.intake._sha256", lambda path: pytest.fail("it was hashed"))
    (report,) = base.add([folder / "huge.txt"])
    assert report.status == "failed" and "over the limit" in report.error


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


def test_progress_is_told_and_cancelling_keeps_what_was_written(base: KnowledgeBase, folder: Path) -> None:
    told: list[IndexProgress] = []
    seen: list[tuple[str, int, int]] = []
    base.add(
        [folder],
        watch=told.append,
        progress=lambda report, done, total: seen.append((report.status, done, total)),
    )
    assert seen == [("added", 1, 2), ("added", 2, 2)]
    assert {step.phase for step in told} == {"reading", "embedding"}
    assert all(0 <= step.share <= 1 for step in told)
    (folder / "third.txt").write_text("A third file about turnips.", encoding="utf-8")
    reports = base.add([folder], should_stop=lambda: True)
    assert reports == [] and len(base.documents()) == 2 and agrees(base)


def test_another_embedding_model_asks_for_a_rebuild_and_the_rebuild_does_it(
    base: KnowledgeBase, folder: Path, tmp_path: Path
) -> None:
    base.add([folder])
    before = base._writer.vectors.name
    with KnowledgeBase(tmp_path / "home", embeddings=DeterministicFakeEmbedding(size=16)) as other:
        with pytest.raises(
            EmbeddingChangedError, match="indexed with the embedding model 'all-minilm-l6-v2'"
        ):
            other.search("kettle")
        with pytest.raises(EmbeddingChangedError, match="rebuild"):
            other.add([folder])
        other.rebuild()
        assert "840" in other.search("Zephyr weight 840 grams", min_relevance=0)[0].passage.text
        assert other._writer.vectors.name != before and agrees(other)


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


HOLDER = """
import sys, time
from pathlib import Path
from langchain_core.embeddings import DeterministicFakeEmbedding
from knowledge.base.knowledge_base import KnowledgeBase
base = KnowledgeBase(Path(sys.argv[1]), embeddings=DeterministicFakeEmbedding(size=8))
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "open\n"
        with pytest.raises(IndexBusyError, match=rf"pid {holder.pid}"):
            KnowledgeBase(tmp_path)
        holder.kill()
    KnowledgeBase(tmp_path).close()


def test_a_strange_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot be called '\.\./x'"):
        KnowledgeBase(tmp_path, "../x")


WRITER = """
import sys
from pathlib import Path
from langchain_core.embeddings import DeterministicFakeEmbedding
import knowledge.base.intake
from knowledge.base.knowledge_base import KnowledgeBase
from tests.knowledge.uploads import add_upload
knowledge.base.intake.GROUP_PASSAGES = 2
base = KnowledgeBase(Path(sys.argv[1]), embeddings=DeterministicFakeEmbedding(size=8))
print("open", flush=True)
while True:
    for length in (40, 3, 17):
        for number in range(6):
            text = "".join(f"# Part {at}\\n\\nLine {at} of {number}, {length}.\\n\\n" for at in range(length))
            add_upload(base, f"{number}.md", text.encode())
"""


@pytest.mark.parametrize("delay", [0.05, 0.4, 1.1])
def test_killed_at_any_moment_the_index_is_whole_when_opened_again(tmp_path: Path, delay: float) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout and writer.stdout.readline() == "open\n"
        threading.Event().wait(delay)
        writer.kill()
    with KnowledgeBase(tmp_path, embeddings=DeterministicFakeEmbedding(size=8)) as base:
        assert agrees(base)
        add_upload(base, "0.md", b"# Part 0\n\nAll is well again.\n")
        assert any(
            "well again" in hit.passage.text for hit in base.search("All is well again", min_relevance=0)
        )
        assert agrees(base)


def test_a_lost_vector_folder_is_filled_again(tmp_path: Path) -> None:
    fake = DeterministicFakeEmbedding(size=8)
    with KnowledgeBase(tmp_path, embeddings=fake) as base:
        add_upload(base, "a.txt", b"Beetroot soup is served cold.")
        base._writer.vectors.delete(list(base._writer.vectors.ids()))
    with KnowledgeBase(tmp_path, embeddings=fake) as base:
        assert agrees(base) and base._writer.vectors.count == 1


PAGES = {
    "/lamp": b"<title>Lamp</title><p>The Tolva lamp burns for ninety hours.</p>",
    "/home": b"<p>Home.</p>",
}


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path not in PAGES:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGES[self.path])

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_address_is_a_document_like_a_file(
    base: KnowledgeBase, folder: Path, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.web = WebLimits(allow_private=True)
    reports = base.add([f"{site}/lamp", folder, f"{site}/gone"])
    assert {report.path: report.status for report in reports} == {
        f"{site}/lamp": "added",
        f"{site}/gone": "failed",
        **{str(path): "added" for path in folder.iterdir()},
    }
    assert base.search("How long does the Tolva lamp burn?")[0].passage.source == f"{site}/lamp"
    assert [report.status for report in base.add([f"{site}/lamp"])] == ["unchanged"]
    monkeypatch.setitem(PAGES, "/lamp", PAGES["/lamp"].replace(b"ninety", b"eighty"))
    assert [report.status for report in base.add([f"{site}/lamp"])] == ["updated"]
    assert "eighty" in base.search("How long does the Tolva lamp burn?")[0].passage.text
    (folder / "copy.html").write_bytes(PAGES["/lamp"])  # the same bytes as the page: no move of it
    assert statuses(base.add([folder]))["copy.html"] == "added"
    assert agrees(base) and len(base.documents()) == 4


def test_a_private_address_is_refused_unless_it_is_allowed(base: KnowledgeBase, site: str) -> None:
    (report,) = base.add([f"{site}/lamp"])
    assert report.status == "failed" and "is the private address 127.0.0.1" in report.error
    assert base.documents() == []


def test_an_encrypted_file_says_so_and_opens_with_its_password(
    base: KnowledgeBase, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    text = pdf(PdfPage().text(60, 60, "The vault of Orrin opens at noon."))
    (folder / "vault.pdf").write_bytes(encrypted(text, "sesame"))
    report = next(one for one in base.add([folder]) if one.path.endswith("vault.pdf"))
    assert (report.status, report.locked) == ("failed", True) and "give its password" in report.error
    (wrong,) = base.add([folder / "vault.pdf"], password="guess")
    assert wrong.locked and "does not open it" in wrong.error
    assert [one.status for one in base.add([folder / "vault.pdf"], password="sesame")] == ["added"]
    assert "noon" in base.search("When does the vault of Orrin open?")[0].passage.text
    kept = b"".join(path.read_bytes() for path in base.folder.rglob("*") if path.is_file())
    assert b"sesame" not in kept and "sesame" not in caplog.text
