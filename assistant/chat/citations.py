"""Which of an answer's sources supports which of its sentences."""

from collections.abc import Sequence

from assistant.history.sources import Source
from knowledge.grounding.citations import Citation, Embed, cite


def cite_sources(answer: str, sources: Sequence[Source], embed: Embed | None = None) -> list[Citation]:
    """As `cite`; a source is read under its title and headings. Without sources there is nothing to hold."""
    if not sources:
        return []
    texts = [source.text for source in sources]
    above = [" > ".join([source.title, *source.headings]) for source in sources]
    return cite(answer, texts, embed, above)
