"""Where a base's weights lie: packaged (converted once), in a folder, or fetched from a hub; and their hash.

It opens no model: how a packaged file is converted is passed in.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from tuning.config import DEFAULT_BASE
from tuning.errors import ModelError
from tuning.models.catalogue import PACKAGED, packaged_file
from tuning.storage import file_sha256, files_of, read_json, write_json

_log = logging.getLogger(__name__)
ABOUT = "imprint.json"  # of a converted model: what it was made from, and its files
_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "tokenizer*", "*.py"]
Convert = Callable[[Path, Path], None]


def locate(name: str, home: Path, convert: Convert) -> tuple[Path, str]:
    """The folder that holds a model's safetensors, and the hash that names the weights."""
    if name in PACKAGED:
        folder = _converted(name, home, convert)
        sha256 = read_json(folder / ABOUT).get("sha256")
        if not isinstance(sha256, str):
            raise ModelError(
                f"The converted model in {folder} is damaged. Delete that folder: it is made again."
            )
        return folder, sha256
    folder = Path(name).expanduser()
    if not (folder / "config.json").is_file():
        folder = _download(name)
    if not any(folder.glob("*.safetensors")):
        raise ModelError(
            f"The model {name!r} has no .safetensors weights in {folder}; only those are loaded."
        )
    return folder, _folder_sha256(folder, home)


def _download(name: str) -> Path:
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise ModelError(
            f"There is no model {name!r}: it is no packaged model ({', '.join(PACKAGED)}), no folder with a "
            "config.json, and no Hugging Face id (owner/name)."
        )
    try:
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise ModelError(
            f"The model {name!r} is not on this machine and could not be fetched: "
            f"{str(error).splitlines()[0]} Check its name, give a local folder, or use {DEFAULT_BASE!r}."
        ) from error


def _converted(name: str, home: Path, convert: Convert) -> Path:
    """The packaged GGUF as bf16 safetensors under the home: converted once, by one process, by rename."""
    folder = home / "models" / name
    if _is_intact(folder):
        return folder
    source = packaged_file(name)
    if source is None:
        raise ModelError(
            f"The model {name!r} comes with the Python package {PACKAGED[name].package!r}, which is not "
            "installed. Run `imprint setup`, or choose a folder or a Hugging Face id."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f"{name}.lock"):
        if _is_intact(folder):
            return folder
        for stale in folder.parent.glob(f".{name}-*"):  # left by a conversion that was killed
            shutil.rmtree(stale, ignore_errors=True)
        found = file_sha256(source)
        if found != PACKAGED[name].sha256:
            raise ModelError(
                f"{source} is not the file it should be (sha256 {found[:12]}…, wanted "
                f"{PACKAGED[name].sha256[:12]}…). Reinstall the package {PACKAGED[name].package!r}."
            )
        partial = folder.parent / f".{name}-{os.getpid()}"
        try:
            convert(source, partial)
            about = {"name": name, "sha256": found, "source": source.name, "files": _records(partial)}
            write_json(partial / ABOUT, about)
            shutil.rmtree(folder, ignore_errors=True)
            partial.replace(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


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


def _folder_sha256(folder: Path, home: Path) -> str:
    """One hash for the weights of a folder, remembered by size and time since large files take minutes."""
    files = sorted(folder.glob("*.safetensors"))
    stamp = json.dumps([[str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns] for f in files])
    memory = home / "models" / f"hash-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.json"
    if known := read_json(memory).get("sha256"):
        return str(known)
    hashes = [file_sha256(file) for file in files]
    sha256 = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    memory.parent.mkdir(parents=True, exist_ok=True)
    partial = memory.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps({"sha256": sha256, "folder": str(folder)}), encoding="utf-8")
    partial.replace(memory)
    return sha256
