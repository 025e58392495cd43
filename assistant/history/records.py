"""What the store of conversations hands out: messages, conversations, lines of the list, votes."""

from dataclasses import dataclass
from typing import Any

Message = dict[str, str]


@dataclass(frozen=True)
class StoredMessage:
    """One message as kept: what was said, how it was answered and what a person thought of it."""

    id: int
    conversation_id: int
    parent_id: int | None
    role: str
    content: str
    created: float
    status: str = "complete"
    rating: int = 0
    correction: str | None = None
    memory: str = ""
    checkpoint: str | None = None
    sources: tuple[dict[str, Any], ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    seconds_to_first_token: float | None = None
    # How many messages stand at this place (this one included), and which of them this is, from 1.
    alternatives: int = 1
    alternative: int = 1

    def to_message(self) -> Message:
        """The plain message; what a person corrected counts instead of what the model said."""
        return {"role": self.role, "content": self.correction or self.content}


@dataclass(frozen=True)
class ConversationInfo:
    """A line in the list of conversations."""

    id: int
    title: str
    created: float
    updated: float
    message_count: int
    # Where a search matched, with a little text around it.
    excerpt: str = ""
    source: str = ""


@dataclass(frozen=True)
class StoredConversation:
    """A conversation with the messages of its active branch, oldest first."""

    id: int
    title: str
    created: float
    updated: float
    messages: tuple[StoredMessage, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class StoredPreference:
    """Two answers to one prompt, of which a person preferred one; arms name what wrote them."""

    id: int
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    chosen_arm: str
    rejected_arm: str
    created: float
