"""Other libraries read files, in an environment of their own: `python documents_others.py READER… < paths > JSON`.

    pip install "markitdown[docx,pptx,xlsx,pdf]" pypdf trafilatura kreuzberg

Standard input has a path a line; standard output is one JSON document: {reader: {path: [text, seconds]}}. It imports
nothing of Imprint.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path


def markitdown() -> Callable[[str], str]:
    """Microsoft's converter to Markdown, every kind."""
    from markitdown import MarkItDown

    converter = MarkItDown()
    return lambda path: str(converter.convert(path).text_content)


def pypdf() -> Callable[[str], str]:
    """The text layer of PDFs."""
    from pypdf import PdfReader

    return lambda path: "\n".join(page.extract_text() for page in PdfReader(path).pages)


def trafilatura() -> Callable[[str], str]:
    """The main text of web pages, with their tables, as Markdown."""
    from trafilatura import extract

    def read(path: str) -> str:
        page = Path(path).read_text(encoding="utf-8", errors="replace")
        return extract(page, output_format="markdown", include_tables=True) or ""

    return read


def kreuzberg() -> Callable[[str], str]:
    """Every kind, as Markdown."""
    from kreuzberg import ExtractionConfig, extract_file_sync

    config = ExtractionConfig(output_format="markdown")
    return lambda path: str(extract_file_sync(path, config=config).content)


ENDINGS = {"pypdf": (".pdf",), "trafilatura": (".html",)}  # what they read; the others read every kind
READERS = {"markitdown": markitdown, "pypdf": pypdf, "trafilatura": trafilatura, "kreuzberg": kreuzberg}


def main() -> None:
    """Read every path with every reader that was named; what cannot be read is an empty text."""
    paths = sys.stdin.read().splitlines()
    found: dict[str, dict[str, tuple[str, float]]] = {}
    for name in sys.argv[1:]:
        read = READERS[name]()
        found[name] = {}
        for path in (one for one in paths if one.endswith(ENDINGS.get(name, ("",)))):
            started = time.process_time()
            try:
                text = read(path)
            except Exception as error:  # a library that fails on a file has read nothing of it
                print(f"{name}: {path}: {error!r}"[:300], file=sys.stderr)
                text = ""
            found[name][path] = (text, time.process_time() - started)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
