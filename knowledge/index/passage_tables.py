"""The tables of a passage store, and what is written into them inside a transaction that the store has begun."""

import json
import sqlite3
import time

from knowledge.index.records import StoredDocument

SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, source TEXT NOT NULL UNIQUE, title TEXT NOT NULL, sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL, indexed REAL NOT NULL, notes TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX IF NOT EXISTS documents_by_content ON documents (sha256);
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, text TEXT NOT NULL, context TEXT NOT NULL,
    terms BLOB NOT NULL, parts BLOB NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS places (
    document_id TEXT NOT NULL, position INTEGER NOT NULL, passage_id TEXT NOT NULL, title TEXT NOT NULL,
    page INTEGER, headings TEXT NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY (document_id, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_by_passage ON places (passage_id);
-- LangChain documents that were given whole: their id, text and metadata, as JSON.
CREATE TABLE IF NOT EXISTS given (document_id TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Ids whose vectors may be missing or left over: written before a change of the vectors, cleared after it.
CREATE TABLE IF NOT EXISTS unsettled (passage_id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
FORMAT = 2  # version of the tables above
PLACES = (
    "SELECT p.passage_id, p.document_id, p.position, d.source, p.title, p.page, p.headings, p.start, p.end"
    " FROM places p JOIN documents d ON d.id = p.document_id"
)


def bump_revision(db: sqlite3.Connection) -> None:
    """Count a change of documents or passages."""
    db.execute("UPDATE facts SET value = CAST(value AS INTEGER) + 1 WHERE name = 'revision'")


def remove_places(db: sqlite3.Connection, document_id: str) -> set[str]:
    """Forget where a document's passages occur; returns their ids."""
    rows = db.execute("SELECT passage_id FROM places WHERE document_id = ?", (document_id,)).fetchall()
    db.execute("DELETE FROM places WHERE document_id = ?", (document_id,))
    return {row[0] for row in rows}


def drop_orphans(db: sqlite3.Connection, candidates: set[str]) -> list[str]:
    """Delete those passages that no document contains any more, and mark their vectors as pending."""
    orphans = [
        one
        for one in candidates
        if not db.execute("SELECT 1 FROM places WHERE passage_id = ? LIMIT 1", (one,)).fetchone()
    ]
    db.executemany("DELETE FROM passages WHERE id = ?", [(one,) for one in orphans])
    db.executemany("INSERT OR IGNORE INTO unsettled VALUES (?)", [(one,) for one in orphans])
    return orphans


def write_document(db: sqlite3.Connection, document: StoredDocument) -> None:
    """Insert a document with its passages and their places."""
    info = document.info
    db.execute(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            info.id,
            info.path,
            info.title,
            info.sha256,
            info.bytes,
            info.indexed or time.time(),
            json.dumps(info.notes, ensure_ascii=False),
        ),
    )
    db.executemany(
        "INSERT OR IGNORE INTO passages (id, text, context, terms, parts) VALUES (?, ?, ?, ?, ?)",
        [(text.id, text.text, text.context, text.terms.tobytes(), text.parts) for text in document.texts],
    )
    db.executemany(
        "INSERT INTO places VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                info.id,
                place.position,
                place.passage_id,
                place.title,
                place.page,
                json.dumps(place.headings, ensure_ascii=False),
                place.start,
                place.end,
            )
            for place in document.places
        ],
    )
