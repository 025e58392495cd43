"""Text as files and databases can hold it: without halves of characters and without NUL."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
REPLACEMENT = "\ufffd"


def storable(text: str) -> str:
    """The text with U+FFFD for every NUL and every lone surrogate (half an emoji, as a cut export holds it)."""
    return _UNSTORABLE.sub(REPLACEMENT, text)
