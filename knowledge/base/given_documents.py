"""LangChain documents by ids of their own: each is indexed for itself, and comes back as it was given."""

import json
from collections.abc import Iterable, Sequence

from langchain_core.documents import Document as LangChainDocument

from knowledge.base.index_writer import IndexWriter
from knowledge.base.intake import Intake
from knowledge.errors import StoreError
from knowledge.index.passage_store import PassageStore
from knowledge.ingest.document import Document, document_from_parsed, document_id
from knowledge.ingest.fetch import WebLimits
from knowledge.readers.blocks import Block, ParsedFile

_SOURCE = "given:{}"  # no path and no address begins so
_TITLE_CHARACTERS = 60


class GivenDocuments:
    """The documents of one index that a program gave whole."""

    def __init__(self, writer: IndexWriter, store: PassageStore) -> None:
        self._writer, self._store = writer, store

    def put(self, documents: Sequence[LangChainDocument]) -> None:
        """Index documents that have ids; one of the same id is replaced. Raises StoreError, KnowledgeError."""
        made = [_document(one) for one in documents]
        self._store.keep_given(
            {made.id: _to_json(one) for made, one in zip(made, documents, strict=True)}
        )  # first: what has no text in the index yet is not found
        intake = Intake(self._writer, WebLimits())
        for one in made:
            intake.add_document(one)
        intake.flush()

    def get(self, ids: Sequence[str]) -> list[LangChainDocument]:
        """Those of these ids, in their order; an unknown id is left out."""
        found = self._store.given([_index_id(one) for one in ids])
        return [_from_json(found[key]) for one in ids if (key := _index_id(one)) in found]

    def of_documents(self, document_ids: Iterable[str]) -> dict[str, LangChainDocument]:
        """What was given, by the index's own document id; documents that were read from files are left out."""
        found = self._store.given(list(dict.fromkeys(document_ids)))
        return {key: _from_json(value) for key, value in found.items()}

    def remove(self, ids: Sequence[str]) -> None:
        """Remove documents; an unknown id is no error."""
        with self._writer.exclusive():
            self._writer.remove(list(self._store.given([_index_id(one) for one in ids])))


def _index_id(id: str) -> str:
    return document_id(_SOURCE.format(id))


def _document(given: LangChainDocument) -> Document:
    """As the index keeps it, under the title that it has or begins with."""
    text, page = given.page_content, given.metadata.get("page")
    title = str(given.metadata.get("title") or "") or " ".join(text.split())[:_TITLE_CHARACTERS]
    block = Block("text", text, page if isinstance(page, int) else None)
    return document_from_parsed(ParsedFile(title, (block,)), _SOURCE.format(given.id))


def _to_json(given: LangChainDocument) -> str:
    record = {"id": given.id, "text": given.page_content, "metadata": given.metadata}
    try:
        return json.dumps(record)  # ASCII: whatever the text holds can be stored
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"The metadata of document {given.id!r} cannot be kept: {error}. Give texts, numbers, lists and objects."
        ) from error


def _from_json(value: str) -> LangChainDocument:
    record = json.loads(value)
    return LangChainDocument(id=record["id"], page_content=record["text"], metadata=record["metadata"])
