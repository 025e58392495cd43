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
        *("foot: It stands.", "Heavy.", "alone", "head: It shines.", "last"),
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
