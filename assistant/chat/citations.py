"""Which of an answer's sources supports which of its sentences."""

from collections.abc import Sequence

from assistant.chat.turn import Source
from knowledge.grounding.citations import Citation, Embed, cite


def cite_sources(answer: str, sources: Sequence[Source], embed: Embed | None = None) -> list[Citation]:
    """As `cite`; a source is read under its title and headings. Without sources there is nothing to hold."""
    if not sources:
        return []
    texts = [str(source["text"]) for source in sources]
    above = [
        " > ".join([str(source.get("title", "")), *(source.get("headings") or ())]) for source in sources
    ]
    return cite(answer, texts, embed, above)
