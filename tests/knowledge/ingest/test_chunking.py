"""Passages: exact slices, whole rows, lines and sentences, never over the embedder's limit, nothing lost."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.ingest.chunking import MAX_TOKENS, Passage, split
from knowledge.ingest.document import Document, document_from_parsed
from knowledge.readers.blocks import Block, ParsedFile
from knowledge.readers.tables import table_block


def words(texts: Sequence[str]) -> list[int]:
    """A token is a word or a Chinese character."""
    return [len(text.split()) + sum("\u4e00" <= c <= "\u9fff" for c in text) for text in texts]


def characters(texts: Sequence[str]) -> list[int]:
    """A token is a character: counts of parts never add up to the count of the whole."""
    return [len(text) for text in texts]


def document(*blocks: Block, title: str = "Lamps") -> Document:
    return document_from_parsed(ParsedFile(title, blocks), "lamps.txt")


def check(made: Document, passages: Sequence[Passage], count: object, limit: int) -> None:
    """What holds for every document, limit and tokenizer."""
    covered: set[int] = set()
    for passage in passages:
        assert made.text[passage.start : passage.end] == passage.text
        assert passage.text.strip()
        assert count([passage.context_text])[0] <= limit  # type: ignore[operator]
        covered.update(range(passage.start, passage.end))
    for section in made.sections:
        for place in range(section.start, section.end):
            assert place in covered or made.text[place].isspace()
    assert len({passage.id for passage in passages}) == len(passages)
    assert [p.start for p in passages] == sorted(p.start for p in passages)


prose = st.text(alphabet="ab. !?\n,;:-。，灯笼的A1éß😀\t|", min_size=1, max_size=400)
blocks = st.lists(
    st.one_of(
        st.builds(Block, st.just("heading"), prose, st.none(), st.integers(1, 4)),
        st.builds(
            Block, st.sampled_from(["text", "table", "code"]), prose, st.one_of(st.none(), st.integers(1, 3))
        ),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(blocks=blocks, limit=st.integers(32, 90), overlap=st.integers(0, 15), title=prose, exact=st.booleans())
def test_any_document_is_cut_exactly_and_completely(
    blocks: list[Block], limit: int, overlap: int, title: str, exact: bool
) -> None:
    made = document(*blocks, title=title.strip())
    count = characters if exact else words
    check(made, split(made, count, limit, overlap), count, limit)


def test_blank_code_is_nothing() -> None:
    assert document(Block("code", " \n "), Block("text", "x")).text == "x"


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["a", "long cell", "灯笼", "12 kg"]), min_size=2, max_size=4), max_size=60
    )
)
def test_a_row_that_fits_is_never_cut(rows: list[list[str]]) -> None:
    block = table_block(rows)
    made = document(*filter(None, [block]))
    passages = split(made, words, 60)
    lines = [line for passage in passages for line in passage.text.split("\n")]
    assert lines == (block.text.split("\n") if block else [])


def test_a_table_row_keeps_its_column_names_in_every_passage() -> None:
    block = table_block([["Name", "Weight"], *([f"lamp {n}", f"{n} kg"] for n in range(200))])
    assert block is not None
    passages = split(document(block), words, 60)
    rows = [row for passage in passages for row in passage.text.split("\n")]
    assert len(passages) > 10
    assert rows == [f"Name: lamp {n}; Weight: {n} kg" for n in range(200)]


def test_a_code_line_is_never_cut() -> None:
    code = "\n".join(f"    value_{n} = call(a, b)  # number {n}" for n in range(100))
    passages = split(document(Block("code", code)), words, 50)
    assert [line for passage in passages for line in passage.text.split("\n")] == code.strip("\n").split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Smith met Mrs. Jones at 3.5 km, e.g. near St. Mary. They spoke. It rained! Did it? Yes. " * 12,
        "灯笼重三点五公斤。“它很亮！”他说。真的吗？是的……我们都知道。" * 12,
    ],
)
def test_sentences_stay_whole(text: str) -> None:
    passages = split(document(Block("text", text)), words, 40)
    assert len(passages) > 3
    for passage in passages:
        assert passage.text.endswith((".", "!", "?", "。", "！", "？", "”", "…"))
        assert not passage.text.endswith(("Dr.", "Mrs.", "e.g.", "St."))
        assert not passage.text.startswith(("”", "。", "…"))


def test_a_paragraph_that_does_not_fit_begins_the_next_passage() -> None:
    one, two = "One two three four. " * 5, "Five six seven eight. " * 5
    passages = split(document(Block("text", one), Block("text", two), title=""), words, 36)
    assert [passage.text for passage in passages] == [one.strip(), two.strip()]


def test_small_neighbours_under_one_heading_share_a_passage_and_others_do_not() -> None:
    made = document(
        Block("heading", "Parts", level=1),
        Block("text", "The parts are:"),
        Block("table", "part: foot; mass: 2 kg"),
        Block("heading", "Care", level=1),
        Block("text", "Dust it."),
    )
    assert [(p.text, p.headings) for p in split(made, words)] == [
        ("The parts are:\n\npart: foot; mass: 2 kg", ("Parts",)),
        ("Dust it.", ("Care",)),
    ]


def test_title_and_headings_stand_in_front_of_what_is_embedded() -> None:
    made = document(
        Block("heading", "Lamps", level=1), Block("heading", "Care", level=2), Block("text", "Dust it.")
    )
    assert split(made, words)[0].context_text == "Lamps > Care\nDust it."


def test_absurd_titles_and_headings_leave_room_for_the_text() -> None:
    made = document(
        Block("heading", "deep " * 300, level=1), Block("text", "Dust it. " * 50), title="long " * 300
    )
    passages = split(made, words, 60)
    check(made, passages, words, 60)
    assert len(passages) > 2
    assert min(len(passage.text.split()) for passage in passages[:-1]) > 20


def test_overlap_repeats_whole_sentences() -> None:
    text = " ".join(f"Sentence number {n} stands here." for n in range(40))
    made = document(Block("text", text))
    passages = split(made, words, 40, overlap_tokens=12)
    assert len(passages) > 3
    for before, after in pairwise(passages):
        assert after.start < before.end
        assert made.text[after.start : before.end].startswith("Sentence")
    check(made, passages, words, 40)


def test_a_change_elsewhere_leaves_the_ids_of_other_passages() -> None:
    parts = [Block("text", f"{n} " + "word " * 30) for n in range(5)]
    before = {p.id for p in split(document(*parts), words, 40)}
    after = {p.id for p in split(document(Block("text", "new " * 30), *parts), words, 40)}
    assert before < after


def test_a_passage_names_the_page_it_begins_on() -> None:
    made = document(Block("text", "On one.", 1), Block("text", "On two.", 2))
    assert [(p.text, p.page) for p in split(made, words)] == [("On one.\n\nOn two.", 1)]


def test_tokens_are_counted_in_a_few_batches_and_each_text_a_few_times() -> None:
    paragraph = "The quick brown fox jumps over the lazy dog. 敏捷的棕色狐狸跳过懒狗。 " * 20
    made = document(*(Block("text", paragraph) for _ in range(700)))
    counted: list[int] = []

    def count(texts: Sequence[str]) -> list[int]:
        counted.append(sum(map(len, texts)))
        return [len(text) // 4 for text in texts]

    assert len(split(made, count, MAX_TOKENS)) > 700
    assert len(counted) < 10
    assert sum(counted) < 3 * len(made.text)


@pytest.mark.parametrize(("limit", "overlap"), [(0, 0), (31, 0), (60, 30), (60, -1)])
def test_a_limit_that_leaves_no_room_is_refused(limit: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"is {limit};|is {overlap};"):
        split(document(Block("text", "x")), words, limit, overlap)
