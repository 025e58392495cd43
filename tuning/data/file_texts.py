"""A chat file → its texts: within bounds of size, unpacked from a zip or gzip archive, its encoding detected."""

import codecs
import gzip
import io
import json
import re
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

from tuning.data.feedback_files import FEEDBACK
from tuning.errors import ExampleError

MAX_BYTES = 256 << 20  # of a file, and of what an archive unpacks to
MAX_RATIO = 300  # text packs 10 to 30 times; a bomb packs a thousand times
RATIO_EXEMPT_BYTES = 20 << 20  # below this no ratio matters
MAX_MEMBERS = 20_000
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # occurs in no text, soon in anything else
CONVERSATIONS = re.compile(r"(^|/)conversations[^/]*\.json$")
# In an archive that has none: one chat a file, for example. What begins with a dot or an underscore is a program's own.
CHATS = re.compile(r"(^|/)[^/._][^/]*\.(json|jsonl|ndjson|csv|tsv|txt)$", re.IGNORECASE)


def texts(path: Path) -> list[tuple[Path, str]]:
    """The text of a file, or of each conversations file in an archive like ChatGPT's export and of its thumbs, by
    name; where an archive has no such file, of each that may hold chats.

    UTF-8, UTF-16, UTF-32, GB18030 and Windows-1252 are detected from the bytes.
    """
    data = _bytes(path)
    if data.startswith(GZIP):
        return [(path, decoded(_gunzipped(data, path), path))]
    if not data.startswith(ZIP):
        return [(path, decoded(data, path))]
    found = _unzipped(data, path)
    if not found:
        raise ExampleError(
            f"{path} is an archive without chats: it holds no conversations.json, and no .json, .jsonl, .csv or .txt."
        )
    return [(name, decoded(content, name)) for name, content in found]


def is_archive(path: Path) -> bool:
    """Whether a file begins as a zip or gzip archive does; one that cannot be read is none."""
    try:
        with path.open("rb") as file:
            return file.read(4).startswith((ZIP, GZIP))
    except OSError:
        return False


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ExampleError(
                f"{path} has {size / 2**20:,.0f} MiB; at most {MAX_BYTES >> 20} MiB can be imported. Split it."
            )
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # what is no plain file may have no size and no end
    except OSError as error:
        raise ExampleError(f"Cannot read {path}: {error.strerror or error}.") from error
    if len(data) > MAX_BYTES:
        raise ExampleError(f"{path} has more than {MAX_BYTES >> 20} MiB, which is not imported. Split it.")
    if not data.strip():
        raise ExampleError(f"{path} is empty.")
    return data


def _unzipped(data: bytes, path: Path) -> list[tuple[Path, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ExampleError(f"{path} holds {len(members):,} files, more than any export of chats has.")
            chats = [m for m in members if CONVERSATIONS.search(m.filename)]
            chats = chats or [m for m in members if CHATS.search(m.filename) and "__MACOSX" not in m.filename]
            if any(CONVERSATIONS.search(m.filename) for m in chats):
                chats += [m for m in members if FEEDBACK.search(m.filename)]
            _check_unpacked(path, len(data), sum(m.file_size for m in chats))
            # `read` unpacks no more than the size that was checked, whatever the member holds.
            return [(path / m.filename, archive.read(m)) for m in chats]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise _cannot_be_unpacked(path, error) from error


def _gunzipped(data: bytes, path: Path) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            unpacked = file.read(MAX_BYTES + 1)
    except (OSError, zlib.error, EOFError) as error:
        raise _cannot_be_unpacked(path, error) from error
    _check_unpacked(path, len(data), len(unpacked))
    return unpacked


def _check_unpacked(path: Path, packed: int, unpacked: int) -> None:
    if unpacked > MAX_BYTES:
        raise ExampleError(f"{path} unpacks to more than {MAX_BYTES >> 20} MiB, which is not imported.")
    if unpacked > max(RATIO_EXEMPT_BYTES, MAX_RATIO * packed):
        raise ExampleError(
            f"{path} unpacks from {packed / 2**10:,.0f} KiB to {unpacked / 2**20:,.0f} MiB, as no chats do. "
            "It is not imported."
        )


def _cannot_be_unpacked(path: Path, error: Exception) -> ExampleError:
    why = "it has a password" if "encrypted" in str(error) else error
    return ExampleError(f"{path} is an archive that cannot be unpacked ({why}). Unpack it yourself.")


def decoded(data: bytes, path: Path) -> str:
    """The text of `data`; raises `ExampleError` where it is no text."""
    if data.startswith(codecs.BOM_UTF8):
        data = data[len(codecs.BOM_UTF8) :]
    if (text := _damaged_utf8(data)) is not None:
        return text
    candidates = [json.detect_encoding(data), "gb18030", "cp1252"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if CONTROL.search(text, 0, 100_000) or (encoding == "gb18030" and not _looks_chinese(text)):
            continue
        return text.lstrip("\ufeff")
    raise ExampleError(f"{path} is no text file: it is neither UTF-8, UTF-16 nor GB18030.")


def _damaged_utf8(data: bytes) -> str | None:
    """The text of UTF-8 in which some bytes are wrong, those replaced; None for whole UTF-8 and for anything else."""
    try:
        data.decode("utf-8")
        return None
    except UnicodeDecodeError:
        with suppress(UnicodeDecodeError):
            return data.decode("utf-8", "surrogatepass")  # halves of emojis
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    foreign = len(text) - sum(map(str.isascii, text)) - wrong
    return text if foreign > 10 * wrong and not CONTROL.search(text, 0, 100_000) else None


def _looks_chinese(text: str) -> bool:
    foreign = [c for c in text[:100_000] if ord(c) > 127]
    common = sum(
        "\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef" for c in foreign
    )
    return common >= 0.9 * len(foreign)
