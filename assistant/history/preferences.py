"""Preferences between two answers: their table, and a JSONL file of them to train from."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.errors import ConversationError
from assistant.history.database import Database, inserted_id
from assistant.history.message_rows import DAMAGE
from assistant.history.migrations import MIGRATIONS
from assistant.history.records import NewPreference, StoredPreference
from knowledge.errors import MEND


class PreferenceStore:
    """The preferences of a conversations file; several threads and processes may use it at once."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, MIGRATIONS)

    def add(self, preference: NewPreference) -> int:
        """Store a preference; returns its id."""
        with self._database.write() as database:
            return insert_preference(database, preference)

    def list(self) -> Sequence[StoredPreference]:
        """All preferences, oldest first."""
        try:
            return [
                StoredPreference.from_row(row)
                for row in self._database.read("SELECT * FROM preferences ORDER BY id")
            ]
        except DAMAGE as error:
            raise ConversationError(f"The votes between answers are damaged. {MEND}") from error

    def close(self) -> None:
        """Close the connections of every thread."""
        self._database.close()


def insert_preference(database: sqlite3.Connection, preference: NewPreference) -> int:
    """Store a preference as part of a transaction; returns its id."""
    cursor = database.execute(
        "INSERT INTO preferences (prompt, chosen, rejected, chosen_arm, rejected_arm, ballot_id, created)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            json.dumps(list(preference.prompt), ensure_ascii=False),
            preference.chosen,
            preference.rejected,
            preference.chosen_arm,
            preference.rejected_arm,
            preference.ballot_id,
            preference.created,
        ),
    )
    return inserted_id(cursor)


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
