"""Adding files and addresses: what is unchanged costs nothing, what is gone is removed, failures are reported."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.reports import IndexProgress
from knowledge.index.embeddings import SentenceEmbeddings
from knowledge.ingest.fetch import WebLimits
from tests.knowledge.bases import agrees, statuses
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf


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


def test_progress_is_reported_and_stopping_keeps_what_was_written(base: KnowledgeBase, folder: Path) -> None:
    steps: list[IndexProgress] = []
    seen: list[tuple[str, int, int]] = []
    base.add(
        [folder],
        watch=steps.append,
        progress=lambda report, done, total: seen.append((report.status, done, total)),
    )
    assert seen == [("added", 1, 2), ("added", 2, 2)]
    assert {step.phase for step in steps} == {"reading", "embedding"}
    assert all(0 <= step.share <= 1 for step in steps)
    (folder / "third.txt").write_text("A third file about turnips.", encoding="utf-8")
    reports = base.add([folder], should_stop=lambda: True)
    assert reports == [] and len(base.documents()) == 2 and agrees(base)


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


def test_a_page_that_keeps_one_waiting_keeps_nobody_else(base: KnowledgeBase, folder: Path) -> None:
    asked, released = threading.Event(), threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            released.wait()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"The lantern weighs 3 kg.")

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    base.web = WebLimits(seconds=120, allow_private=True)
    url = f"http://127.0.0.1:{server.server_port}/"
    slow = threading.Thread(target=base.add, args=([url],))
    slow.start()
    try:
        assert asked.wait(60)
        other = threading.Thread(target=base.add, args=([folder],))
        other.start()
        other.join(60)
        assert not other.is_alive() and slow.is_alive()
        assert base.search("How heavy is the kettle?", min_relevance=0)
    finally:
        released.set()
        slow.join()
        server.shutdown()
        server.server_close()
    assert len(base.documents()) == 3 and agrees(base)
