"""What tests of notes share."""

import pytest

from knowledge.index.embeddings import SentenceEmbeddings


@pytest.fixture(scope="package")
def minilm() -> SentenceEmbeddings:
    """The packaged embedding model."""
    return SentenceEmbeddings(device="cpu")
