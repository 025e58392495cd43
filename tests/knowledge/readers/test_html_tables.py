"""Tables, forms and lists of terms of web pages: every value under its name, and what was ticked or typed."""

import pytest

from knowledge.readers.dispatch import load


def lines_of(body: str) -> list[str]:
    parsed = load(f"<html><body>{body}</body></html>".encode(), "a.html")
    return [line for block in parsed.blocks for line in block.text.split("\n")]


@pytest.mark.parametrize(
    ("table", "lines"),
    [
        (
            "<tr><th>Town<th>Boat<tbody><tr><td rowspan=0>Arvik<td>Lumme<tr><td>Skarv<tbody><tr><td>Brenn<td>Una",
            ["Town: Arvik; Boat: Lumme", "Town: Arvik; Boat: Skarv", "Town: Brenn; Boat: Una"],
        ),
        (
            "<thead><tr><th rowspan=5>Town<th>Boats<tr><th>n<tbody><tr><td>Arvik<td>7",
            ["Town: Arvik; Boats / n: 7"],
        ),
        (
            "<thead><tr><th>Boat<th>Fee<tbody><tr><th colspan=2 scope=rowgroup>Arvik<tr><td>Lumme<td>40",
            ["Arvik", "Boat: Lumme; Fee: 40"],
        ),
        (
            "<colgroup><col><colgroup span=2><thead><tr><td rowspan=2><th colspan=2>2025<tr><th>Made<th>Sold"
            "<tbody><tr><th scope=row>Bolt<td>5<td>5",
            ["Bolt; 2025 / Made: 5; 2025 / Sold: 5"],
        ),
        (
            "<thead><tr><th>Item<th>Price<tfoot><tr><td>Total<td>9<tbody><tr><td>Bolt<td>9",
            ["Item: Bolt; Price: 9", "Item: Total; Price: 9"],
        ),
        (
            "<tr><th>Built<td>1987<th>Port<td>Aven<tr><th>Draught<td>3.1 m<th>Crew<td>12",
            ["Built: 1987", "Port: Aven", "Draught: 3.1 m", "Crew: 12"],
        ),
        (
            "<tr><th>Food<th>Good<th>Bad<tr><td>Soup<td><input type=radio checked><td><input type=radio>",
            ["Food: Soup; Good: [x]; Bad: [ ]"],
        ),
        ("<tr><th>Item<th>Price<tr><td>Bolt<td><del>4</del> 5", ["Item: Bolt; Price: ~~4~~ 5"]),
    ],
)
def test_each_value_stands_under_its_name(table: str, lines: list[str]) -> None:
    assert lines_of(f"<table>{table}</table>") == lines


def test_a_table_made_of_other_elements_is_one() -> None:
    head = "<div role=row><span role=columnheader>Town</span><span role=columnheader>Boats</span></div>"
    body = "<div role=row><span role=rowheader>Arvik</span><span role=cell>7</span></div>"
    assert lines_of(f"<div role=table>{head}{body}</div>") == ["Town: Arvik; Boats: 7"]


def test_what_was_filled_into_a_form_stands_in_it() -> None:
    form = """<form><p><input type=checkbox checked> Storm cover</p><p><label><input type=checkbox> Theft</label></p>
    <p><input type=radio name=a id=r1 checked><label for=r1>Yearly</label> <input type=radio name=a id=r2>
    <label for=r2>Monthly</label></p><p><label for=n>Name</label> <input id=n value="Mara Quill"></p>
    <p><label for=s>Harbour</label> <select id=s><option>Aven<option selected>Stokka</select></p>
    <input type=hidden name=token value=a1b2><input type=search id=q value=boats><label for=e>Mail</label>
    <input id=e></form>"""
    assert lines_of(form) == [
        "[x] Storm cover", "[ ] Theft", "[x] Yearly [ ] Monthly", "Name Mara Quill", "Harbour Stokka",
    ]  # fmt: skip


def test_a_box_that_folds_a_part_of_the_page_is_not_ticked() -> None:
    page = "<input type=checkbox id=nav><label for=nav></label><ul><li><input type=checkbox id=a><label for=a>Ports"
    assert lines_of(f"{page}</label><ul><li>Aven</ul></ul>") == ["- Ports", "  - Aven"]
    assert lines_of("<ul><li><input type=checkbox checked disabled> dredge</ul>") == ["- [x] dredge"]


def test_each_term_has_each_of_its_meanings() -> None:
    terms = "<dl><dt>Ferry<dt>Boat<dd>Lumme<dd>Skarv<dt>Fee<dd>40 kr</dl>"
    assert lines_of(terms) == ["Ferry, Boat: Lumme", "Ferry, Boat: Skarv", "Fee: 40 kr"]


def test_how_characters_are_pronounced_does_not_tear_words_apart() -> None:
    assert lines_of("<p><ruby>東<rp>(</rp><rt>とう</rt><rp>)</rp>京<rt>きょう</rt></ruby>に行く。</p>") == [
        "東京に行く。"
    ]


def test_what_is_not_visible_is_no_text() -> None:
    page = "<p style='VISIBILITY : hidden'>one</p><p hidden=hidden>two</p><p hidden=until-found>three</p>"
    assert lines_of(page) == ["three"]
