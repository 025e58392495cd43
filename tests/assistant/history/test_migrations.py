"""A conversations file of any earlier version opens with all its rows."""

import json
import sqlite3
from pathlib import Path

import pytest

from assistant.arena.trials import BlindTrials
from assistant.history.conversations import ConversationStore
from assistant.history.migrations import MIGRATIONS
from assistant.history.preferences import PreferenceStore
from assistant.history.sources import Source

# As the first version wrote it; the schema of today must not be used here.
VERSION_1 = """
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL,
    deleted REAL, source TEXT NOT NULL DEFAULT '', active_message INTEGER
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation_id INTEGER NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    parent_id INTEGER REFERENCES messages(id) ON DELETE CASCADE,
    role TEXT NOT NULL, content TEXT NOT NULL, created REAL NOT NULL, status TEXT NOT NULL,
    writer TEXT NOT NULL DEFAULT '', rating INTEGER NOT NULL DEFAULT 0, correction TEXT,
    memory TEXT NOT NULL DEFAULT '', checkpoint TEXT, sources TEXT NOT NULL DEFAULT '[]',
    prompt_tokens INTEGER, completion_tokens INTEGER, seconds REAL, seconds_to_first_token REAL
);
CREATE INDEX messages_of_conversation ON messages (conversation_id, parent_id);
CREATE TABLE preferences (
    id INTEGER PRIMARY KEY AUTOINCREMENT, prompt TEXT NOT NULL, chosen TEXT NOT NULL, rejected TEXT NOT NULL,
    chosen_arm TEXT NOT NULL DEFAULT '', rejected_arm TEXT NOT NULL DEFAULT '', created REAL NOT NULL
);
PRAGMA user_version = 1;
INSERT INTO conversations VALUES (4, 'Birds', 10.5, 11.5, NULL, 'chat.json', 8);
INSERT INTO messages (id, conversation_id, role, content, created, status)
    VALUES (7, 4, 'user', 'What is it?', 10.5, 'complete');
INSERT INTO messages (id, conversation_id, parent_id, role, content, created, status, rating, correction, sources)
    VALUES (8, 4, 7, 'assistant', 'A bird.', 11.5, 'complete', -1, 'A heron.', '[{"title": "Book"}]');
"""

VERSION_2 = (
    VERSION_1
    + """
CREATE TABLE blind_trials (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, arms TEXT NOT NULL, common TEXT NOT NULL, seed INTEGER NOT NULL,
    created REAL NOT NULL
);
CREATE TABLE blind_questions (
    trial TEXT NOT NULL REFERENCES blind_trials(id) ON DELETE CASCADE, place INTEGER NOT NULL,
    question TEXT NOT NULL, PRIMARY KEY (trial, place)
);
CREATE TABLE blind_answers (
    trial TEXT NOT NULL REFERENCES blind_trials(id) ON DELETE CASCADE, place INTEGER NOT NULL,
    arm TEXT NOT NULL, answer TEXT NOT NULL, PRIMARY KEY (trial, place, arm)
);
CREATE TABLE ballots (
    id INTEGER PRIMARY KEY AUTOINCREMENT, trial TEXT NOT NULL REFERENCES blind_trials(id) ON DELETE CASCADE,
    place INTEGER NOT NULL, voter TEXT NOT NULL, first_arm TEXT NOT NULL, second_arm TEXT NOT NULL,
    created REAL NOT NULL, outcome TEXT, voted REAL
);
CREATE INDEX ballots_of_trial ON ballots (trial, voter);
PRAGMA user_version = 2;
"""
)
PROMPT = json.dumps([{"role": "user", "content": "How heavy?"}])


def preference(file: Path, chosen_arm: str, rejected_arm: str, created: float) -> None:
    with sqlite3.connect(file) as database:
        database.execute(
            "INSERT INTO preferences (prompt, chosen, rejected, chosen_arm, rejected_arm, created)"
            " VALUES (?, 'yes', 'no', ?, ?, ?)",
            (PROMPT, chosen_arm, rejected_arm, created),
        )
    database.close()


def written(file: Path, script: str) -> Path:
    database = sqlite3.connect(file)
    database.executescript(script)
    database.close()
    return file


@pytest.mark.parametrize("script", [VERSION_1, VERSION_2])
def test_a_file_of_an_earlier_version_keeps_its_conversations_and_votes(file: Path, script: str) -> None:
    preference(written(file, script), "rag", "base", 12.25)
    store = ConversationStore(file)
    conversation = store.get(4)
    assert (conversation.title, conversation.created, conversation.source) == ("Birds", 10.5, "chat.json")
    question, answer = conversation.messages
    assert (question.content, answer.content, answer.correction) == ("What is it?", "A bird.", "A heron.")
    assert (answer.rating, answer.parent_id, answer.sources) == (-1, question.id, (Source(title="Book"),))
    (vote,) = PreferenceStore(file).list()
    assert (vote.prompt, vote.chosen, vote.created) == (tuple(json.loads(PROMPT)), "yes", 12.25)
    assert (vote.chosen_arm, vote.rejected_arm, vote.ballot_id) == ("rag", "base", None)
    assert store.add_message(4, "user", "And then?").parent_id == answer.id
    database = sqlite3.connect(file)
    assert database.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    database.close()


@pytest.fixture
def trial_of_version_2(file: Path) -> Path:
    """Two decided votes and a tie, all within one tick of the clock, and a vote made elsewhere."""
    moment = 1700000000.1234567
    arms = json.dumps([{"name": "base"}, {"name": "rag", "documents": True}])
    written(file, VERSION_2)
    with sqlite3.connect(file) as database:
        database.execute("INSERT INTO blind_trials VALUES ('t', 'Trial', ?, '{}', 1, 1.0)", (arms,))
        database.execute(
            "INSERT INTO blind_questions VALUES ('t', 0, ?)", (json.dumps({"question": "How heavy?"}),)
        )
        for number, voter, first, second, outcome in (
            (1, "ann", "base", "rag", "second"),
            (2, "bob", "base", "rag", "first"),
            (3, "eve", "rag", "base", "tie"),
        ):
            database.execute(
                "INSERT INTO ballots VALUES (?, 't', 0, ?, ?, ?, 1.0, ?, ?)",
                (number, voter, first, second, outcome, moment),
            )
    database.close()
    preference(file, "rag", "base", moment)
    preference(file, "base", "rag", moment)
    preference(file, "rag", "base", 5.0)
    return file


def test_earlier_votes_of_a_blind_trial_are_linked_to_their_ballots(trial_of_version_2: Path) -> None:
    preferences = PreferenceStore(trial_of_version_2)
    assert [vote.ballot_id for vote in preferences.list()] == [1, 2, None]
    assert BlindTrials(trial_of_version_2).withdraw("t", "bob")
    assert [vote.ballot_id for vote in preferences.list()] == [1, None]


def test_a_vote_outlives_the_trial_that_made_it(trial_of_version_2: Path) -> None:
    BlindTrials(trial_of_version_2).delete("t")
    assert [vote.ballot_id for vote in PreferenceStore(trial_of_version_2).list()] == [None, None, None]
