"""HTML: main text, headings, lists, tables, and pages in any encoding."""

import pytest

from knowledge.ingest.document import read_bytes

PAGE = """<!doctype html><html><head><title>Lamp – Shop</title><style>p {color: red}</style></head><body>
<nav><ul><li><a href="/">Home</a></li><li>Imprint</li></ul></nav>
<div class="cookie-banner">We use cookies.</div>
<main><article><h1>Lamp</h1><p>It <b>shines</b> in
 the&nbsp;dark.</p><h2>Parts</h2><ul><li>foot<ul><li>heavy</li></ul></li><li>head</li></ul>
<table><thead><tr><th rowspan=2>Lamp</th><th colspan=2>Sold</th></tr>
<tr><th>north</th><th>south</th></tr></thead>
<tr><td>Aurora</td><td>12</td><td>34</td></tr><tr><td>Borealis</td><td colspan=2>none</td></tr></table>
<pre><code>def light():
    return 42</code></pre></article></main>
<aside>Advertisement</aside><footer>© 2026</footer><script>alert("x")</script></body></html>"""


def test_main_text_without_menus_and_scripts() -> None:
    document = read_bytes("a.html", PAGE.encode())
    assert document.title == "Lamp – Shop"
    assert [(section.kind, section.text, section.headings) for section in document.sections] == [
        ("text", "It shines in the dark.", ("Lamp",)),
        ("text", "- foot\n  - heavy\n- head", ("Lamp", "Parts")),
        (
            "table",
            "Lamp: Aurora; Sold / north: 12; Sold / south: 34\n"
            "Lamp: Borealis; Sold / north, Sold / south: none",
            ("Lamp", "Parts"),
        ),
        ("code", "def light():\n    return 42", ("Lamp", "Parts")),
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "gb18030", "big5", "shift_jis", "utf-8-sig"])
def test_pages_in_other_encodings(encoding: str) -> None:
    text = "<html><head><title>中文</title></head><body><p>中文的日本人有一个大国。</p></body></html>"
    if encoding in ("big5", "shift_jis"):
        text = text.replace("个", "上").replace("国", "中")
    document = read_bytes(
        "a.html", text.replace("<head>", f"<head><meta charset={encoding}>").encode(encoding)
    )
    assert document.title == "中文"
    assert document.text.startswith("中文的日本人有一")


def test_the_servers_word_on_the_encoding_counts() -> None:
    document = read_bytes(
        "page", "<html><p>Grüße</p>".encode("cp1252"), content_type="text/html; charset=cp1252"
    )
    assert document.text == "Grüße"


def test_terms_stand_in_front_of_their_definitions() -> None:
    page = "<html><dl><dt>foot<dd>It stands.<dd>Heavy.<dt>alone</dt>"
    page += "<dt>head<dd><p>It <i>shines</i>.</p><dt>last</dl>"
    assert read_bytes("a.html", page.encode()).text.split("\n\n") == [
        *("foot: It stands.", "foot: Heavy.", "alone, head: It shines.", "last"),
    ]


def test_layout_tables_are_text() -> None:
    page = "<html><body><table><tr><td><h1>Lamp</h1><p>One paragraph.</p></td></tr></table></body></html>"
    (section,) = read_bytes("a.html", page.encode()).sections
    assert (section.kind, section.text, section.headings) == ("text", "One paragraph.", ("Lamp",))


def test_row_headings_become_names() -> None:
    page = "<html><table><tr><th>Weight</th><td>640 g</td></tr><tr><th>Colour</th><td>red</td></tr></table>"
    assert read_bytes("a.html", page.encode()).text == "Weight: 640 g\nColour: red"


def test_very_deep_nesting_is_survived() -> None:
    page = "<html><body><p>first</p>" + "<div>" * 1500 + "<p>deep</p>" + "</div>" * 1500
    assert read_bytes("a.html", page.encode()).text == "first\n\ndeep"
    assert read_bytes("a.html", page.replace("<div>", "<div>" * 9).encode()).notes == (
        "it is nested too deeply; what lies deepest was not read",
    )


def text_of(body: str) -> list[str]:
    return read_bytes("a.html", f"<html><body>{body}</body></html>".encode()).text.split("\n\n")


def test_folded_panels_are_read_with_their_questions() -> None:
    body = """<button aria-expanded="false" aria-controls="p1">May I bring a dog?</button>
    <div id="p1" hidden><p>Yes, on the upper deck.</p></div>
    <button class="toggle">What does a bicycle cost?</button><div style="display: none"><p>45 kroner.</p></div>
    <details><summary>Lost things</summary><p>At the kiosk.</p></details>
    <p hidden="until-found">Cabin 14 is quiet.</p><dialog open><p>Closed today.</p></dialog>"""
    assert text_of(body) == [
        "May I bring a dog? Yes, on the upper deck.",
        "What does a bicycle cost? 45 kroner.",
        "Lost things: At the kiosk.",
        "Cabin 14 is quiet.",
        "Closed today.",
    ]


def test_hidden_parts_buttons_and_search_fields_are_no_text() -> None:
    body = """<p>The ferry leaves at seven.</p><div hidden><p>Template: {{customer}}</p></div>
    <button>Print this page</button><dialog><p>Really?</p></dialog>
    <button aria-expanded="false" aria-controls="m">Menu</button><div id="m" hidden><a href="/">Home</a></div>
    <label for="q">Search the site</label><input id="q"><select><option>2025</option></select>"""
    assert text_of(body) == ["The ferry leaves at seven."]


def test_page_that_is_one_form_is_read() -> None:
    assert text_of("<form><div><p>The basin is 6.4 metres deep.</p></div></form>") == [
        "The basin is 6.4 metres deep."
    ]


@pytest.mark.parametrize("name", ["menu", "related", "share", "banner", "social", "sidebar"])
def test_class_of_a_menu_counts_only_where_links_are(name: str) -> None:
    soup = f'<section class="{name}"><ul><li>Fish soup with saffron, 149 kr</li></ul></section>'
    links = f'<div class="{name}"><a href="/a">Home</a> <a href="/b">Fares</a></div>'
    assert text_of(soup + links) == ["- Fish soup with saffron, 149 kr"]


def test_aside_of_the_main_text_is_read() -> None:
    assert text_of("<main><p>We serve soup.</p><aside><p>Closed on Mondays.</p></aside></main>") == [
        "We serve soup.",
        "Closed on Mondays.",
    ]


def test_a_tab_stands_beside_what_it_opens_and_not_beside_the_first_panel() -> None:
    tabs = "<ul><li><a role=tab href='#a'>Prices</a></li><li><button role=tab aria-controls=b>Hours</button></li></ul>"
    panels = "<div id=a><p>Adults pay 80.</p></div><div id=b role=tabpanel hidden><p>From 9 to 17.</p></div>"
    assert text_of(tabs + panels) == ["Prices: Adults pay 80.", "Hours: From 9 to 17."]


def test_an_answer_below_a_question_that_reacts_to_a_click_is_read() -> None:
    page = (
        '<div onclick="show(this)">How much?</div><div hidden>Fifty kroner.</div><div hidden>Template</div>'
    )
    assert text_of(page) == ["How much?", "Fifty kroner."]


def test_page_of_which_most_is_hidden_is_told() -> None:
    document = read_bytes("a.html", f"<p>Hello.</p><div hidden>{'Secret text. ' * 20}</div>".encode())
    assert document.text == "Hello."
    assert document.notes == ("most of the page's text was left out as menus, banners or hidden parts",)


@pytest.mark.parametrize(
    "code",
    [
        "<table><tr><td class=gutter><pre>1<br>2</pre></td><td><pre>def f():<br>    return 1</pre></td></tr></table>",
        "<pre><span class=lineno>1</span>def f():\n<span class=lineno>2</span>    return 1</pre>",
        "<table><tr><td data-line-number=1></td><td class=blob-code>def f():</td></tr>"
        "<tr><td data-line-number=2></td><td class=blob-code>    return 1</td></tr></table>",
        "<pre><div>def f():</div><div>    return 1</div></pre>",
        '<pre><span class="line"><span class="ln">1</span><span class="cl">def f():\n</span></span>'
        '<span class="line"><span class="ln">2</span><span class="cl">    return 1</span></span></pre>',
    ],
)
def test_code_beside_the_numbers_of_its_lines(code: str) -> None:
    (section,) = read_bytes("a.html", f"<html><body>{code}</body></html>".encode()).sections
    assert (section.kind, section.text) == ("code", "def f():\n    return 1")


def test_terms_before_lists_and_tables_are_kept() -> None:
    body = "<dl><dt>Rooms</dt><dd><ul><li>hall</li></ul></dd><dt>Code</dt><dd><pre>x = 1</pre></dd></dl>"
    assert text_of(body) == ["Rooms\n- hall", "Code", "x = 1"]


def test_keys_to_sort_by_are_not_shown_and_lists_in_cells_are_divided() -> None:
    body = """<table><tr><th>Town<th>Boats<tr><td><span style="display:none">0001</span>Arvik
    <td><ul><li>Lumme</li><li>Skarv</li></ul></table>"""
    assert text_of(body) == ["Town: Arvik; Boats: Lumme, Skarv"]


def test_a_heading_that_reaches_down_beside_the_values_names_no_columns() -> None:
    rows = "".join(f"<tr><td>{month}</td><td>{sold}</td></tr>" for month, sold in (("May", 7), ("June", 8)))
    head = "<tr><th>Year</th><th>Month</th><th>Sold</th></tr><tr><th rowspan=3>2025</th></tr>"
    text = read_bytes("a.html", f"<html><body><table>{head}{rows}</table></body></html>".encode()).text
    assert "Year: 2025; Month: May; Sold: 7" in text and "Year: 2025; Month: June; Sold: 8" in text
