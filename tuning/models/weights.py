"""A base's weights as a folder of safetensors, and their hash; a GGUF file is converted once.

It opens no model, how a file is converted is passed in, and it fetches nothing: that is `hub`'s.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from tuning.config import DEFAULT_BASE
from tuning.errors import ModelError
from tuning.models.file_hashes import remembered_sha256, weights_sha256
from tuning.models.packaged import PACKAGED
from tuning.models.sources import ABOUT, ModelSource, find_source
from tuning.storage import file_sha256, files_of, read_json, write_json

_log = logging.getLogger(__name__)
Convert = Callable[[Path, Path, Path | None], None]  # a file, the folder to write, an adapter to merge


def locate(name: str, home: Path, convert: Convert) -> tuple[Path, str]:
    """The folder that holds a model's safetensors, and the hash that names the weights. Fetches nothing.

    A GGUF file is converted once. Raises ModelError.
    """
    source = find_source(name, home)
    if source.kind == "package" and _is_current(source, folder := home / "models" / name):
        return folder, _noted_sha256(folder)  # converted before; the package may be gone
    if source.path is None:
        raise ModelError(_missing(source))
    if source.gguf is None:
        return source.path, weights_sha256(sorted(source.path.glob("*.safetensors")), home)
    folder = _converted(source, source.gguf, home, convert)
    return folder, _noted_sha256(folder)


def converted_folder(source: ModelSource, home: Path) -> Path | None:
    """Where a GGUF file lies as safetensors, where it was converted before."""
    if source.kind == "package":
        folder = home / "models" / source.name
    elif source.gguf is not None and (sha256 := remembered_sha256([source.gguf], home)):
        folder = _folder_of(source, sha256, home)
    else:
        return None
    return folder if (folder / ABOUT).is_file() else None


def _missing(source: ModelSource) -> str:
    if source.kind == "package":
        return (
            f"The model {source.name!r} comes with the Python package {PACKAGED[source.name].package!r}, which is "
            "not installed. Run `imprint setup`, or choose a folder or a Hugging Face id."
        )
    return (
        f"The model {source.name!r} is not on this machine. Fetch it with `imprint models download {source.name}` "
        f"or on the Settings page, give a folder or a GGUF file, or use {DEFAULT_BASE!r}."
    )


def _noted_sha256(folder: Path) -> str:
    sha256 = read_json(folder / ABOUT).get("sha256")
    if not isinstance(sha256, str):
        raise ModelError(f"The converted model in {folder} is damaged. Delete that folder: it is made again.")
    return sha256


def _folder_of(source: ModelSource, sha256: str, home: Path) -> Path:
    return home / "models" / (source.name if source.kind == "package" else f"gguf-{sha256[:16]}")


def _converted(source: ModelSource, file: Path, home: Path, convert: Convert) -> Path:
    """A GGUF file as bf16 safetensors under the home: converted once, by one process, by rename."""
    sha256 = file_sha256(file) if source.kind == "package" else weights_sha256([file], home)
    sha256, adapter = _packaged(source, file, sha256)
    folder = _folder_of(source, sha256, home)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f"{folder.name}.lock"):
        if _is_current(source, folder):
            return folder
        for stale in folder.parent.glob(f".{folder.name}-*"):  # left by a conversion that was killed
            shutil.rmtree(stale, ignore_errors=True)
        partial = folder.parent / f".{folder.name}-{os.getpid()}"
        try:
            convert(file, partial, adapter)
            about = {"name": source.name, "sha256": sha256, "source": file.name, "file": str(file)}
            write_json(partial / ABOUT, {**about, "files": _records(partial)})
            shutil.rmtree(folder, ignore_errors=True)
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _packaged(source: ModelSource, file: Path, sha256: str) -> tuple[str, Path | None]:
    """The hash that names the model, and the adapter that belongs to it. Raises ModelError where a file is another."""
    if source.kind != "package":
        return sha256, None
    packaged = PACKAGED[source.name]
    packaged.check(file, sha256)
    return packaged.identity, packaged.adapter.folder if packaged.adapter else None


def _is_current(source: ModelSource, folder: Path) -> bool:
    """Whether a converted model is whole, and holds the adapter that this version of Imprint adds to it."""
    if not _is_intact(folder):
        return False
    packaged = PACKAGED.get(source.name)
    return packaged is None or packaged.adapter is None or _noted_sha256(folder) == packaged.identity


def _is_intact(folder: Path) -> bool:
    """Whether a converted model's files are those that were written; hashed only where size or time changed."""
    about = read_json(folder / ABOUT)
    if not isinstance(about.get("sha256"), str):
        return False
    known = about.get("files")
    if known == _stamped(folder, known):
        return True
    found = _records(folder)
    if known is not None and {n: one["sha256"] for n, one in known.items()} != {
        n: one["sha256"] for n, one in found.items()
    }:
        _log.warning("The files of %s are no longer those that were converted; converting again", folder)
        return False
    with contextlib.suppress(OSError):  # others may only read this home
        write_json(folder / ABOUT, {**about, "files": found})
    return True


def _stamped(folder: Path, known: Mapping[str, Any] | None) -> dict[str, Any]:
    """Size, time and known hash of each file of a converted model."""
    return {
        path.name: {
            "bytes": path.stat().st_size,
            "mtime_ns": path.stat().st_mtime_ns,
            "sha256": (known or {}).get(path.name, {}).get("sha256"),
        }
        for path in files_of(folder)
        if path.name != ABOUT
    }


def _records(folder: Path) -> dict[str, Any]:
    """Size, time and hash of each file of a converted model."""
    return {n: {**one, "sha256": file_sha256(folder / n)} for n, one in _stamped(folder, None).items()}
