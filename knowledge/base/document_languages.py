"""The languages that the documents of a knowledge base are in, told by an even sample of their passages."""

from knowledge.index.embeddings import Encoder
from knowledge.index.passage_store import PassageStore
from knowledge.search.languages import is_in_another, languages_of
from knowledge.search.scripts import KNOWN_FLUENCY, OWN_SCRIPTS, SURE_FLUENCY, is_written_in, script_of

SAMPLE = 300  # passages


class DocumentLanguages:
    """The languages of one store, as an embedding model knows them."""

    def __init__(self, store: PassageStore, encoder: Encoder) -> None:
        self._store, self._encoder = store, encoder
        self._known: tuple[int, tuple[str, ...]] | None = None  # of which revision

    def is_foreign(self, question: str) -> bool:
        """Whether no document is in the language of a question, and the embedding model does not know it.

        Another script is told by its letters, another language of the same script by its words.
        """
        script = script_of(question)
        if not script or self._encoder.fluency(question) >= SURE_FLUENCY:
            return False
        if not is_written_in(self._sample(), script):
            return self._encoder.fluency(question) < KNOWN_FLUENCY
        return script not in OWN_SCRIPTS and is_in_another(question, self.codes())

    def codes(self) -> tuple[str, ...]:
        """ISO 639 codes of the languages that the documents are in, the most frequent first."""
        revision = self._store.revision
        if self._known is None or self._known[0] != revision:
            self._known = (revision, languages_of(self._sample()))
        return self._known[1]

    def _sample(self) -> list[str]:
        """The texts of an even sample of the passages."""
        ids = self._store.passage_ids()
        texts = self._store.texts(ids[:: -(-len(ids) // SAMPLE) or 1])
        return [text.text for text in texts.values()]
