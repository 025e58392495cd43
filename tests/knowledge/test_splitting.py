"""Passages: exact slices, whole rows, never over the embedder's limit."""

from collections.abc import Sequence

import pytest

from knowledge.blocks import Block, Draft, table_block
from knowledge.documents import document_from_draft
from knowledge.splitting import split


def words(texts: Sequence[str]) -> list[int]:
    """A token is a word or a Chinese character."""
    return [len(text.split()) + sum("\u4e00" <= c <= "\u9fff" for c in text) for text in texts]


def test_passages_are_exact_slices_within_the_limit() -> None:
    paragraph = "The quick brown fox jumps over the lazy dog. It does so every day! Why? Nobody knows. " * 5
    draft = Draft(
        "Foxes", (Block("heading", "Habits", level=1), *(Block("text", paragraph) for _ in range(20)))
    )
    document = document_from_draft(draft, "foxes.txt")
    passages = split(document, words, 100)
    assert len(passages) > 10
    for passage in passages:
        assert document.text[passage.start : passage.end] == passage.text
        assert words([passage.context_text])[0] <= 100
        assert passage.headings == ("Habits",)
        assert passage.text.endswith((".", "!", "?"))
    assert len({passage.id for passage in passages}) == len(passages)


def test_a_table_row_is_never_cut_and_keeps_its_column_names() -> None:
    block = table_block([["Name", "Weight"], *([f"lamp {n}", f"{n} kg"] for n in range(200))])
    assert block is not None
    passages = split(document_from_draft(Draft("Lamps", (block,)), "lamps.csv"), words, 60)
    rows = [row for passage in passages for row in passage.text.split("\n")]
    assert rows == [f"Name: lamp {n}; Weight: {n} kg" for n in range(200)]


@pytest.mark.parametrize("limit", [0, 31])
def test_a_limit_that_leaves_no_room_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match=f"max_tokens is {limit}"):
        split(document_from_draft(Draft("", (Block("text", "x"),)), "x"), words, limit)
