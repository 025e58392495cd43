"""The archive's format: a ZIP file with the home's files under `home/` and, last, a manifest of them.

The manifest names every file with size, sha256 and time. Nothing is believed of an archive that it does not say
twice: the list of the ZIP file and the manifest must agree, and the content must have the hash.
"""

import hashlib
import json
import lzma
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn

from assistant.errors import BackupError
from assistant.home.layout import is_content
from assistant.storage import owner_only

FORMAT = 1
MANIFEST = "manifest.json"
ROOT = "home/"
MAX_MANIFEST_BYTES = 256 << 20
CHUNK = 1 << 20
LATEST_SECONDS = 253_402_300_799.0  # the end of the year 9999
# What reading a member of a damaged ZIP file raises: its places, sizes, method or compressed bytes are nonsense.
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError),
    *(NotImplementedError, RuntimeError, OSError, OverflowError, ValueError),
)
# Called with the bytes done so far and their sum.
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class Entry:
    """One file of a backup; its path is relative to the home, with slashes."""

    path: str
    size: int
    sha256: str
    modified: float  # seconds since 1970


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    created: float
    version: str  # of Imprint
    home: str  # where it was
    files: tuple[Entry, ...]
    with_secrets: bool = False
    with_models: bool = False
    format: int = FORMAT

    def to_json(self) -> str:
        """The text of the manifest file."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read `to_json`'s text. Raises ValueError, KeyError or TypeError."""
        record: dict[str, Any] = json.loads(text)
        if record["format"] != FORMAT:
            raise ValueError(f"it has format {record['format']!r}, and this Imprint reads {FORMAT}")
        files = tuple(_entry(one) for one in record["files"])
        return cls(
            created=_seconds(record["created"]),
            version=str(record["version"]),
            home=str(record["home"]),
            files=files,
            with_secrets=bool(record["with_secrets"]),
            with_models=bool(record["with_models"]),
        )


class Backup:
    """An archive that is open for reading; its list of files has been checked, their content not yet."""

    def __init__(self, path: Path) -> None:
        """Raises BackupError where it is no backup, damaged, of another format, or made to do harm."""
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise BackupError(f"There is no backup {str(path)!r}. Check its path.") from None
        except (OSError, zipfile.BadZipFile, ValueError) as error:
            self._refuse(f"it cannot be read as a ZIP file ({error})", error)
        try:
            self.manifest = self._manifest()
            self._check_list()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> "Backup":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def size(self) -> int:
        """The bytes that its files take when they are restored."""
        return sum(entry.size for entry in self.manifest.files)

    def extract(self, folder: Path, on_progress: OnProgress, sync: Callable[[BinaryIO], None]) -> None:
        """Write every file under `folder`, checking its hash. Raises BackupError at the first that is damaged."""
        done = 0
        for entry in self.manifest.files:
            target = folder / entry.path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            digest = hashlib.sha256()
            with open(target, "xb", opener=owner_only) as file:
                for chunk in self._chunks(entry):
                    digest.update(chunk)
                    file.write(chunk)
                    done += len(chunk)
                    on_progress(done, self.size)
                sync(file)
            if digest.hexdigest() != entry.sha256:
                self._refuse(f"{entry.path!r} is damaged: its sha256 is not that of the manifest")

    def _chunks(self, entry: Entry) -> Any:
        left = entry.size
        try:
            with self._zip.open(ROOT + entry.path) as file:
                while left and (chunk := file.read(min(CHUNK, left))):
                    left -= len(chunk)
                    yield chunk
        except DAMAGE as error:
            self._refuse(f"{entry.path!r} is damaged ({error})", error)

    def _manifest(self) -> Manifest:
        try:
            info = self._zip.getinfo(MANIFEST)
            if info.file_size > MAX_MANIFEST_BYTES:
                raise ValueError(f"its manifest has {info.file_size} bytes")
            with self._zip.open(info) as file:
                return Manifest.from_json(file.read(MAX_MANIFEST_BYTES))
        except KeyError as error:
            self._refuse(f"it holds no {error}", error)
        except (*DAMAGE, TypeError, AttributeError) as error:
            is_said = type(error) is ValueError  # by the lines above, not by a parser
            self._refuse(str(error) if is_said else f"its manifest cannot be read ({error})", error)

    def _check_list(self) -> None:
        """Refuse paths that lead out of the home, links, doublets, sizes that disagree, and what no backup holds."""
        listed: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            if info.filename in listed:
                self._refuse(f"it holds {info.filename!r} twice")
            listed[info.filename] = info
        wanted = {ROOT + entry.path: entry for entry in self.manifest.files}
        if len(wanted) != len(self.manifest.files) or listed.keys() != {*wanted, MANIFEST}:
            odd = sorted(listed.keys() ^ {*wanted, MANIFEST})
            self._refuse(f"its manifest and its content disagree about {(odd or ['a file'])[0]!r}")
        for name, entry in wanted.items():
            self._check_path(entry.path)
            mode = listed[name].external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG):  # 0: written by a system without modes
                self._refuse(f"{entry.path!r} is no ordinary file")
            if listed[name].file_size != entry.size:
                self._refuse(f"{entry.path!r} has another size than its manifest says")

    def _check_path(self, text: str) -> None:
        path = PurePosixPath(text)
        is_plain = path.parts and str(path) == text and not path.is_absolute() and ".." not in path.parts
        if not is_plain or any(c in text for c in "\\\0") or any(":" in part[1:2] for part in path.parts):
            self._refuse(f"the path {text!r} leads out of the home")
        if not is_content(path, with_models=True):
            self._refuse(f"{text!r} is nothing that a backup holds")

    def _refuse(self, why: str, cause: BaseException | None = None) -> NoReturn:
        raise BackupError(
            f"{str(self.path)!r} cannot be restored: {why}. Nothing was changed; use another backup."
        ) from cause


def _entry(record: Mapping[str, Any]) -> Entry:
    size, sha256 = record["size"], record["sha256"]
    if not isinstance(size, int) or size < 0 or not isinstance(sha256, str):
        raise ValueError(f"its manifest says nonsense about {record['path']!r}")
    return Entry(str(record["path"]), size, sha256, _seconds(record["modified"]))


def _seconds(value: Any) -> float:
    """A time that can be shown and given to a file. Raises ValueError."""
    seconds = float(value)
    if not abs(seconds) <= LATEST_SECONDS:  # nor is NaN
        raise ValueError(f"its manifest names the time {str(value)[:40]!r}")
    return seconds
