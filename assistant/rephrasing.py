"""Other wordings of a question, by rules of grammar. For evaluation only: training never sees them."""

import re


def rephrase(question: str) -> list[str]:
    """Up to four other wordings of `question` that ask the same, in its language; none where no rule fits."""
    text = question.strip()
    return [other for other in _english(text) if other.casefold() != text.casefold()][:4]


def _english(text: str) -> list[str]:
    match = re.fullmatch(r"what is the (\w+) of (.+?)\?", text, re.IGNORECASE)
    return [f"Which {match[1]} does {match[2]} have?"] if match else []
