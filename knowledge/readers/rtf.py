"""RTF → blocks: paragraphs and tables. Headings are not told from text: RTF knows them by style numbers alone."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from striprtf.striprtf import rtf_to_text

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.tables import table_block

_RAW = re.compile(rb"[\x80-\xff]")
_TITLE = re.compile(r"\{\\info.{0,2000}?\{\\title ([^{}]{1,600})\}", re.DOTALL)
_CELL = "|"  # what the library writes at the end of each cell


def load_rtf(data: bytes) -> ParsedFile:
    """The blocks of an RTF file. Raises DocumentError when it cannot be read."""
    # Bytes that are no ASCII belong to the file's code page, which is applied to escapes.
    source = _RAW.sub(lambda match: b"\\'%02x" % match[0][0], data).decode("ascii")
    # Without its keyword a field is a group like others, and the library does not search each to the end of the file.
    source = source.replace("{\\field{", "{{")
    try:
        text = rtf_to_text(source, errors="replace")
        title = _TITLE.search(source)
        named = one_line(rtf_to_text(f"{{\\rtf1 {title[1]}}}", errors="replace")) if title else ""
    except (ValueError, LookupError, TypeError) as error:
        raise DocumentError(f"its RTF is damaged ({error})") from error
    return ParsedFile(named, tuple(_blocks(text.split("\n"))))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    for is_table, group in groupby(lines, key=lambda line: line.rstrip().endswith(_CELL)):
        if is_table:
            rows = [line.rstrip().removesuffix(_CELL).split(_CELL) for line in group]
            if block := table_block(rows):
                yield block
        else:
            yield from (Block("text", text) for line in group if (text := one_line(line)))
