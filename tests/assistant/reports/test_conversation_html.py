"""A conversation as a file to hand on: whole, and harmless."""

from pathlib import Path

from assistant.history.conversations import ConversationStore
from assistant.history.sources import Source
from assistant.reports.conversation_html import render


def test_it_has_corrections_and_sources_and_runs_nothing(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "c.sqlite3")
    number = store.create("Prices & more")
    store.add_message(number, "user", "<script>alert(1)</script>\n![](http://elsewhere/x.png)")
    source = Source(title="Prices", text="A tune-up costs 49 euros.", source="prices.md")
    answer = store.add_message(number, "assistant", "45 euros.", memory="documents", sources=(source,))
    store.correct(answer.id, "49 euros.")
    page = render(store.get(number))
    assert "49 euros." in page and "prices.md" in page and "Prices &amp; more" in page
    assert "<script" not in page and "src=" not in page and "45 euros." not in page
