"""Scans and pictures, where text recognition is installed."""

import pypdfium2
import pytest

from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.pdf_maker import PdfPage, pdf
from tests.knowledge.readers.samples import saved_picture

pytestmark = pytest.mark.slow

pytest.importorskip("rapidocr", reason="the extra `ocr` is not installed")


@pytest.fixture(scope="module")
def picture() -> object:
    page = PdfPage().text(60, 60, "Lamp manual", 24).text(60, 100, "The lamp weighs 640 grams.", 12)
    return (
        pypdfium2.PdfDocument(pdf(page.text(60, 130, "灯笼重六百四十克。", 14)))[0].render(scale=1.4).to_pil()
    )


@pytest.mark.parametrize("form", ["PDF", "JPEG"])
def test_scans_and_pictures_are_recognised(form: str, picture: object) -> None:
    document = read_bytes(f"scan.{form.lower()}", saved_picture(picture, form))
    assert "The lamp weighs 640 grams." in document.text
    assert document.notes == ()
