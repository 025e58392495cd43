"""What a conversation is called until a person names it."""

_TITLE_LENGTH = 60


def title_from(question: str) -> str:
    """A title from the first question: its first line, shortened at a word."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), "")
    line = " ".join(line.split())
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line[: _TITLE_LENGTH - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > _TITLE_LENGTH // 2 else cut).rstrip(" ,;:，；：") + "…"
