"""Which of an answer's sources supports which of its sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from knowledge.grounding.citations import Citation, Embed, cite
from knowledge.grounding.own_numbers import without_numbers


@dataclass(frozen=True)
class CitedAnswer:
    """An answer without the numbers that it named itself, and what supports each sentence of that text."""

    text: str
    citations: tuple[Citation, ...] = ()


def cite_sources(
    answer: str, sources: Sequence[Source], embed: Embed | None = None, question: str = ""
) -> CitedAnswer:
    """As `cite`, by the text that was sent, under its title and headings. Without sources there is nothing to hold."""
    if not sources:
        return CitedAnswer(answer)
    texts = [source.sent for source in sources]
    above = [" > ".join([source.title, *source.headings]) for source in sources]
    read = without_numbers(answer, len(sources))
    found = cite(read, texts, embed, above, question)
    # That something is not in the documents is in none of them.
    return CitedAnswer(read.text, tuple(one for one in found if one.supported or not is_refusal(one.text)))
