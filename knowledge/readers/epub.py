"""EPUB → blocks: its chapters in reading order, each through the HTML loader; the chapter is the page."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.html import load_html
from knowledge.readers.zip_container import Archive

_CONTAINER = "META-INF/container.xml"
_MARKUP = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def load_epub(archive: Archive) -> ParsedFile:
    """The blocks of a book. Raises DocumentError when it is protected (DRM) or names no chapters."""
    rootfile = next(_local(archive.xml(_CONTAINER), "rootfile"), None)
    package_name = "" if rootfile is None else rootfile.get("full-path") or ""
    package = archive.xml(package_name)
    encrypted = _encrypted(archive)
    title = one_line(next((part.text or "" for part in _local(package, "title")), ""))
    blocks: list[Block] = []
    locked = 0
    for number, name in enumerate(_spine(package, posixpath.dirname(package_name)), start=1):
        if name in encrypted:
            locked += 1
        elif name in archive.names:
            blocks.extend(_chapter(archive.read(name), number))
    if not blocks:
        raise DocumentError(
            "it is protected against copying (DRM)" if locked else "it has no chapters with text"
        )
    notes = (f"{locked} chapters are protected against copying and were not read",) if locked else ()
    return ParsedFile(title, tuple(blocks), notes)


def _chapter(data: bytes, number: int) -> tuple[Block, ...]:
    try:
        return load_html(data, page=number).blocks
    except DocumentError:
        return ()  # a cover page that is only a picture


def _spine(package: etree._Element, folder: str) -> list[str]:
    """The names of the chapters inside the file, in reading order."""
    items = {item.get("id"): item for item in _local(package, "item")}
    names = []
    for reference in _local(package, "itemref"):
        item = items.get(reference.get("idref"))
        if item is not None and (item.get("media-type") or _MARKUP[0]) in _MARKUP:
            names.append(posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or ""))))
    return list(dict.fromkeys(names))


def _encrypted(archive: Archive) -> set[str]:
    if "META-INF/encryption.xml" not in archive.names:
        return set()
    return {
        unquote(part.get("URI") or "")
        for part in _local(archive.xml("META-INF/encryption.xml"), "CipherReference")
    }


def _local(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return (
        part for part in element.iter() if isinstance(part.tag, str) and etree.QName(part).localname == name
    )
