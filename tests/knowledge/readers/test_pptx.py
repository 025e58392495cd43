"""PPTX: slides as pages, tables, charts and notes."""

import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.samples import saved
from tests.knowledge.readers.sections import sections_of


def test_pptx_slides_are_pages_with_tables_charts_and_notes() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Lamps"
    slide.placeholders[1].text = "They shine"
    slide.notes_slide.notes_text_frame.text = "Smile here"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Figures"
    table = second.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, cells in enumerate((("Lamp", "Watt"), ("Aurora", "12"), ("Borealis", "34"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    data = CategoryChartData()
    data.categories = ["2024", "2025"]
    data.add_series("sold", (7, 9))
    second.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), data)
    document = read_bytes("a.pptx", saved(deck))
    assert [
        (section.page, *line) for section, line in zip(document.sections, sections_of(document), strict=True)
    ] == [
        (1, "text", "They shine\n\nNotes: Smile here", ("Lamps",)),
        (2, "table", "Lamp: Aurora; Watt: 12\nLamp: Borealis; Watt: 34", ("Figures",)),
        (2, "table", "category: 2024; sold: 7\ncategory: 2025; sold: 9", ("Figures",)),
    ]


def test_slide_with_nothing_but_a_title_is_found() -> None:
    deck = pptx.Presentation()
    for title in ("First", "Second"):
        deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = title
    assert [section.text for section in read_bytes("a.pptx", saved(deck)).sections] == ["First", "Second"]
