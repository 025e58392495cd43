"""What keeps many conversations in order: tags, and the archive. It reads no message."""

from collections.abc import Sequence

from assistant.errors import ConversationError
from assistant.history.database import Database
from tuning.data.storable import storable

MAX_TAGS = 20  # of one conversation
MAX_LENGTH = 40  # of a tag, in characters


class Labels:
    """The tags and the archive of one conversations file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def archive(self, conversation_id: int, archived: bool = True) -> None:
        """Take a conversation out of the usual list without deleting it, or bring it back."""
        with self._database.write() as database:
            done = database.execute(
                "UPDATE conversations SET archived = ? WHERE id = ? AND deleted IS NULL",
                (int(archived), conversation_id),
            )
            if not done.rowcount:
                raise no_conversation(conversation_id)

    def set_tags(self, conversation_id: int, tags: Sequence[str]) -> None:
        """Give it these tags in place of those that it has. Raises ConversationError for ones that are none."""
        names = checked(tags)
        with self._database.write() as database:
            there = "SELECT 1 FROM conversations WHERE id = ? AND deleted IS NULL"
            if database.execute(there, (conversation_id,)).fetchone() is None:
                raise no_conversation(conversation_id)
            database.execute("DELETE FROM tags WHERE conversation_id = ?", (conversation_id,))
            database.executemany(
                "INSERT INTO tags (conversation_id, name) VALUES (?, ?)",
                [(conversation_id, name) for name in names],
            )

    def tags(self) -> list[str]:
        """All tags of conversations that are there, by name."""
        rows = self._database.read(
            "SELECT DISTINCT t.name FROM tags t JOIN conversations c ON c.id = t.conversation_id"
            " WHERE c.deleted IS NULL ORDER BY t.name COLLATE NOCASE"
        )
        return [str(row["name"]) for row in rows]

    def has_archived(self) -> bool:
        """Whether any conversation is in the archive."""
        found = "SELECT 1 FROM conversations WHERE archived = 1 AND deleted IS NULL LIMIT 1"
        return bool(self._database.read(found))


def condition(archived: bool | None, tag: str) -> tuple[str, list[str]]:
    """SQL that holds for conversations `c` in or out of the archive (None: both) and with the tag, and its values."""
    parts = [] if archived is None else [f"(c.archived = 1) = {int(archived)}"]
    if tag:
        parts.append("EXISTS (SELECT 1 FROM tags t WHERE t.conversation_id = c.id AND t.name = ?)")
    return " AND ".join(parts) or "TRUE", [tag] if tag else []


def checked(tags: Sequence[str]) -> list[str]:
    """The tags without blanks around them, each once. Raises ConversationError."""
    names = list(dict.fromkeys(" ".join(storable(tag).split()) for tag in tags))
    if len(names) > MAX_TAGS:
        raise ConversationError(
            f"A conversation has at most {MAX_TAGS} tags; {len(names)} were given. Leave some out."
        )
    for name in names:
        if not name:
            raise ConversationError("A tag cannot be empty; type a word.")
        if len(name) > MAX_LENGTH:
            raise ConversationError(
                f"A tag has at most {MAX_LENGTH} characters; {name!r} has {len(name)}. Shorten it."
            )
    return names


def no_conversation(conversation_id: int) -> ConversationError:
    """What is raised where the conversation is gone."""
    return ConversationError(f"There is no conversation {conversation_id}; it may have been deleted.")
