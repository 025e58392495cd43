"""`imprint index` and `imprint search`."""

from pathlib import Path

import pytest

from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document, running
from tests.fakes import ScriptedEngine
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf

pytestmark = pytest.mark.slow


def test_index_and_search_as_json(run: Run, manual: Path) -> None:
    indexed = document(run("index", manual, "--json"))
    assert indexed["kb"] == "default"
    (entry,) = indexed["documents"]
    assert (Path(entry["path"]).name, entry["status"], entry["error"]) == ("manual.md", "added", "")
    assert entry["passages"] >= 1 and indexed["seconds"] > 0
    assert document(run("index", manual, "--json"))["documents"][0]["status"] == "unchanged"
    found = document(run("search", "夜莺的电池能用多久？", "-k", "1", "--json"))
    assert "九十五天" in found["passages"][0]["text"]
    assert {"source", "page", "score"} <= found["passages"][0].keys()


def test_search_and_ask_can_be_kept_to_one_document(run: Run, manual: Path) -> None:
    (manual.parent / "tern.md").write_text("# Tern\n\nThe Tern weighs 310 grams.\n", encoding="utf-8")
    run("index", manual.parent)
    question = "How much does the Skerrin weigh?"
    found = document(run("search", question, "--document", "tern.md", "--json"))["passages"]
    assert {Path(passage["source"]).name for passage in found} == {"tern.md"}
    answered = document(run("ask", question, "--document", manual.parent / "tern.md", "--json"))
    assert {Path(source["source"]).name for source in answered["sources"]} == {"tern.md"}
    assert answered["memory"] == "documents"
    refused = run("search", question, "--document", "gull.md")
    assert refused.exit_code == 1
    assert "no document 'gull.md'. There are: manual.md, tern.md." in refused.stderr


def test_a_broken_file_is_reported_and_the_others_are_indexed(run: Run, manual: Path) -> None:
    (manual.parent / "broken.pdf").write_bytes(b"%PDF-1.7 nothing more")
    indexed = document(run("index", manual.parent, "--json"), status=1)
    status = {Path(entry["path"]).name: entry for entry in indexed["documents"]}
    assert status["manual.md"]["status"] == "added"
    assert status["broken.pdf"]["status"] == "failed" and status["broken.pdf"]["error"]


def test_an_encrypted_file_asks_for_its_password_when_told_to(run: Run, tmp_path: Path) -> None:
    text = pdf(PdfPage().text(60, 60, "The vault of Orrin opens at noon."))
    (tmp_path / "vault.pdf").write_bytes(encrypted(text, "sesame"))
    refused = run("index", tmp_path / "vault.pdf")
    assert refused.exit_code == 1
    assert "it is encrypted: give its password" in refused.output and "--password" in refused.stderr
    (entry,) = document(run("index", tmp_path / "vault.pdf", "--json"), status=1)["documents"]
    assert entry["locked"]
    opened = run("index", tmp_path / "vault.pdf", "--password", "--json", given="sesame\n")
    assert document(opened)["documents"][0]["status"] == "added"
    assert "sesame" not in opened.output
    assert run("index", tmp_path / "vault.pdf", "--password").exit_code == 2


def test_a_url_is_indexed_where_the_settings_allow_its_address(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/manual.html"
    for allowed, reason in ((False, "is the private address 127.0.0.1"), (True, "cannot be fetched")):
        settings = Settings(home=tmp_path / str(allowed), allow_private_urls=allowed)
        with running(Workspace(settings, engine=ScriptedEngine(""))) as run:
            (entry,) = document(run("index", url, "--json"), status=1)["documents"]
            assert entry["path"] == url and reason in entry["error"]
