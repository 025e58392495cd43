"""Search in a knowledge base: follow-ups, nothing relevant, reranking."""

from pathlib import Path
from typing import Any

import pytest

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.embeddings import SentenceEmbeddings
from tests.knowledge.bases import add_upload


def test_a_follow_up_question_is_searched_with_its_conversation(base: KnowledgeBase, folder: Path) -> None:
    (folder / "urn.md").write_text("# Boreas urn\n\n## Weight\n\nIt weighs 3100 grams.\n", encoding="utf-8")
    base.add([folder])
    for name, grams in (("Zephyr kettle", "840"), ("Boreas urn", "3100")):
        history = [
            {"role": "user", "content": f"What colour is the {name}?"},
            {"role": "assistant", "content": "I do not know."},
        ]
        assert grams in base.search("And how heavy is it?", k=1, history=history)[0].passage.text


@pytest.mark.parametrize(
    "question",
    ["Who won the chess olympiad of 1972?", "What is the boiling point of mercury?", "谁写了红楼梦？", "  "],
)
def test_nothing_relevant_is_an_empty_list(base: KnowledgeBase, folder: Path, question: str) -> None:
    base.add([folder])
    assert base.search(question) == []


def test_a_reranker_has_the_last_word(tmp_path: Path, minilm: SentenceEmbeddings) -> None:
    class Backwards:
        def score(self, question: str, texts: list[str]) -> Any:
            import numpy as np

            return np.array([-float(len(text)) for text in texts])

    with KnowledgeBase(tmp_path, embeddings=minilm, reranker=Backwards()) as base:
        add_upload(
            base, "long.txt", b"The lighthouse of Orrin was built by masons and painted white by sailors."
        )
        add_upload(base, "short.txt", b"Orrin has a lighthouse.")
        assert base.search("Who built the lighthouse of Orrin?", min_relevance=0)[0].passage.text.startswith(
            "Orrin"
        )
