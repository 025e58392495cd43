"""Hits: near-duplicates take one place, neighbours are joined."""

from pathlib import Path

from knowledge.base.knowledge_base import KnowledgeBase
from tests.knowledge.bases import add_upload


def test_near_duplicates_take_one_place_but_other_numbers_are_other_facts(base: KnowledgeBase) -> None:
    line = "The toll for crossing the bridge of Wick by cart in the year {} was {} silver coins a wheel{}"
    add_upload(base, "a.txt", line.format(1820, 4, ".").encode())
    add_upload(base, "b.txt", line.format(1820, 4, "!").encode())
    add_upload(base, "c.txt", line.format(1830, 6, ".").encode())
    hits = base.search("What was the toll for crossing the bridge of Wick?", k=3)
    assert len(hits) == 2
    assert sorted(len(hit.also) for hit in hits) == [0, 1]


def test_neighbours_are_joined_into_one_passage(base: KnowledgeBase, tmp_path: Path) -> None:
    sentences = [
        f"Room {at} of the museum of clocks shows clocks from the town of number {at}." for at in range(40)
    ]
    (tmp_path / "museum.txt").write_text("Museum guide\n\n" + " ".join(sentences), encoding="utf-8")
    base.add([tmp_path / "museum.txt"])
    assert base.count > 2
    hits = base.search("Which clocks does the museum of clocks show?", k=1)
    passage = hits[0].passage
    assert hits[0].joined
    stored = {one.id: one for one in base.passages(passage.document_id)}
    assert passage.end - passage.start >= sum(len(stored[one].text) for one in (passage.id, *hits[0].joined))
    assert " ".join(passage.text.split()) in " ".join(["Museum guide", *sentences])
