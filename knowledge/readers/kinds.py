"""Bytes → the kind of document they are, or the true reason why they are not read."""

import re

from knowledge.errors import DocumentError
from knowledge.readers.zip_container import Archive, main_part

_ZIP_KINDS = {  # a member by which the kind of a zip container is known
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "META-INF/container.xml": "epub",
}
_UNREAD_ZIPS = {
    "xl/workbook.bin": "it is a binary Excel workbook (.xlsb): save it as .xlsx",
    "visio/document.xml": "it is a Visio drawing: save it as PDF",
    "Index/Document.iwa": "it is a file of Apple Pages, Numbers or Keynote: export it as PDF or in an Office format",
    "Index.zip": "it is a file of Apple Pages, Numbers or Keynote: export it as PDF or in an Office format",
    "META-INF/MANIFEST.MF": "it is a Java program (.jar), not a document",
    "AndroidManifest.xml": "it is an Android program (.apk), not a document",
    "doc.kml": "it is a map (.kmz): unpack it and add the KML inside",
}
_OPENDOCUMENT = b"application/vnd.oasis.opendocument."
_OPENDOCUMENT_KINDS = (b"text", b"spreadsheet", b"presentation")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_KINDS = (  # a stream by which the kind of an OLE container is known, and why it is not read
    ("EncryptedPackage", "it is encrypted: save it without a password first"),
    ("__substg1.0_", "it is an Outlook mail (.msg): save it as .eml, or forward it as an attachment"),
    ("WordDocument", "it is an old Word document (.doc): save it as .docx"),
    ("PowerPoint Document", "it is an old PowerPoint presentation (.ppt): save it as .pptx"),
    ("Workbook", "it is an old Excel workbook (.xls): save it as .xlsx"),
    ("Book", "it is an old Excel workbook (.xls): save it as .xlsx"),
    ("VisioDocument", "it is a Visio drawing: save it as PDF"),
)
_PACKED = "it is a packed archive: unpack it and add what is inside"
_SOUND = "it is a recording, which is not read: add what was said as text or subtitles"
_FILM = "it is a film, which is not read: add its subtitles"
_PROGRAM = "it is a program, not a document"
_UNREAD = (
    *((b"\x1f\x8b", _PACKED), (b"Rar!", _PACKED), (b"7z\xbc\xaf", _PACKED), (b"BZh", _PACKED)),
    *((b"\xfd7zXZ\x00", _PACKED), (b"\x28\xb5\x2f\xfd", _PACKED)),
    *(
        (b"ID3", _SOUND),
        (b"OggS", _SOUND),
        (b"fLaC", _SOUND),
        (b"\xff\xfb", _SOUND),
        (b"\x1aE\xdf\xa3", _FILM),
    ),
    *((b"\x7fELF", _PROGRAM), (b"MZ\x90", _PROGRAM), (b"\xca\xfe\xba\xbe", _PROGRAM), (b"\x00asm", _PROGRAM)),
    (b"SQLite format 3\x00", "it is a SQLite database: export its tables as CSV"),
    (b"PAR1", "it is a Parquet table: export it as CSV"),
    (
        b"\x78\x9f\x3e\x22",
        "it holds what Outlook packs (winmail.dat): have the mail sent as HTML or text",
    ),
    (b"%!PS", "it is PostScript: convert it to PDF"),
    (b"AT&TFORM", "it is a DjVu book: convert it to PDF"),
)
_HTML_START = re.compile(
    rb"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_FLAT_OPENDOCUMENT = re.compile(rb"<office:document\b")
_MAIL_START = re.compile(
    rb"\A(?:From |(?:Return-Path|Received|Delivered-To|MIME-Version|Message-ID|X-[\w-]+): )", re.I
)
_HEADER = re.compile(rb"\A(?:[A-Za-z][A-Za-z0-9-]{0,60}:[^\n]*\n(?:[ \t][^\n]*\n)*)+\r?\n")
_OF_MAIL = re.compile(
    rb"^(?:MIME-Version|Content-Transfer-Encoding|Message-ID|Received|Return-Path):", re.I | re.M
)
_FROM_WHOM = re.compile(rb"^(?:From|Subject|To):", re.I | re.M)
_NOTEBOOK = re.compile(rb'"nbformat"\s*:\s*\d')
_IMAGES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*")
_BY_CONTENT = ("pdf", "opendocument", *_ZIP_KINDS.values())  # whose content says what they are


def detect_kind(data: bytes, named: str, suffix: str = "") -> str:
    """The name of the loader for these bytes, `named` being that of the file's suffix or media type.

    Raises DocumentError with the reason where there is no loader.
    """
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK"):
        return _zip_kind(data)
    if data.startswith(_OLE):
        raise DocumentError(_ole_reason(data))
    if data.startswith(b"{\\rtf"):
        return "rtf"
    if reason := _unread_reason(data):
        raise DocumentError(reason)
    if data.startswith(_IMAGES) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "image"
    if named in _BY_CONTENT or named == "rtf":
        called = "OpenDocument" if named == "opendocument" else named.upper()
        raise DocumentError(f"it is named {suffix} and is not {called} inside; it is damaged or misnamed")
    if named in ("", "text", "xml") and _HTML_START.match(data[:4096]):
        return "html"
    if named in ("", "xml") and _FLAT_OPENDOCUMENT.search(data[:4096]):
        return "flat opendocument"
    if not named and data.lstrip().startswith(b"<?xml"):
        return "xml"
    if named == "json" and _NOTEBOOK.search(data) and b'"cell_type"' in data:
        return "notebook"
    if named in ("", "text") and _is_mail(data):
        return "mail"
    if not named and _MAIL_START.match(data):
        return "mailbox" if data.startswith(b"From ") else "mail"
    return named or "text"


def _is_mail(data: bytes) -> bool:
    """Whether it begins with the header of a mail, whatever its name."""
    header = _HEADER.match(data[:65_536])
    return bool(header and _OF_MAIL.search(header[0]) and _FROM_WHOM.search(header[0]))


def _zip_kind(data: bytes) -> str:
    archive = Archive(data)
    for member, kind in _ZIP_KINDS.items():
        if member in archive.names:
            return kind
    if main_part(archive).startswith("word/"):
        return "docx"
    if "mimetype" in archive.names and archive.read("mimetype").startswith(_OPENDOCUMENT):
        media = archive.read("mimetype").strip().removeprefix(_OPENDOCUMENT)
        if media.startswith(_OPENDOCUMENT_KINDS):
            return "opendocument"
        raise DocumentError(
            f"it is an OpenDocument {media.decode('ascii', 'replace')}, which holds no text to read"
        )
    for member, reason in _UNREAD_ZIPS.items():
        if member in archive.names:
            raise DocumentError(reason)
    raise DocumentError("it is a zip archive: unpack it and add what is inside")


def _ole_reason(data: bytes) -> str:
    for stream, reason in _OLE_KINDS:
        if stream.encode("utf-16-le") in data:
            return reason
    return "it is an old Office file (.doc, .xls, .ppt): save it in today's format"


def _unread_reason(data: bytes) -> str:
    for magic, reason in _UNREAD:
        if data.startswith(magic):
            return reason
    if data[4:8] == b"ftyp":
        if data[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
            return "it is a photograph in HEIC or AVIF, which is not read: save it as JPEG or PNG"
        return _SOUND if data[8:12].startswith(b"M4A") else _FILM
    if data[:4] == b"RIFF" and data[8:12] in (b"WAVE", b"AVI "):
        return _SOUND if data[8:12] == b"WAVE" else _FILM
    if data[60:68] == b"BOOKMOBI":
        return "it is a Kindle book: convert it to EPUB"
    return ""
