"""What the benchmarks of retrieval and documents count: sets that are cut, ranks that are judged, values of tables."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.documents import Key, judge, keys, named_lines
from benchmarks.retrieval_fusion import FIELDS, Scores, Weights, choose
from benchmarks.retrieval_fusion import judge as judge_ranks
from benchmarks.retrieval_sets import (
    COLLECTIONS,
    QuestionSet,
    RemoteFile,
    bounded,
    named,
    read_answerable,
    read_pooled,
    read_squad,
    read_trec,
)

NOWHERE = RemoteFile("a/b", "0" * 40, "x/file.pdf", "0" * 64)


def test_a_cut_set_keeps_the_paragraphs_that_answer() -> None:
    whole = QuestionSet(
        "n", [("", str(at)) for at in range(50)], [(f"q{at}", {at}) for at in range(0, 50, 5)]
    )
    cut = bounded(whole, paragraphs=20, asked=5)
    assert len(cut.paragraphs) == 20 and len(cut.questions) == 5
    assert [cut.paragraphs[at][1] for _, right in cut.questions for at in right] == [
        "0",
        "10",
        "20",
        "30",
        "40",
    ]


def test_ranks_are_judged_by_the_first_and_by_all_that_answer() -> None:
    found = judge_ranks([[3, 1], [2, 7, 1]], [{3}, {7, 9}])
    assert (found.hit, found.recall, found.mrr) == (0.5, 0.75, 0.75)


def test_weights_that_fall_below_a_side_alone_are_not_chosen() -> None:
    assert choose(np.array([[0.10, -0.05], [0.02, 0.01]])) == 1


def test_fused_scores_are_those_of_the_words_alone_where_the_model_knows_no_word() -> None:
    rows = {key: np.array([[1.0, 2.0]]) for key in FIELDS}
    scores = Scores(
        "s",
        **rows,
        fluency=np.zeros(1),
        paragraphs=np.arange(2),
        relevant=[{1}],
        shown=[[1]],
        seconds=1,
        characters=1,
    )
    assert Weights(coverage=0, bigrams=0).of(scores).tolist() == [[1.0, 2.0]] and scores.ranks(
        scores.lexical
    ) == [[1, 0]]


def test_files_are_read_as_their_collections_write_them(tmp_path: Path) -> None:
    squad = {"data": [{"title": "A_b", "paragraphs": [{"context": "c", "qas": [{"question": "q?"}]}]}]}
    (tmp_path / "s.json").write_text(json.dumps(squad))
    assert read_squad(tmp_path / "s.json").paragraphs == [("A b", "c")]
    (tmp_path / "d").write_text(".I 1\n.T\nTitle\n.W\nText\nmore\n.X\n1 2\n.I 2\n.W\nOther\n")
    (tmp_path / "q").write_text(".I 1\n.W\nWhat?\n")
    (tmp_path / "cranqrel").write_text("1 2 3\n1 1 5\n")
    found = read_trec(tmp_path / "d", tmp_path / "q", tmp_path / "cranqrel")
    assert found.paragraphs == [("Title", "Text more"), ("", "Other")] and found.questions == [("What?", {1})]


def test_sets_with_questions_aside_are_read_without_them(tmp_path: Path) -> None:
    (tmp_path / "articles.json").write_text(json.dumps({"data": [{"title": "A"}, {"title": "B_c"}]}))
    asked = [{"question": "seen?"}], [{"question": "held?"}, {"question": "none?", "is_impossible": True}]
    squad = [
        {"title": title, "paragraphs": [{"context": title, "qas": qas}]}
        for title, qas in zip(("A", "B_c"), asked, strict=True)
    ]
    (tmp_path / "dev.json").write_text(json.dumps({"data": squad}))
    found = read_answerable(tmp_path / "dev.json", tmp_path / "articles.json")
    assert found.paragraphs == [("A", "A"), ("B c", "B_c")] and found.questions == [("held?", {1})]
    pooled = [{"query": "q", "docs": ["x", "y"], "relevance_map": {"0": 0, "1": 1}},
              {"query": "r", "docs": ["y", "z"], "relevance_map": {"0": 2, "1": 1}},
              {"query": "none", "docs": ["z"], "relevance_map": {"0": 0}}]  # fmt: skip
    (tmp_path / "pooled.json").write_text(json.dumps(pooled))
    read = read_pooled(tmp_path / "pooled.json")
    assert [text for _, text in read.paragraphs] == ["x", "y", "z"]
    assert read.questions == [("q", {1}), ("r", {1, 2})]


def test_an_unknown_set_is_named() -> None:
    with pytest.raises(ValueError, match=r"no question set 'xquad-xx': choose of xquad-en"):
        named(["xquad-xx"])
    assert [one.name for one in named(["cmrc", "zh→en"])] == ["cmrc", "xquad-zh→en"]
    assert all(len(file.sha256) == 64 for one in COLLECTIONS.values() for file in one.files)


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RemoteFile, "_read", lambda self, clones: b"something else")
    with pytest.raises(ValueError, match="has the sha256"):
        NOWHERE.fetch(tmp_path)
    assert not list(tmp_path.rglob("*.pdf"))


@pytest.mark.parametrize(
    "text",
    ["| Town | Boats |\n|---|---|\n| Arvik | 7 |", "Town: Arvik; Boats: 7", "Town | Boats\nArvik | **7**"],
)
def test_a_value_counts_in_its_row_under_its_name(text: str) -> None:
    key = Key(NOWHERE, ("Arvik", "7"), (("Arvik", "Boats", "7"), ("Arvik", "Boats", "8")))
    found = judge(key, text, 0.0)
    assert (found.phrases, found.in_order, found.cells) == (2, 1, 1) and "8" in found.missing[0]


def test_columns_are_named_anew_in_the_next_table() -> None:
    lines = list(named_lines("A | B\n1 | 2\n\nC | D\n3 | 4"))
    assert lines == ["A: A; B: B", "A: 1; B: 2", "", "C: C; D: D", "C: 3; D: 4"]


def test_the_manifest_has_sixty_files_and_tables_of_fifteen() -> None:
    found = keys()
    assert len(found) >= 60 and sum(bool(key.cells) for key in found) >= 15
    assert len({key.file.sha256 for key in found}) == len(found)
