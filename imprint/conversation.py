"""`Conversation`: a stored conversation as LangChain's chat history."""

from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.keyed import keyed_conversation

ROLES: dict[str, str] = {"human": "user", "ai": "assistant", "system": "system"}
MESSAGES: dict[str, type[HumanMessage | AIMessage | SystemMessage]] = {
    "user": HumanMessage,
    "assistant": AIMessage,
    "system": SystemMessage,
}
SESSION = "langchain:"  # how the keys of conversations begin that are known by the name of a session


class Conversation(BaseChatMessageHistory):
    """A conversation of a home, as the Chat page shows it: what is added here is seen and rated there.

    It holds text: what an agent's tools were asked and answered is left out.
    """

    def __init__(self, store: ConversationStore, id: int) -> None:
        self._store = store
        self.id = id

    @classmethod
    def open(cls, store: ConversationStore, id: int | str | None) -> "Conversation":
        """By its number, by the name of a session (made where there is none), or a new one. ConversationError."""
        if isinstance(id, str):
            return cls(store, keyed_conversation(store, f"{SESSION}{id}", title=id))
        if id is None:
            return cls(store, store.create(source="langchain"))
        return cls(store, store.get(id).id)

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """The active branch; a correction stands for the answer that it corrects."""
        return [
            MESSAGES[one.role](one.correction or one.content, id=str(one.id))
            for one in self._store.get(self.id).messages
        ]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add them at the end, all or none. Raises ConversationError for one that is not text."""
        texts = [pair for message in messages if (pair := _text_of(message))]
        with self._store.transaction():
            for role, text in texts:
                self._store.add_message(self.id, role, text)

    def clear(self) -> None:
        """Begin anew; what was said stays as another branch."""
        messages = self._store.get(self.id).messages
        if messages:
            self._store.truncate_from(messages[0].id)


def _text_of(message: BaseMessage) -> tuple[str, str] | None:
    """Role and text; None for the traffic of tools."""
    if isinstance(message, ToolMessage) or (isinstance(message, AIMessage) and not message.text):
        return None
    role = ROLES.get(message.type)
    if role is None:
        raise ConversationError(
            f"A conversation keeps human, AI and system messages; a {message.type!r} message was given."
        )
    return role, message.text
