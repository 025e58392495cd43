"""The home itself: settings and other small files, modes, free space, what killed processes left, the weights."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from assistant.doctor.findings import Aside, Finding, Mend
from assistant.errors import SettingsError
from assistant.home.layout import BEFORE_RESTORE, DAMAGED, USES
from assistant.home.privacy import make_private, open_to_others
from assistant.home.use import stale_marks
from assistant.settings import NAMES, Settings
from assistant.storage import write_json
from tuning.models.packaged import PACKAGED, packaged_file
from tuning.storage import folder_bytes, read_json

MIN_FREE_BYTES, TOO_LITTLE_BYTES = 200_000_000, 1_000_000  # below the second, databases cannot even be read
STALE_SECONDS = 3600.0
# Hidden names of files and folders that are being written; what is older than an hour was left by a killed process.
_TEMPORARIES = (
    *(
        "checkpoints/.new-*",
        "checkpoints/.deleted-*",
        "jobs/.new-*",
        "jobs/.deleted-*",
        "jobs/.calibration-*",
    ),
    *(
        "files/.file-*",
        "models/.*-*",
        ".*.part",
        "*/.*.part",
        ".*.tmp",
        "*/.*.tmp",
        "*/*/.*.tmp",
        "*/*/*/.*.part",
    ),
    *(".*.new", "*/.*.new", ".salvage-*", "*/.salvage-*"),
)


def examine_settings(home: Path, aside: Aside) -> Iterator[Finding]:
    """`settings.json`: whether each of its values can be used."""
    path = home / "settings.json"
    if not path.exists():
        return
    bad = _bad_settings(home, path)
    if not bad:
        yield Finding("settings", path.name, "ok")
        return

    def mend() -> str:
        kept = aside.copy(path)
        good = {name: value for name, value in read_json(path).items() if name not in bad}
        write_json(path, good, SettingsError)
        return f"{', '.join(bad)} was taken out; the file as it was is {kept}"

    yield Finding("settings", path.name, "damaged", f"{path}: {', '.join(bad)} cannot be used", mend)


def examine_json(home: Path, aside: Aside) -> Iterator[Finding]:
    """Presets and saved variants: whether they are JSON."""
    for name in ("prompts.json", "arms.json"):
        path = home / name
        if not path.exists():
            continue
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            reason = f"{path} cannot be read ({error})"
            yield Finding("file", name, "damaged", reason, _putting_aside(path, aside))
        else:
            yield Finding("file", name, "ok")


def examine_modes(home: Path) -> Iterator[Finding]:
    """Whether its owner alone can read the home."""
    found = open_to_others(home)
    if found:
        reason = f"other users can read {', '.join(map(str, found))}"
        yield Finding("modes", home.name, "damaged", reason, lambda: f"closed: {_closed(home)}")
    else:
        yield Finding("modes", home.name, "ok")


def examine_space(home: Path) -> Iterator[Finding]:
    """Free space, and what earlier restores and repairs have put aside."""
    free = shutil.disk_usage(home).free
    short = free < MIN_FREE_BYTES
    message = f"{free / 1e6:.0f} MB are free{': free some, or writing will fail soon' if short else ''}"
    yield Finding("space", home.name, "note" if short else "ok", message)
    for path in [*sorted(home.glob(f"{BEFORE_RESTORE}*")), *sorted(home.glob(f"{DAMAGED}*"))]:
        size = f"{folder_bytes(path) / 1e6:.1f} MB"
        yield Finding("put aside", path.name, "note", f"{size}; delete {path} when you miss nothing")


def examine_leftovers(home: Path) -> Iterator[Finding]:
    """What killed processes left half-written."""
    for path in _leftovers(home):
        yield Finding("leftover", path.name, "note", f"{path} was left by a killed process", _removing(path))
    if stale := stale_marks(home):

        def mend() -> str:
            for path in stale:
                path.unlink(missing_ok=True)
            return "they were removed"

        yield Finding("leftover", USES, "note", f"{len(stale)} marks of killed processes", mend)


def examine_weights(home: Path, base: str) -> Iterator[Finding]:
    """The packages with the default weights: whether the chosen one is there, or was converted already."""
    if base not in PACKAGED or (home / "models" / base / "imprint.json").is_file():
        return
    if packaged_file(base) is None:
        message = (
            f"the package {PACKAGED[base].package} with the model {base!r} is missing: run `imprint setup`"
        )
        yield Finding("weights", base, "damaged", message)
    else:
        yield Finding("weights", base, "ok")


def _bad_settings(home: Path, path: Path) -> list[str]:
    """Names of the values that cannot be used; the file's own name where it is no JSON object."""
    stored = read_json(path)
    if not stored and path.read_bytes().strip() != b"{}":
        return [path.name]
    return [name for name, value in stored.items() if name in NAMES and not _is_usable(home, name, value)]


def _is_usable(home: Path, name: str, value: object) -> bool:
    try:
        Settings.model_validate({"home": home, name: value})
    except ValidationError:
        return False
    return True


def _leftovers(home: Path) -> list[Path]:
    found = {path for pattern in _TEMPORARIES for path in home.glob(pattern)}
    return sorted(path for path in found if time.time() - path.lstat().st_mtime > STALE_SECONDS)


def _removing(path: Path) -> Mend:
    def mend() -> str:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        return "it was removed"

    return mend


def _putting_aside(path: Path, aside: Aside) -> Mend:
    return lambda: f"it was put aside: {aside.move(path)}"


def _closed(home: Path) -> str:
    return ", ".join(map(str, make_private(home)))
