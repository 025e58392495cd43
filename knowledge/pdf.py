"""PDF → blocks through PDFium: text in reading order, page by page. Scans without a text layer are said clearly."""

import pypdfium2
import pypdfium2.raw as pdfium_c

from knowledge.blocks import Block, Draft, one_line
from knowledge.errors import DocumentError, PasswordNeededError

MAX_PAGES = 5_000


def load_pdf(data: bytes, password: str | None = None) -> Draft:
    """The blocks of a PDF. Raises PasswordNeededError when it is encrypted and the password is not right."""
    document = open_pdf(data, password)
    try:
        count = len(document)
        if count == 0:
            raise DocumentError("it has no pages")
        blocks: list[Block] = []
        empty: list[int] = []
        for number in range(1, min(count, MAX_PAGES) + 1):
            page = document[number - 1]
            text = page.get_textpage().get_text_bounded().replace("\r\n", "\n")
            parts = [part for part in text.split("\n\n") if part.strip()]
            blocks.extend(Block("text", part, number) for part in parts)
            if not parts:
                empty.append(number)
            page.close()
        title = one_line(document.get_metadata_value("Title"))
    finally:
        document.close()
    if not blocks:
        raise DocumentError(
            f"it is a scan: its {count} page{'s hold' if count > 1 else ' holds'} pictures and no text; "
            "run it through OCR first"
        )
    return Draft(title=title, blocks=tuple(blocks))


def open_pdf(data: bytes, password: str | None) -> pypdfium2.PdfDocument:
    """The document, opened. Raises DocumentError for damage and PasswordNeededError for encryption."""
    try:
        return pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            wrong = "its password is not the one given" if password else "it is encrypted: give its password"
            raise PasswordNeededError(wrong) from error
        raise DocumentError(f"it is damaged or cut off ({error})") from error
