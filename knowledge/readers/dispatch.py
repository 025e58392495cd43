"""Bytes → blocks: the loader of a file is chosen by its content first and by its name second."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from knowledge.errors import DocumentError
from knowledge.readers.blocks import MAX_BLOCKS, MAX_CHARACTERS, ParsedFile
from knowledge.readers.csv_files import load_csv
from knowledge.readers.docx import load_docx
from knowledge.readers.encodings import decode
from knowledge.readers.epub import load_epub
from knowledge.readers.html import load_html
from knowledge.readers.images import load_image
from knowledge.readers.json_files import load_json, load_json_lines
from knowledge.readers.markdown import load_code, load_markdown, load_text
from knowledge.readers.pdf import load_pdf, no_seconds
from knowledge.readers.pptx import load_pptx
from knowledge.readers.xlsx import load_xlsx
from knowledge.readers.zip_container import Archive


@dataclass(frozen=True)
class FileContent:
    """What a loader is given."""

    data: bytes
    suffix: str  # lower case, with its dot
    charset: str = ""  # from the content type of a server
    password: str | None = None
    request_seconds: Callable[[int], float] = no_seconds

    @property
    def text(self) -> str:
        """The bytes as text, in whatever encoding they are."""
        return decode(self.data, self.charset)


@dataclass(frozen=True)
class Loader:
    """One kind of document."""

    name: str
    suffixes: tuple[str, ...]
    load: Callable[[FileContent], ParsedFile]


_CODE = (
    *(".py", ".js", ".ts", ".java", ".c", ".h", ".cpp", ".hpp", ".cs", ".go", ".rs", ".rb", ".php", ".swift"),
    *(".kt", ".sh", ".sql", ".r", ".css", ".yaml", ".yml", ".toml", ".ini"),
)
LOADERS: dict[str, Loader] = {
    loader.name: loader
    for loader in (
        Loader("pdf", (".pdf",), lambda file: load_pdf(file.data, file.password, file.request_seconds)),
        Loader("docx", (".docx", ".docm"), lambda file: load_docx(Archive(file.data))),
        Loader("pptx", (".pptx", ".pptm", ".ppsx"), lambda file: load_pptx(Archive(file.data))),
        Loader("xlsx", (".xlsx", ".xlsm"), lambda file: load_xlsx(file.data)),
        Loader("epub", (".epub",), lambda file: load_epub(Archive(file.data))),
        Loader("json", (".json",), lambda file: load_json(file.text)),
        Loader("jsonl", (".jsonl", ".ndjson"), lambda file: load_json_lines(file.text)),
        Loader(
            "image",
            (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"),
            lambda file: load_image(file.data, file.request_seconds),
        ),
        Loader("html", (".html", ".htm", ".xhtml"), lambda file: load_html(file.data, file.charset)),
        Loader("markdown", (".md", ".markdown", ".mdown", ".rst"), lambda file: load_markdown(file.text)),
        Loader("csv", (".csv",), lambda file: load_csv(file.text)),
        Loader("tsv", (".tsv", ".tab"), lambda file: load_csv(file.text, "\t")),
        Loader("code", _CODE, lambda file: load_code(file.text)),
        Loader("text", (".txt", ".text", ".log"), lambda file: load_text(file.text)),
    )
}
SUFFIXES = {suffix: loader.name for loader in LOADERS.values() for suffix in loader.suffixes}
MEDIA_TYPES = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    "text/markdown": "markdown",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/x-ndjson": "jsonl",
    "text/plain": "text",
}
_ZIP_KINDS = {  # a member by which the kind of a zip container is known
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "META-INF/container.xml": "epub",
}
_UNSUPPORTED = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "it is an old Office file (.doc, .xls, .ppt): save it in today's format",
    ),
    (b"{\\rtf", "it is RTF, which is not read: save it as DOCX"),
    (b"\x1f\x8b", "it is a packed archive: unpack it and add what is inside"),
    (b"Rar!", "it is a packed archive: unpack it and add what is inside"),
    (b"7z\xbc\xaf", "it is a packed archive: unpack it and add what is inside"),
)
_HTML_START = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"BM")


def load(
    data: bytes,
    name: str,
    content_type: str = "",
    password: str | None = None,
    request_seconds: Callable[[int], float] = no_seconds,
) -> ParsedFile:
    """The blocks of a document. Raises DocumentError with the reason, without the name."""
    suffix = PurePosixPath(name).suffix.lower()
    media, _, parameters = content_type.partition(";")
    charset = parameters.rpartition("charset=")[2].strip(" \"'") if "charset=" in parameters else ""
    kind = detect_kind(data, suffix, media.strip().lower())
    parsed = LOADERS[kind].load(FileContent(data, suffix, charset, password, request_seconds))
    return _clean(parsed)


def detect_kind(data: bytes, suffix: str, media_type: str = "") -> str:
    """The name of the loader for these bytes."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK"):
        return _zip_kind(data)
    if data.startswith(_UNSUPPORTED[0][0]) and _encrypted_office(data):
        raise DocumentError("it is encrypted: save it without a password first")
    for magic, reason in _UNSUPPORTED:
        if data.startswith(magic):
            raise DocumentError(reason)
    if data.startswith(_IMAGES[:-1]) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "image"
    named = SUFFIXES.get(suffix) or MEDIA_TYPES.get(media_type, "")
    if named in ("pdf", *_ZIP_KINDS.values()):
        raise DocumentError(
            f"it is named {suffix} and is not {named.upper()} inside; it is damaged or misnamed"
        )
    if named in ("", "text") and _HTML_START.match(data[:4096]):
        return "html"
    return named or "text"


def _zip_kind(data: bytes) -> str:
    names = Archive(data).names
    for member, kind in _ZIP_KINDS.items():
        if member in names:
            return kind
    raise DocumentError("it is a zip archive: unpack it and add what is inside")


def _encrypted_office(data: bytes) -> bool:
    return "EncryptedPackage".encode("utf-16-le") in data


def _clean(parsed: ParsedFile) -> ParsedFile:
    """Text that any store can hold, and not more of it than a document has."""
    if len(parsed.blocks) > MAX_BLOCKS:
        raise DocumentError(f"it holds more than {MAX_BLOCKS:,} paragraphs; split it into smaller files")
    blocks = []
    total = 0
    for block in parsed.blocks:
        text = _storable(block.text)
        total += len(text)
        if total > MAX_CHARACTERS:
            raise DocumentError(
                f"it holds more than {MAX_CHARACTERS:,} characters; split it into smaller files"
            )
        blocks.append(replace(block, text=text) if text is not block.text else block)
    return ParsedFile(_storable(parsed.title)[:300], tuple(blocks), parsed.notes)


def _storable(text: str) -> str:
    """Without lone surrogates and NUL, which neither JSON readers nor databases keep."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
