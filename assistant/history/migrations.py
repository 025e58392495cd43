"""The schema of the conversations file, one function per version, each executed once and in order."""

import sqlite3


def create_conversations(database: sqlite3.Connection) -> None:
    """Version 1: conversations, their messages, and preferences between two answers."""
    _execute(
        database,
        """
        CREATE TABLE conversations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            deleted REAL,
            source TEXT NOT NULL DEFAULT '',
            active_message INTEGER
        );
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
            parent_id INTEGER REFERENCES messages(id) ON DELETE CASCADE,
            role TEXT NOT NULL,
            content TEXT NOT NULL,
            created REAL NOT NULL,
            status TEXT NOT NULL,
            writer TEXT NOT NULL DEFAULT '',
            rating INTEGER NOT NULL DEFAULT 0,
            correction TEXT,
            memory TEXT NOT NULL DEFAULT '',
            checkpoint TEXT,
            sources TEXT NOT NULL DEFAULT '[]',
            prompt_tokens INTEGER,
            completion_tokens INTEGER,
            seconds REAL,
            seconds_to_first_token REAL
        );
        CREATE INDEX messages_of_conversation ON messages (conversation_id, parent_id);
        CREATE TABLE preferences (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            prompt TEXT NOT NULL,
            chosen TEXT NOT NULL,
            rejected TEXT NOT NULL,
            chosen_arm TEXT NOT NULL DEFAULT '',
            rejected_arm TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL
        );
        """,
    )


def create_blind_trials(database: sqlite3.Connection) -> None:
    """Version 2: blind trials with their questions, answers and ballots."""
    _execute(
        database,
        """
        CREATE TABLE blind_trials (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            arms TEXT NOT NULL,
            common TEXT NOT NULL,
            seed INTEGER NOT NULL,
            created REAL NOT NULL
        );
        CREATE TABLE blind_questions (
            trial TEXT NOT NULL REFERENCES blind_trials(id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            question TEXT NOT NULL,
            PRIMARY KEY (trial, place)
        );
        CREATE TABLE blind_answers (
            trial TEXT NOT NULL REFERENCES blind_trials(id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            arm TEXT NOT NULL,
            answer TEXT NOT NULL,
            PRIMARY KEY (trial, place, arm)
        );
        CREATE TABLE ballots (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            trial TEXT NOT NULL REFERENCES blind_trials(id) ON DELETE CASCADE,
            place INTEGER NOT NULL,
            voter TEXT NOT NULL,
            first_arm TEXT NOT NULL,
            second_arm TEXT NOT NULL,
            created REAL NOT NULL,
            outcome TEXT,
            voted REAL
        );
        CREATE INDEX ballots_of_trial ON ballots (trial, voter);
        """,
    )


def link_preferences_to_ballots(database: sqlite3.Connection) -> None:
    """Version 3: a preference names the ballot that made it.

    Until then the two shared nothing but the moment of the vote, which links the rows that are there.
    """
    _execute(
        database,
        """
        ALTER TABLE preferences ADD COLUMN ballot_id INTEGER REFERENCES ballots(id) ON DELETE SET NULL;
        CREATE INDEX preferences_of_ballot ON preferences (ballot_id);
        UPDATE preferences SET ballot_id = (
            SELECT min(ballots.id) FROM ballots
            WHERE ballots.voted = preferences.created
            AND (
                (outcome = 'first' AND (first_arm, second_arm) = (chosen_arm, rejected_arm))
                OR (outcome = 'second' AND (second_arm, first_arm) = (chosen_arm, rejected_arm))
            )
        )
        """,
    )


def add_import_keys(database: sqlite3.Connection) -> None:
    """Version 4: an imported conversation keeps what it is known by, so that it is not imported twice."""
    _execute(
        database,
        """
        ALTER TABLE conversations ADD COLUMN import_key TEXT NOT NULL DEFAULT '';
        CREATE INDEX conversations_by_import_key ON conversations (import_key) WHERE import_key != ''
        """,
    )


def add_endings_and_thoughts(database: sqlite3.Connection) -> None:
    """Version 5: how an answer ended, and what the model thought before it."""
    _execute(
        database,
        """
        ALTER TABLE messages ADD COLUMN ending TEXT NOT NULL DEFAULT '';
        ALTER TABLE messages ADD COLUMN thoughts TEXT NOT NULL DEFAULT ''
        """,
    )


def add_engines(database: sqlite3.Connection) -> None:
    """Version 6: what computed an answer."""
    _execute(database, "ALTER TABLE messages ADD COLUMN engine TEXT NOT NULL DEFAULT ''")


def add_choices_and_pins(database: sqlite3.Connection) -> None:
    """Version 7: a conversation keeps what it is answered with (memory, knowledge base, checkpoint), and its pin."""
    _execute(
        database,
        """
        ALTER TABLE conversations ADD COLUMN choices TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE conversations ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0
        """,
    )


def add_imported_preferences(database: sqlite3.Connection) -> None:
    """Version 8: a preference names the file that it came from, and single judgements of a file are kept."""
    _execute(
        database,
        """
        ALTER TABLE preferences ADD COLUMN source TEXT NOT NULL DEFAULT '';
        CREATE TABLE judgements (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            prompt TEXT NOT NULL,
            completion TEXT NOT NULL,
            good INTEGER NOT NULL,
            source TEXT NOT NULL DEFAULT '',
            created REAL NOT NULL
        )
        """,
    )


def add_archive_and_tags(database: sqlite3.Connection) -> None:
    """Version 9: a conversation may be in the archive, and has tags."""
    _execute(
        database,
        """
        ALTER TABLE conversations ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE tags (
            conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            UNIQUE (conversation_id, name)
        )
        """,
    )


MIGRATIONS = (
    create_conversations,
    create_blind_trials,
    link_preferences_to_ballots,
    add_import_keys,
    add_endings_and_thoughts,
    add_engines,
    add_choices_and_pins,
    add_imported_preferences,
    add_archive_and_tags,
)


def _execute(database: sqlite3.Connection, statements: str) -> None:
    """Several statements; `executescript` would commit the transaction that they belong to."""
    for statement in statements.split(";"):
        database.execute(statement)
