"""A document's sections in short, to be compared with what is expected."""

from knowledge.ingest.document import Document


def sections_of(document: Document) -> list[tuple[str, str, tuple[str, ...]]]:
    """(kind, text, headings) of each section."""
    return [(section.kind, section.text, section.headings) for section in document.sections]
