"""PPTX: slides as pages, tables, charts and notes."""

import pptx
from pptx.chart.data import CategoryChartData, XyChartData
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


def test_values_of_a_chart_stand_at_their_categories() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    place = (Inches(1), Inches(1), Inches(3), Inches(3))
    gaps = CategoryChartData(number_format="0.0%")
    gaps.categories = ["Arvik", "Brenn", "Calda"]
    gaps.add_series("2024", (0.1, None, 0.3))
    gaps.add_series("2025", (None, 0.2, 0.30000000000004))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, gaps)
    slide.shapes[0].top = Inches(0)
    levels = CategoryChartData()
    for year, quarters in (("2025", "12"), ("2026", "1")):
        category = levels.add_category(year)
        for quarter in quarters:
            category.add_sub_category(f"Q{quarter}")
    levels.add_series("Boats", (7, 7, 9))
    slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *place, levels)
    points = XyChartData()
    series = points.add_series("Tide")
    series.add_data_point(1, 2.5)
    series.add_data_point(2, 2.5)
    slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, Inches(1), Inches(5), Inches(3), Inches(3), points)
    slide._element.set("show", "0")
    document = read_bytes("a.pptx", saved(deck))
    assert document.text.split("\n") == [
        "category: Arvik; 2024: 10.0%", "category: Brenn; 2025: 20.0%", "category: Calda; 2024: 30.0%; 2025: 30.0%",
        "", "category: 2025 / Q1; Boats: 7", "category: 2025 / Q2; Boats: 7", "category: 2026 / Q1; Boats: 9",
        "", "x: 1; Tide: 2.5", "x: 2; Tide: 2.5",
    ]  # fmt: skip
    assert document.notes == ("slide 1 is hidden, and was read",)
