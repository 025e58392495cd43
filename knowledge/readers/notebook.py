"""Jupyter notebooks → blocks: Markdown cells as Markdown, code as code, what it printed as text; no pictures."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile
from knowledge.readers.html import load_html_text
from knowledge.readers.markdown import load_markdown

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)")  # a bar of progress is drawn again and again on one line
_NAMELESS = re.compile(
    r"<(?:IPython\.core\.display|pandas\.io\.formats\.style)\.\w+(?: object)?(?: at 0x\w+)?>"
)
MAX_OUTPUT_LINES = 200  # of one cell; more is a log


def load_notebook(text: str) -> ParsedFile:
    """The blocks of a notebook. Raises DocumentError when it is none."""
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"it is not valid JSON, as a notebook is ({error})") from error
    if not isinstance(notebook, Mapping) or not isinstance(_cells(notebook), list):
        raise DocumentError("it is named as a notebook and holds no cells")
    blocks = tuple(block for cell in _cells(notebook) for block in _cell(cell))
    title = next((block.text for block in blocks if block.kind == "heading" and block.level == 1), "")
    return ParsedFile(title, blocks)


def _cells(notebook: Mapping[str, Any]) -> Any:
    """The cells of today's format, or of the one before, which divided them into sheets."""
    sheets = notebook.get("worksheets")
    if "cells" not in notebook and isinstance(sheets, list):
        return [cell for sheet in sheets if isinstance(sheet, Mapping) for cell in sheet.get("cells", [])]
    return notebook.get("cells")


def _cell(cell: Any) -> Iterator[Block]:
    if not isinstance(cell, Mapping):
        return
    source = _text(cell.get("source", cell.get("input")))
    kind = cell.get("cell_type")
    if kind == "markdown":
        yield from load_markdown(source).blocks
    elif kind == "heading":
        yield Block("heading", source, level=int(cell.get("level") or 1))
    elif kind == "code" and source.strip():
        yield Block("code", source)
    elif source.strip():
        yield Block("text", source)
    outputs = cell.get("outputs")
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, Mapping):
            yield from _output(output)


def _output(output: Mapping[str, Any]) -> Iterator[Block]:
    data = output.get("data")
    shown: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    if output.get("output_type") in ("error", "pyerr"):
        text = f"{output.get('ename', '')}: {output.get('evalue', '')}"
    else:
        text = _text(output.get("text")) or _text(shown.get("text/plain"))
    page, written = _text(shown.get("text/html")), _text(shown.get("text/markdown"))
    nameless = not text.strip() or bool(_NAMELESS.fullmatch(text.strip()))
    if "<table" in page or (page and nameless):
        yield from load_html_text(page).blocks
    elif written and nameless:
        yield from load_markdown(written).blocks
    elif nameless and (formula := _text(shown.get("text/latex"))):
        yield Block("text", formula)
    elif nameless and "application/json" in shown:
        yield Block("code", json.dumps(shown["application/json"], ensure_ascii=False))
    elif (text := _OVERWRITTEN.sub("", _COLOURS.sub("", text))).strip():
        yield Block("code", "\n".join(text.split("\n")[:MAX_OUTPUT_LINES]))


def _text(value: Any) -> str:
    """A text, or its lines as a list."""
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
