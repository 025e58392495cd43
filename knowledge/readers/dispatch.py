"""Bytes → blocks: the loader of a file is chosen by its content first and by its name second."""

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
from knowledge.readers.kinds import detect_kind
from knowledge.readers.latex_files import load_latex
from knowledge.readers.mail import load_mail, load_mailbox
from knowledge.readers.markdown import load_markdown, load_text
from knowledge.readers.notebook import load_notebook
from knowledge.readers.opendocument import load_flat_opendocument, load_opendocument
from knowledge.readers.pdf import load_pdf, no_seconds
from knowledge.readers.pptx import load_pptx
from knowledge.readers.rtf import load_rtf
from knowledge.readers.source_code import load_code
from knowledge.readers.subtitles import load_subtitles
from knowledge.readers.xlsx import load_xlsx
from knowledge.readers.xml_files import load_xml
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
    *(
        ".kt",
        ".sh",
        ".sql",
        ".r",
        ".css",
        ".yaml",
        ".yml",
        ".toml",
        ".ini",
        ".jsx",
        ".tsx",
        ".mjs",
        ".vue",
        ".scala",
    ),
    *(
        ".lua",
        ".pl",
        ".dart",
        ".jl",
        ".ps1",
        ".bat",
        ".cc",
        ".hh",
        ".m",
        ".ex",
        ".exs",
        ".hs",
        ".clj",
        ".cfg",
        ".proto",
    ),
)
_OPENDOCUMENT = (".odt", ".ods", ".odp", ".ott", ".ots", ".otp")
LOADERS: dict[str, Loader] = {
    loader.name: loader
    for loader in (
        Loader("pdf", (".pdf",), lambda file: load_pdf(file.data, file.password, file.request_seconds)),
        Loader("docx", (".docx", ".docm"), lambda file: load_docx(Archive(file.data))),
        Loader("pptx", (".pptx", ".pptm", ".ppsx"), lambda file: load_pptx(Archive(file.data))),
        Loader("xlsx", (".xlsx", ".xlsm"), lambda file: load_xlsx(file.data)),
        Loader("epub", (".epub",), lambda file: load_epub(Archive(file.data))),
        Loader("json", (".json", ".geojson", ".jsonld"), lambda file: load_json(file.text)),
        Loader("jsonl", (".jsonl", ".ndjson"), lambda file: load_json_lines(file.text)),
        Loader(
            "image",
            (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"),
            lambda file: load_image(file.data, file.request_seconds),
        ),
        Loader("html", (".html", ".htm", ".xhtml"), lambda file: load_html(file.data, file.charset)),
        Loader(
            "markdown",
            (".md", ".markdown", ".mdown", ".mdx", ".qmd", ".rmd", ".rst"),
            lambda file: load_markdown(file.text),
        ),
        Loader("csv", (".csv",), lambda file: load_csv(file.text)),
        Loader("tsv", (".tsv", ".tab"), lambda file: load_csv(file.text, "\t")),
        Loader("opendocument", _OPENDOCUMENT, lambda file: load_opendocument(Archive(file.data))),
        Loader(
            "flat opendocument", (".fodt", ".fods", ".fodp"), lambda file: load_flat_opendocument(file.data)
        ),
        Loader("rtf", (".rtf",), lambda file: load_rtf(file.data)),
        Loader("mail", (".eml",), lambda file: load_mail(file.data, _attachment)),
        Loader("mailbox", (".mbox",), lambda file: load_mailbox(file.data, _attachment)),
        Loader("notebook", (".ipynb",), lambda file: load_notebook(file.text)),
        Loader("subtitles", (".srt", ".vtt"), lambda file: load_subtitles(file.text)),
        Loader("latex", (".tex", ".ltx"), lambda file: load_latex(file.text)),
        Loader("xml", (".xml", ".rss", ".atom", ".svg", ".kml", ".gpx"), lambda file: load_xml(file.data)),
        Loader("code", _CODE, lambda file: load_code(file.text, file.suffix)),
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
    "application/rtf": "rtf",
    "text/rtf": "rtf",
    "message/rfc822": "mail",
    "application/mbox": "mailbox",
    "application/x-ipynb+json": "notebook",
    "application/x-subrip": "subtitles",
    "text/vtt": "subtitles",
    "application/x-tex": "latex",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/rss+xml": "xml",
    "application/atom+xml": "xml",
    "text/plain": "text",
}


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
    kind = detect_kind(data, SUFFIXES.get(suffix) or MEDIA_TYPES.get(media.strip().lower(), ""), suffix)
    parsed = LOADERS[kind].load(FileContent(data, suffix, charset, password, request_seconds))
    return _clean(parsed)


def _attachment(data: bytes, name: str, content_type: str) -> ParsedFile:
    """What hangs on a mail; scanned pages are not recognised there."""
    return load(data, name, content_type)


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
