"""A home with its four places that hold preferences, all of them on disk."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.arena.trials import BlindTrials
from assistant.compare.evaluations import Evaluations
from assistant.history.conversations import ConversationStore
from assistant.history.preferences import PreferenceStore
from assistant.preferences.collect import CollectedPreferences, collect


@dataclass
class Home:
    """What `collect` reads."""

    chats: ConversationStore
    votes: PreferenceStore
    trials: BlindTrials
    evaluations: Evaluations

    def collected(self) -> CollectedPreferences:
        """All preferences of the home."""
        return collect(self.chats, self.votes, self.trials, self.evaluations)

    def ask(self, question: str, *answers: str) -> list[int]:
        """A new conversation with one question and its regenerated answers; the ids of the answers."""
        asked = self.chats.add_message(self.chats.create(), "user", question)
        return [
            self.chats.add_message(asked.conversation_id, "assistant", text, parent_id=asked.id).id
            for text in answers
        ]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    file = tmp_path / "conversations.sqlite3"
    return Home(ConversationStore(file), PreferenceStore(file), BlindTrials(file), Evaluations(tmp_path))
