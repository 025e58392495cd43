"""An index made when texts had other terms."""

import sqlite3
from pathlib import Path

from knowledge.index.passage_store import PassageStore
from knowledge.index.records import DocumentInfo, Place, StoredDocument, StoredText
from knowledge.text.sentences import context_sentence_spans
from knowledge.text.terms import passage_codes


def test_terms_of_an_older_index_are_counted_again(tmp_path: Path) -> None:
    text, path = "這座圖書館很大。它在 Łódź。", tmp_path / "a.sqlite3"
    codes = passage_codes(text, context_sentence_spans(text, text))
    info = DocumentInfo("d", "a.txt", "", 1, 9, 0.0, "0")
    place = Place("p", "d", 0, "a.txt", "", None, (), 0, len(text))
    store = PassageStore(path)
    store.replace([StoredDocument(info, (StoredText("p", text, text, codes),), (place,))])
    store.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE passages SET terms = ?", (codes[:1].tobytes(),))
        db.execute("DELETE FROM facts WHERE name = 'terms'")
    store = PassageStore(path)
    assert store.all_terms()[1][0].tolist() == codes.tolist()
    store.close()
