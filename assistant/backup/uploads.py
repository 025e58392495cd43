"""The uploads of a knowledge base after their folder has moved."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from knowledge.index.passage_store import PassageStore
from knowledge.ingest.document import document_id


def relocate_uploads(catalogue: Path, before: Path, after: Path) -> int:
    """Name the documents under `before` by their path under `after`; returns how many. Raises StoreError."""
    with closing(PassageStore(catalogue)) as store:
        moved = [info for info in store.documents() if Path(info.path).is_relative_to(before)]
        for info in moved:
            path = str(after / Path(info.path).relative_to(before))
            store.rename(info.id, replace(info, id=document_id(path), path=path))
    return len(moved)
