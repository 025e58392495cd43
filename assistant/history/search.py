"""Search in conversations: the SQL condition of a query, and the text around a match."""

from collections.abc import Sequence


def condition(words: Sequence[str]) -> tuple[str, list[str]]:
    """SQL that holds for conversations `c` whose title or messages contain every word, and its values."""
    one = (
        "(c.title LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM messages m"
        " WHERE m.conversation_id = c.id AND (m.content LIKE ? ESCAPE '\\'"
        " OR m.correction LIKE ? ESCAPE '\\')))"
    )
    return " AND ".join([one] * len(words)) or "TRUE", [pattern(word) for word in words for _ in range(3)]


def pattern(word: str) -> str:
    """A LIKE pattern of texts that contain a word; `%` and `_` in it stand for themselves."""
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def excerpt(text: str, word: str, width: int = 40) -> str:
    """The first place of a word in a text, with up to `width` characters on either side."""
    found = max(0, text.lower().find(word.lower()))
    start, end = max(0, found - width), min(len(text), found + len(word) + width)
    inside = " ".join(text[start:end].split())
    return ("…" if start else "") + inside + ("…" if end < len(text) else "")
