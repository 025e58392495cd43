"""Bringing a model from a hub into the home: with a bar, going on after a break, given up at a click.

Files arrive one after the other; each gets its name once its hash is right, and the folder once all are there. The
hub's own library keeps no part of a file that broke off, so the parts are kept here.
"""

import contextlib
import hashlib
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout
from huggingface_hub import hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HTTPError
from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

from tuning.errors import ModelError
from tuning.models.hub import HubFile, HubModel, in_words
from tuning.models.memory import in_gb
from tuning.models.sources import ABOUT, hub_folder
from tuning.storage import file_sha256, read_json, write_json

log = logging.getLogger(__name__)
_STALL_SECONDS = 30.0  # without a byte
_TRIES, _PAUSE_SECONDS = 4, 1.0  # after a break without progress
_PARTIAL_CONTENT = 206
_SPARE_BYTES = 200_000_000  # of disk that stay free
_SMALL_BYTES = 16 * 2**20  # of a file that is looked at before the weights are fetched
_LARGE_FILES = (".gguf", ".safetensors", "tokenizer.json")
_KEPT = "What was fetched is kept: start it again, and it goes on from there."
Progress = Callable[[int, int], None]  # bytes that are here, bytes of all


class CancelledError(ModelError):
    """A person gave up the download; what was fetched stays for the next time."""


def fetched_bytes(model: HubModel, home: Path) -> int:
    """How much of a model lies here already, from an earlier download that was broken off."""
    folder = _partial_folder(model.name, home)
    if read_json(folder / ABOUT).get("revision") != model.revision:
        return 0
    return sum(_present(folder, file) for file in model.files)


def fetch(
    model: HubModel,
    home: Path,
    progress: Progress | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Bring a model into the home, going on where an earlier download ended.

    Raises ModelError: in words what the hub refuses, where it breaks off, or where the disk is full; CancelledError.
    """
    target, partial = hub_folder(model.name, home), _partial_folder(model.name, home)
    if (target / ABOUT).is_file():
        return target
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(partial.with_suffix(".lock"), timeout=0):
            _fetch_into(partial, model, home, progress or (lambda done, total: None), should_stop)
            shutil.rmtree(target, ignore_errors=True)
            partial.replace(target)
    except Timeout as error:
        raise ModelError(f"The model {model.name!r} is being fetched already. Wait for it.") from error
    return target


def read_small(model: HubModel, folder: Path) -> None:
    """Bring what is not weights or vocabulary into a folder, for a model to be looked at. Raises ModelError."""
    meter = _Meter(0, 0, lambda done, total: None, lambda: False)
    for file in model.files:
        if not file.path.endswith(_LARGE_FILES) and file.size <= _SMALL_BYTES:
            with in_words(model.name):
                _download(model, file, folder / file.path, meter)


def read_beginning(model: HubModel, file: HubFile, path: Path, count: int) -> None:
    """Bring the first bytes of a file, for its header to be looked at. Raises ModelError."""
    wanted = min(count, file.size)

    def enough(done: int, total: int) -> None:
        if done >= wanted:
            raise StopIteration

    with in_words(model.name), path.open("ab") as out:
        meter = _Meter(out.tell(), wanted, enough, lambda: False)
        with contextlib.suppress(StopIteration):
            _stream(_url(model, file), out, meter)


def discard_partial(name: str, home: Path) -> None:
    """Delete what a download that was broken off has left."""
    shutil.rmtree(_partial_folder(name, home), ignore_errors=True)


def _fetch_into(
    folder: Path, model: HubModel, home: Path, progress: Progress, should_stop: Callable[[], bool]
) -> None:
    if read_json(folder / ABOUT).get("revision") != model.revision:
        shutil.rmtree(folder, ignore_errors=True)  # the parts of another revision do not fit
    folder.mkdir(parents=True, exist_ok=True)
    here = sum(_present(folder, file) for file in model.files)
    _check_disk(model, model.size - here, folder)
    # Kept from the beginning, so that the parts are known to be of this revision; a target holds it from its rename on.
    write_json(folder / ABOUT, {"name": model.name, "revision": model.revision, "license": model.license})
    meter = _Meter(here, model.size, progress, should_stop)
    for file in model.files:
        path = folder / file.path
        if not path.is_file():
            with in_words(model.name, _KEPT):
                _download(model, file, path, meter)
    write_json(folder / ABOUT, {**asdict(model), "size": model.size})


def _check_disk(model: HubModel, needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise ModelError(
            f"The model {model.name!r} takes {in_gb(needed)} more on the disk, and {in_gb(free)} are free in {folder}. "
            "Free some, or move the home with IMPRINT_HOME."
        )


def _partial_folder(name: str, home: Path) -> Path:
    folder = hub_folder(name, home)
    return folder.with_name(f"{folder.name}.partial")


def _present(folder: Path, file: HubFile) -> int:
    for path in (folder / file.path, _part(folder / file.path)):
        if path.is_file():
            return path.stat().st_size
    return 0


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


class _Meter:
    """Counts what arrives, says it, and ends a download that was given up."""

    def __init__(self, done: int, total: int, progress: Progress, should_stop: Callable[[], bool]) -> None:
        self.done, self.total = done, total
        self._progress, self._should_stop = progress, should_stop

    def update(self, count: int) -> None:
        self.done += count
        self._progress(self.done, self.total)
        if self._should_stop():
            raise CancelledError("The download was given up. What was fetched is kept for the next time.")


def _download(model: HubModel, file: HubFile, path: Path, meter: _Meter) -> None:
    """Fetch one file, beginning where its part ends; it gets its name once its hash is right."""
    part = _part(path)
    url = _url(model, file)
    with part.open("ab") as out:
        failures = 0
        while True:
            held = out.tell()
            try:
                _stream(url, out, meter)
                break
            except HfHubHTTPError:
                raise
            except HTTPError as error:  # it broke off: go on from there, unless nothing comes any more
                failures = failures + 1 if out.tell() == held else 1
                log.info("%s broke off at %d of %d bytes: %s", file.path, out.tell(), file.size, error)
                if failures > _TRIES:
                    raise
                time.sleep(_PAUSE_SECONDS * failures)
    if part.stat().st_size < file.size:
        raise OSError(f"{file.path} ended after {part.stat().st_size:,} of {file.size:,} bytes")
    if not _is_right(part, file):
        part.unlink()
        raise ModelError(
            f"{file.path} of {model.name!r} arrived damaged: its hash is not the one that the hub names. "
            "Start it again; that file is fetched anew."
        )
    part.replace(path)


def _url(model: HubModel, file: HubFile) -> str:
    return hf_hub_url(model.name.partition(":")[0], file.path, revision=model.revision)


def _stream(url: str, out: BinaryIO, meter: _Meter) -> None:
    """Append what is still missing of a file. Raises HTTPError where the connection ends before it."""
    held = out.tell()
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    with get_session().stream(
        "GET", url, headers=headers, timeout=_STALL_SECONDS, follow_redirects=True
    ) as response:
        hf_raise_for_status(response)
        if held and response.status_code != _PARTIAL_CONTENT:  # a hub that gives files whole alone
            out.truncate(0)
            out.seek(0)
            meter.update(-held)
        for chunk in response.iter_bytes():
            out.write(chunk)
            meter.update(len(chunk))


def _is_right(path: Path, file: HubFile) -> bool:
    if file.sha256:
        return file_sha256(path) == file.sha256
    if not file.blob:
        return True
    content = path.read_bytes()
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest() == file.blob
