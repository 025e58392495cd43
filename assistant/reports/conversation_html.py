"""A conversation as one HTML file to read and to hand on: it loads nothing, and nothing in it can be pressed."""

from collections.abc import Iterator, Sequence

from assistant.history.records import StoredConversation, StoredMessage
from assistant.history.sources import Source
from assistant.i18n.texts import t
from assistant.reports.html_page import page, text
from knowledge.ingest.fetch import name_of


def render(conversation: StoredConversation) -> str:
    """The active branch, with corrections, memories and sources, in the language of the page."""
    return page(conversation.title or t("chats.untitled"), _parts(conversation.messages))


def _parts(messages: Sequence[StoredMessage]) -> Iterator[str]:
    for message in messages:
        if message.role == "system":
            continue
        speaker = t("chats.html.you") if message.role == "user" else "Imprint"
        yield f"<h2>{text(speaker)}</h2>{_words(message.correction or message.content)}"
        if message.correction:
            yield f"<p class=note>{text(t('message.corrected'))}</p>"
        if message.role == "assistant":
            yield f"<p class=note>{text(_memory(message))}</p>"
        if message.sources:
            yield _sources(message.sources)


def _words(said: str) -> str:
    """What was said, as it was written: markup in it stays text."""
    return f'<p style="white-space:pre-wrap">{text(said.strip())}</p>'


def _memory(message: StoredMessage) -> str:
    documents = [t("memory.documents")] if message.memory in ("documents", "both") else []
    checkpoint = [message.checkpoint] if message.checkpoint else []
    return " · ".join([*documents, *checkpoint]) or t("memory.alone")


def _sources(sources: Sequence[Source]) -> str:
    label = text(t("message.sources", count=len(sources)))
    lines = "".join(
        f"<p><b>[{number}] {text(name_of(one.source) or one.title)}</b><br>{text(one.sent.strip())}</p>"
        for number, one in enumerate(sources, 1)
    )
    return f"<details><summary>{label}</summary>{lines}</details>"
