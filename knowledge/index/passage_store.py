"""The SQLite file of one knowledge base: its documents, its passages, and the places where each passage occurs.

It is the source of truth, which the vectors follow; a group of documents is written in one transaction.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import MEND, StoreError, database_problem
from knowledge.index.passage_tables import (
    FORMAT,
    PLACES,
    SCHEMA,
    bump_revision,
    drop_orphans,
    remove_places,
    write_document,
)
from knowledge.index.records import (
    DocumentInfo,
    Place,
    StoredDocument,
    StoredText,
    codes_of,
    document_of,
    place_of,
    text_of,
)
from knowledge.index.term_renewal import renew_terms
from knowledge.text.terms import TERMS_VERSION

# What a row raises that holds something else than was once written into it.
_DAMAGE = (AttributeError, LookupError, OverflowError, TypeError, ValueError, RecursionError)
_CHUNK = 500  # SQLite takes a limited number of parameters


class PassageStore:
    """One SQLite file; safe from several threads, and from several processes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        with self._translated_errors():
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            # One damaged text must not keep the others of a query out.
            self._db.text_factory = lambda data: data.decode("utf-8", "replace")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            if self._made_by_another_version():
                self._db.close()
                raise StoreError(
                    f"{path} was made by another version of Imprint: `imprint doctor --mend` rebuilds it from its "
                    "documents"
                )
            self._db.executescript(SCHEMA)
            if self._version() != FORMAT:  # writing it again would make every look at a file a change of it
                self._db.execute(f"PRAGMA user_version = {FORMAT}")
            self._db.execute("INSERT OR IGNORE INTO facts VALUES ('identity', ?)", (uuid.uuid4().hex[:12],))
            self._db.execute("INSERT OR IGNORE INTO facts VALUES ('revision', '0')")
        if self.fact("terms") != TERMS_VERSION:
            with self._writing() as db:
                renew_terms(db)
                db.execute("INSERT OR REPLACE INTO facts VALUES ('terms', ?)", (TERMS_VERSION,))

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeError) as error:
            raise StoreError(
                f"The knowledge base {self.path} cannot be read or written: {database_problem(error, self.path)}"
            ) from error
        except _DAMAGE as error:
            raise StoreError(f"The knowledge base {self.path} holds damaged rows. {MEND}") from error

    def _made_by_another_version(self) -> bool:
        tables = self._db.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        return bool(tables) and self._version() != FORMAT

    def _version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        with self._lock:
            self._db.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._translated_errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._translated_errors():
            return self._db.execute(query, values).fetchall()

    # values about the whole index

    def fact(self, name: str) -> str:
        """A named value about the whole index, empty when it was never set."""
        rows = self._rows("SELECT value FROM facts WHERE name = ?", (name,))
        return rows[0][0] if rows else ""

    def set_facts(self, **facts: str) -> None:
        """Set several values at once; the revision grows."""
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts.items())
            bump_revision(db)

    @property
    def revision(self) -> int:
        """Grows with every change of documents or passages, in whichever process."""
        with self._translated_errors():
            return int(self.fact("revision"))

    # documents

    def documents(self) -> list[DocumentInfo]:
        """Every document, by its path."""
        return self._documents("")

    def document(self, document_id: str) -> DocumentInfo | None:
        """One document by its id."""
        found = self._documents("WHERE d.id = ?", (document_id,))
        return found[0] if found else None

    def with_content(self, sha256: str) -> list[DocumentInfo]:
        """The documents made of exactly these bytes."""
        return self._documents("WHERE d.sha256 = ?", (sha256,))

    def _documents(self, where: str, values: Sequence[object] = ()) -> list[DocumentInfo]:
        rows = self._rows(
            "SELECT d.id, source, title, (SELECT COUNT(*) FROM places p WHERE p.document_id = d.id), bytes,"
            f" indexed, sha256, notes FROM documents d {where} ORDER BY source",
            values,
        )
        with self._translated_errors():
            return [document_of(row) for row in rows]

    def replace(self, documents: Sequence[StoredDocument]) -> list[str]:
        """Write documents with their passages in one transaction; returns the ids of passages now unused."""
        with self._writing() as db:
            dropped: set[str] = set()
            for document in documents:
                dropped |= remove_places(db, document.info.id)
                write_document(db, document)
            orphans = drop_orphans(db, dropped)
            bump_revision(db)
        return orphans

    def remove(self, document_ids: Iterable[str]) -> list[str]:
        """Remove documents; returns the ids of passages now unused."""
        with self._writing() as db:
            dropped: set[str] = set()
            for document_id in document_ids:
                dropped |= remove_places(db, document_id)
                db.execute("DELETE FROM documents WHERE id = ?", (document_id,))
                db.execute("DELETE FROM given WHERE document_id = ?", (document_id,))
            orphans = drop_orphans(db, dropped)
            bump_revision(db)
        return orphans

    def rename(self, old_id: str, info: DocumentInfo) -> None:
        """Give a document a new path; its passages stay as they are."""
        with self._writing() as db:
            db.execute(
                "UPDATE documents SET id = ?, source = ?, title = ? WHERE id = ?",
                (info.id, info.path, info.title, old_id),
            )
            db.execute("UPDATE places SET document_id = ? WHERE document_id = ?", (info.id, old_id))
            bump_revision(db)

    def keep_given(self, values: Mapping[str, str]) -> None:
        """Keep what was given with documents, by document id; earlier values are replaced."""
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO given VALUES (?, ?)", values.items())

    def given(self, document_ids: Sequence[str]) -> dict[str, str]:
        """What was given with documents that are indexed, by document id; the others are left out."""
        query = "SELECT g.document_id, value FROM given g JOIN documents d ON d.id = g.document_id"
        return dict(self._chunks(f"{query} WHERE g.document_id IN ({{}})", document_ids))

    # passages

    @property
    def size(self) -> int:
        """Bytes of all passages with their titles and headings, in UTF-8."""
        return int(self._rows("SELECT COALESCE(SUM(LENGTH(CAST(context AS BLOB))), 0) FROM passages")[0][0])

    @property
    def count(self) -> int:
        """How many passages; each text counts once."""
        return int(self._rows("SELECT COUNT(*) FROM passages")[0][0])

    def missing(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are not stored."""
        known = {row[0] for row in self._chunks("SELECT id FROM passages WHERE id IN ({})", ids)}
        return set(ids) - known

    def texts(self, ids: Sequence[str]) -> dict[str, StoredText]:
        """Passages by id; an unknown id is left out."""
        rows = self._chunks("SELECT id, text, context, terms FROM passages WHERE id IN ({})", ids)
        with self._translated_errors():
            return {
                row[0]: StoredText(row[0], text_of(row[1]), text_of(row[2]), codes_of(row[3])) for row in rows
            }

    def all_terms(self) -> tuple[list[str], list[np.ndarray]]:
        """Ids and term codes of every passage, in the same order."""
        rows = self._rows("SELECT id, terms FROM passages ORDER BY number")
        with self._translated_errors():
            return [row[0] for row in rows], [codes_of(row[1]) for row in rows]

    def parts(self, ids: Sequence[str]) -> dict[str, bytes]:
        """The quantized vectors of the passages' sentences, by passage id."""
        found = dict(self._chunks("SELECT id, parts FROM passages WHERE id IN ({})", ids))
        return {one: parts if isinstance(parts, bytes) else b"" for one, parts in found.items()}

    def set_parts(self, parts: dict[str, bytes]) -> None:
        """Replace the quantized vectors of the passages' sentences."""
        with self._writing() as db:
            db.executemany(
                "UPDATE passages SET parts = ? WHERE id = ?", [(new, one) for one, new in parts.items()]
            )

    def all_contexts(self, after: int = 0, limit: int = 1000) -> list[tuple[int, str, str, str]]:
        """A batch of (number, id, text, context); give its last number as `after` for the next one."""
        return self._rows(
            "SELECT number, id, text, context FROM passages WHERE number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )

    def passage_ids(self, document_ids: Sequence[str] | None = None) -> list[str]:
        """The passages of these documents, or of all."""
        if document_ids is None:
            return [row[0] for row in self._rows("SELECT id FROM passages ORDER BY number")]
        rows = self._chunks("SELECT DISTINCT passage_id FROM places WHERE document_id IN ({})", document_ids)
        return list(dict.fromkeys(row[0] for row in rows))

    def places(self, passage_ids: Sequence[str]) -> dict[str, list[Place]]:
        """The occurrences of each passage, in the order in which the documents were indexed."""
        found: dict[str, list[Place]] = {passage_id: [] for passage_id in passage_ids}
        rows = self._chunks(
            f"{PLACES} WHERE p.passage_id IN ({{}}) ORDER BY d.indexed, d.source, p.position", passage_ids
        )
        with self._translated_errors():
            for row in rows:
                found[row[0]].append(place_of(row))
        return found

    def places_of(self, document_id: str) -> list[Place]:
        """A document's passages in reading order."""
        rows = self._rows(f"{PLACES} WHERE p.document_id = ? ORDER BY p.position", (document_id,))
        with self._translated_errors():
            return [place_of(row) for row in rows]

    def _chunks(self, query: str, ids: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            yield from self._rows(query.format(",".join("?" * len(chunk))), chunk)

    # journal of vector writes

    def mark_pending(self, ids: Iterable[str]) -> None:
        """Note that the vectors of these passages are about to change."""
        with self._writing() as db:
            db.executemany("INSERT OR IGNORE INTO unsettled VALUES (?)", [(one,) for one in ids])

    def clear_pending(self, ids: Iterable[str]) -> None:
        """Note that the vectors of these passages agree with the table of passages again."""
        with self._writing() as db:
            db.executemany("DELETE FROM unsettled WHERE passage_id = ?", [(one,) for one in ids])

    def pending(self) -> list[str]:
        """Passages that were marked and never cleared: the process ended in between, their vectors must be checked."""
        return [row[0] for row in self._rows("SELECT passage_id FROM unsettled")]
