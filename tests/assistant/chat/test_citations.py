"""Which sentences of an answer are held against its sources."""

import pytest

from assistant.chat.citations import cite_sources
from assistant.history.sources import Source

SOURCES = (Source(1, "Every employee has 27 days of paid leave a year.", title="handbook.md"),)


@pytest.mark.parametrize("answer", ["I cannot find that in the documents.", "文档中没有提到这一点。"])
def test_that_something_is_not_in_the_documents_needs_no_support(answer: str) -> None:
    assert cite_sources(answer, SOURCES).citations == ()


def test_what_no_source_says_is_marked_beside_what_one_says() -> None:
    cited = cite_sources("Every employee has 27 days of paid leave. The cat has 40.", SOURCES).citations
    assert [one.supported for one in cited] == [True, False]
