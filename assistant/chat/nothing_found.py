"""What is answered where the documents hold nothing on a question, and whether a text is that answer."""

from assistant.i18n.texts import TEXTS, says, t

UNKNOWN = ("chat.unknown", "chat.unknown.both")
KEYS = ("chat.nothing_found", "chat.nothing_found.foreign", "chat.nothing_found.foreign.named")


def nothing_found(foreign: str) -> str:
    """The sentence; `foreign`: the language of the documents, where the question is in another, else empty."""
    if not foreign:
        return t(KEYS[0])
    if f"language.{foreign}" not in TEXTS:
        return t(KEYS[1])
    return t(KEYS[2], language=t(f"language.{foreign}"))


def nothing_known(documents: bool) -> str:
    """The sentence where a checkpoint was not taught what is asked, and with `documents` they do not hold it either."""
    return t(UNKNOWN[1] if documents else UNKNOWN[0])


def says_nothing_found(text: str) -> bool:
    """Whether a text says that the documents hold nothing, or a checkpoint either, in any language of the pages."""
    return says(text, *KEYS, *UNKNOWN)


def says_nothing_known(text: str) -> bool:
    """Whether a text says that a checkpoint was not taught what was asked."""
    return says(text, *UNKNOWN)


def says_foreign(text: str) -> bool:
    """Whether a text says that the documents are in another language than the question."""
    return says(text, *KEYS[1:])
