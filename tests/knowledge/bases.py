"""What tests do with a knowledge base again and again."""

from pathlib import Path

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.reports import DocumentReport


def add_upload(base: KnowledgeBase, name: str, data: bytes) -> DocumentReport:
    """Keep an upload under the home and index it."""
    (report,) = base.add([base.keep_upload(name, data)])
    return report


def statuses(reports: list[DocumentReport]) -> dict[str, str]:
    return {Path(report.path).name: report.status for report in reports}


def agrees(base: KnowledgeBase) -> bool:
    """Whether Chroma and SQLite hold the same passages, and every document's passages are there."""
    ids = set(base._store.passage_ids())
    read = {passage.id for document in base.documents() for passage in base.passages(document.id)}
    return base._writer.vectors.ids() == ids == read and not base._store.pending()
