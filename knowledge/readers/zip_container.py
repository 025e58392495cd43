"""Zip containers (DOCX, PPTX, XLSX, EPUB) read within bounds, and XML without entities or network."""

import io
import posixpath
import zipfile
import zlib
from urllib.parse import unquote

from lxml import etree

from knowledge.errors import DocumentError

MAX_MEMBERS = 20_000
MAX_UNPACKED = 400 * 2**20
MAX_RATIO = 300  # text packs 10 to 30 times; a bomb packs a thousand times
RATIO_EXEMPT_BYTES = 20 * 2**20  # below this no ratio matters


class Archive:
    """A zip file in memory whose members are looked up by name and never written anywhere."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
            raise DocumentError(f"it is damaged or cut off ({error})") from error
        self.names = frozenset(self._zip.namelist())
        self._check(len(data))

    def read(self, name: str) -> bytes:
        """One member. Raises DocumentError when it is missing or damaged."""
        try:
            return self._zip.read(name)
        except KeyError as error:
            raise DocumentError(f"it is incomplete: {name} is missing") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
            raise DocumentError(f"it is damaged: {name} cannot be unpacked ({error})") from error
        except (RuntimeError, NotImplementedError) as error:
            raise DocumentError(f"{name} is packed in a way that cannot be read ({error})") from error

    def xml(self, name: str) -> etree._Element:
        """One member as XML."""
        return parse_xml(self.read(name), name)

    def _check(self, packed: int) -> None:
        members = self._zip.infolist()
        unpacked = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS:
            raise DocumentError(
                f"it holds {len(members):,} files, more than a document has ({MAX_MEMBERS:,})"
            )
        if unpacked > MAX_UNPACKED or unpacked > max(RATIO_EXEMPT_BYTES, MAX_RATIO * packed):
            raise DocumentError(
                f"it unpacks from {packed / 2**10:,.0f} KiB to {unpacked / 2**20:,.0f} MiB, as no document does"
            )


def relations(archive: Archive, name: str) -> dict[str, tuple[str, str]]:
    """Id → (kind, member) of what a part of an Office file refers to inside the file."""
    folder, file = posixpath.split(name)
    member = f"{folder}/_rels/{file}.rels"
    if member not in archive.names:
        return {}
    found = {}
    for relation in archive.xml(member):
        if relation.get("TargetMode") == "External":
            continue
        target = unquote(relation.get("Target") or "")
        path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[relation.get("Id") or ""] = ((relation.get("Type") or "").rpartition("/")[2], path)
    return found


def parse_xml(data: bytes, name: str = "its XML") -> etree._Element:
    """XML with entities and external files left alone. Raises DocumentError when it is damaged."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(f"it is damaged: {name} is not valid XML ({error})") from error


def main_part(archive: Archive) -> str:
    """Where an Office file says that its document lies; Word's is mostly "word/document.xml", and not always."""
    if "word/document.xml" in archive.names:
        return "word/document.xml"
    if "_rels/.rels" not in archive.names:
        return ""
    linked = archive.xml("_rels/.rels")
    parts = (one.get("Target") or "" for one in linked if (one.get("Type") or "").endswith("/officeDocument"))
    return next(parts, "").lstrip("/")
