"""OpenDocument: texts, workbooks, presentations."""

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import Document, read_bytes
from knowledge.readers.opendocument_text import NAMES
from tests.knowledge.readers.samples import packed
from tests.knowledge.readers.sections import sections_of

_NAMES = " ".join(f'xmlns:{short}="{uri}"' for short, uri in NAMES.items())
_EMPTY = "<table:table-cell/>"


def read(kind: str, body: str, styles: str = "", manifest: str = "<m/>") -> Document:
    content = (
        f"<office:document-content {_NAMES}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    media = f"application/vnd.oasis.opendocument.{kind}"
    members = {"mimetype": media, "content.xml": content, "META-INF/manifest.xml": manifest}
    return read_bytes("a.odt", packed({name: text.encode() for name, text in members.items()}))


def cell(text: str, spans: str = "") -> str:
    return f"<table:table-cell {spans}><text:p>{text}</text:p></table:table-cell>"


def row(*cells: str, more: str = "") -> str:
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def test_text_with_headings_lists_and_notes() -> None:
    document = read(
        "text",
        '<text:h text:outline-level="1">Kiln</text:h><text:p>Held at<text:s/>1240<text:tab/>degrees.'
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Nine hours.</text:p>"
        "</text:note-body></text:note></text:p><text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        "<text:list><text:list-item><text:p>clay</text:p><text:list><text:list-item><text:p>red</text:p>"
        "</text:list-item></text:list></text:list-item><text:list-item><text:p>ash</text:p></text:list-item></text:list>",
    )
    assert document.title == "Kiln"
    assert sections_of(document) == [
        ("text", "Held at 1240 degrees. (Nine hours.)\n\n- clay\n  - red\n- ash", ("Kiln",)),
    ]


def test_tables_keep_merged_repeated_and_empty_cells() -> None:
    covered = "<table:covered-table-cell/>"
    wide, high = 'table:number-columns-spanned="2"', 'table:number-rows-spanned="2"'
    header = f"<table:table-header-rows>{row(cell('Town'), cell('Boats'), cell('Permits'))}</table:table-header-rows>"
    body = row(cell("Arvik", high), cell("7"), cell("7")) + row(covered, _EMPTY, cell("9"))
    body += row(cell("Brenn"), cell("none", wide), covered)
    same = row(cell("5", 'table:number-columns-repeated="3"'))
    document = read("text", f"<table:table>{header}{body}{same}</table:table>")
    assert document.text.split("\n") == [
        "Town: Arvik; Boats: 7; Permits: 7",
        "Town: Arvik; Permits: 9",
        "Town: Brenn; Boats, Permits: none",
        "Town: 5; Boats: 5; Permits: 5",
    ]


def test_sheets_are_pages_and_hidden_ones_are_named() -> None:
    hidden = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    filler = row(_EMPTY, more='table:number-rows-repeated="1048000"')
    fares = row(cell("Route"), cell("Fare")) + row(cell("Skarv"), cell("55")) + filler
    old = row(cell("Route"), cell("Fare")) + row(cell("Skarv"), cell("44"))
    document = read(
        "spreadsheet",
        f'<table:table table:name="Fares">{fares}</table:table>'
        f'<table:table table:name="Old" table:style-name="ta2">{old}</table:table>',
        hidden,
    )
    assert sections_of(document) == [
        ("table", "Route: Skarv; Fare: 55", ("Fares",)),
        ("table", "Route: Skarv; Fare: 44", ("Old (hidden sheet)",)),
    ]
    assert [section.page for section in document.sections] == [1, 2]
    assert document.notes == ('sheet "Old" is hidden, and was read',)


def test_slides_have_titles_and_notes() -> None:
    frame = "<draw:frame {}><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>"
    slide = frame.format("", "It is hot.") + frame.format('presentation:class="title"', "Kiln")
    notes = f"<presentation:notes>{frame.format('', 'Smile.')}</presentation:notes>"
    document = read("presentation", f"<draw:page>{slide}{notes}</draw:page>")
    assert sections_of(document) == [("text", "It is hot.\n\nNotes: Smile.", ("Kiln",))]


def test_encrypted_and_drawn_ones_are_refused_for_their_reason() -> None:
    with pytest.raises(DocumentError, match="it is encrypted"):
        read("text", "<text:p>x</text:p>", manifest="<m><encryption-data/></m>")
    with pytest.raises(DocumentError, match="an OpenDocument graphics, which holds no text"):
        read("graphics", "")


def test_row_that_repeats_endlessly_is_refused() -> None:
    rows = row(
        cell("x", 'table:number-columns-repeated="16000"'), more='table:number-rows-repeated="1048576"'
    )
    with pytest.raises(DocumentError, match="it holds more than 3,000,000 cells"):
        read("spreadsheet", f'<table:table table:name="A">{rows}</table:table>')


def test_values_without_text_and_tables_beside_each_other_in_a_sheet() -> None:
    def value(kind: str, written: str) -> str:
        return f'<table:table-cell office:{kind}="{written}"/>'

    rows = row(cell("Town"), cell("Since"), cell("Open"), _EMPTY, cell("Port"), cell("Depth"))
    rows += row(cell("Arvik"), value("date-value", "2025-01-02"), value("boolean-value", "true"), _EMPTY)
    rows += row(
        cell("Brenn"), value("date-value", "2025-03-04T07:40:00"), value("string-value", "no"), _EMPTY
    )
    rows = rows.replace(
        f"{_EMPTY}</table:table-row>", f"{_EMPTY}{cell('North')}{cell('3')}</table:table-row>", 1
    )
    sheet = read("spreadsheet", f'<table:table table:name="Fleet">{rows}</table:table>')
    assert [section.text.split("\n") for section in sheet.sections] == [
        ["Town: Arvik; Since: 2025-01-02; Open: true", "Town: Brenn; Since: 2025-03-04 07:40:00; Open: no"],
        ["Port: North; Depth: 3"],
    ]
