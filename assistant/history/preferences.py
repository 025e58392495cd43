"""Preferences between two answers and judgements of one: their tables, and a JSONL file of pairs to train from."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.errors import ConversationError
from assistant.history.database import Database, inserted_id
from assistant.history.message_rows import DAMAGE
from assistant.history.migrations import MIGRATIONS
from assistant.history.records import NewJudgement, NewPreference, StoredJudgement, StoredPreference
from knowledge.errors import MEND
from tuning.data.examples import Message
from tuning.data.storable import storable

Judgements = Sequence[StoredJudgement]


class PreferenceStore:
    """The preferences of a conversations file; several threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, MIGRATIONS)

    def add(self, preference: NewPreference) -> int:
        """Store a preference; returns its id."""
        with self._database.write() as database:
            return insert_preference(database, preference)

    def add_imported(self, pairs: Iterable[NewPreference], judgements: Iterable[NewJudgement]) -> int:
        """Store what a file holds, all of it or nothing. Returns how many rows are new; the same is kept once."""
        with self._database.write() as database:
            before = database.total_changes
            for pair in pairs:
                if not _is_known(database, pair):
                    insert_preference(database, pair)
            for judgement in judgements:
                _insert_judgement(database, judgement)
            return database.total_changes - before

    def list(self) -> Sequence[StoredPreference]:
        """All preferences, oldest first."""
        try:
            return [
                StoredPreference.from_row(row)
                for row in self._database.read("SELECT * FROM preferences ORDER BY id")
            ]
        except DAMAGE as error:
            raise ConversationError(f"The votes between answers are damaged. {MEND}") from error

    def judgements(self) -> Judgements:
        """All imported judgements of single answers, oldest first."""
        try:
            rows = self._database.read("SELECT * FROM judgements ORDER BY id")
            return [StoredJudgement.from_row(row) for row in rows]
        except DAMAGE as error:
            raise ConversationError(f"The judgements of answers are damaged. {MEND}") from error

    def close(self) -> None:
        """Close the connections of every thread."""
        self._database.close()


def insert_preference(database: sqlite3.Connection, preference: NewPreference) -> int:
    """Store a preference as part of a transaction; returns its id."""
    cursor = database.execute(
        "INSERT INTO preferences"
        " (prompt, chosen, rejected, chosen_arm, rejected_arm, ballot_id, source, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            _prompt(preference.prompt),
            storable(preference.chosen),
            storable(preference.rejected),
            preference.chosen_arm,
            preference.rejected_arm,
            preference.ballot_id,
            storable(preference.source),
            preference.created,
        ),
    )
    return inserted_id(cursor)


def _is_known(database: sqlite3.Connection, preference: NewPreference) -> bool:
    found = database.execute(
        "SELECT 1 FROM preferences WHERE prompt = ? AND chosen = ? AND rejected = ?",
        (_prompt(preference.prompt), storable(preference.chosen), storable(preference.rejected)),
    )
    return found.fetchone() is not None


def _insert_judgement(database: sqlite3.Connection, judgement: NewJudgement) -> None:
    values = (_prompt(judgement.prompt), storable(judgement.completion), int(judgement.good))
    database.execute(
        "INSERT INTO judgements (prompt, completion, good, source, created) SELECT ?, ?, ?, ?, ?"
        " WHERE NOT EXISTS (SELECT 1 FROM judgements WHERE (prompt, completion, good) = (?, ?, ?))",
        (*values, storable(judgement.source), judgement.created, *values),
    )


def _prompt(messages: Sequence[Message]) -> str:
    return storable(json.dumps(list(messages), ensure_ascii=False))


def to_jsonl(preferences: Iterable[StoredPreference], arms: Iterable[str] | None = None) -> str:
    """TRL's conversational preference format: one JSON object per line with prompt, chosen, rejected.

    Pairs with an empty answer or two equal ones are left out; with `arms`, also those not between two of these.
    """
    wanted = None if arms is None else set(arms)
    lines = [
        {
            "prompt": list(kept.prompt),
            "chosen": [{"role": "assistant", "content": kept.chosen}],
            "rejected": [{"role": "assistant", "content": kept.rejected}],
        }
        for kept in preferences
        if (wanted is None or {kept.chosen_arm, kept.rejected_arm} <= wanted)
        and kept.chosen.strip()
        and kept.rejected.strip()
        and kept.chosen != kept.rejected
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
