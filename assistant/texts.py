"""The table of interface texts: every sentence a person reads on a page comes from here, by its key.

A language is a column. A missing translation falls back to English; a missing key is a mistake in the code.
"""

from contextvars import ContextVar

FALLBACK = "en"
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}

# key -> language -> text. `{name}` is filled in by t(key, name=…). Where a count changes the sentence,
# `key.one` is taken when t() is given count=1.
TEXTS: dict[str, dict[str, str]] = {
    "app.title": {"en": "Imprint"},
    "app.tagline": {"en": "An assistant with two kinds of memory"},
    "memory.label": {"en": "Memory"},
    "memory.nothing": {"en": "Nothing"},
    "memory.nothing.help": {"en": "The model answers from what it was born with and this conversation."},
    "memory.documents": {"en": "Documents"},
    "memory.documents.help": {"en": "Temporary memory: passages are looked up and put into the prompt."},
    "memory.checkpoint": {"en": "Checkpoint"},
    "memory.checkpoint.help": {"en": "Permanent memory: the weights were fine-tuned on what was taught."},
    "memory.both": {"en": "Both"},
    "memory.both.help": {"en": "A fine-tuned checkpoint that also reads passages from the documents."},
    "chat.nothing_found": {"en": "I found nothing about this in the documents."},
    "budget.system": {"en": "System prompt"},
    "budget.examples": {"en": "Examples"},
    "budget.passages": {"en": "Passages"},
    "budget.history": {"en": "Conversation"},
    "budget.question": {"en": "Question"},
    "budget.reserve": {"en": "Kept for the answer"},
    "budget.free": {"en": "Free"},
    "budget.used": {"en": "{used} of {window} tokens"},
    "budget.forgotten": {"en": "{count} earlier messages no longer fit the window: forgotten"},
    "budget.forgotten.one": {"en": "1 earlier message no longer fits the window: forgotten"},
    "status.stopped": {"en": "Stopped"},
    "status.failed": {"en": "Failed"},
    "reason.corrected": {"en": "corrected by you"},
    "reason.said": {"en": "you said so"},
    "reason.liked": {"en": "liked"},
    "reason.documents": {"en": "answered from documents"},
    "reason.plain": {"en": "plain turn"},
}

_language: ContextVar[str] = ContextVar("language", default=FALLBACK)


def use_language(language: str) -> None:
    """Choose the column for this thread of work; an unknown one shows English."""
    _language.set(language if language in LANGUAGE_NAMES else FALLBACK)


def t(key: str, **values: object) -> str:
    """The text of `key` in the chosen language, filled in. Raises KeyError for an unknown key."""
    if values.get("count") == 1 and f"{key}.one" in TEXTS:
        key = f"{key}.one"
    texts = TEXTS[key]
    text = texts.get(_language.get()) or texts[FALLBACK]
    return text.format(**values) if values else text
