"""The word index of passages that were written when a text got other terms: counted again from the stored text."""

import sqlite3

from knowledge.text.sentences import context_sentence_spans
from knowledge.text.terms import passage_codes

_CHUNK = 1_000


def renew_terms(db: sqlite3.Connection) -> None:
    """Count the terms of every passage again, within the caller's transaction. Vectors stay as they are."""
    last = 0
    while rows := db.execute(
        "SELECT number, text, context FROM passages WHERE number > ? ORDER BY number LIMIT ?", (last, _CHUNK)
    ).fetchall():
        last = rows[-1][0]
        codes = (
            (passage_codes(context, context_sentence_spans(text, context)).tobytes(), number)
            for number, text, context in rows
            if isinstance(text, str) and isinstance(context, str)  # a damaged row is said where it is read
        )
        db.executemany("UPDATE passages SET terms = ? WHERE number = ?", codes)
