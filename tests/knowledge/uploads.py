"""Files that are put into a knowledge base from memory."""

from knowledge.base.intake import DocumentReport
from knowledge.base.knowledge_base import KnowledgeBase


def add_upload(base: KnowledgeBase, name: str, data: bytes) -> DocumentReport:
    """Keep an upload under the home and index it."""
    (report,) = base.add([base.keep_upload(name, data)])
    return report
