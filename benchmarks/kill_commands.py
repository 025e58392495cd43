"""Kill -9 of commands: `imprint index`, `imprint backup`, `imprint restore`."""

import hashlib
import random
import shutil
import tempfile
from contextlib import closing
from pathlib import Path, PurePosixPath

from assistant.backup.archive import Backup
from assistant.errors import AssistantError
from assistant.home.layout import BEFORE_RESTORE, JOURNAL, STAGING, is_content
from benchmarks.killing import Tally, examine, fill, imprint_process, seconds_of
from knowledge.index.passage_store import PassageStore

_DOCUMENTS = 100


def index(folder: Path, times: int, chance: random.Random) -> Tally:
    """Documents that were said to be added are there; the next run adds the others."""
    tally, documents = Tally(), _documents(folder / "documents", _DOCUMENTS)
    whole = seconds_of(folder / "undisturbed", "index", documents)
    number = 0
    home, said = folder / "home-0", set[str]()
    while tally.kills < times:
        victim = imprint_process(home, "index", documents)
        was_killed = victim.kill(chance.uniform(0.2, 1) * whole)
        said |= {line.split()[2] for line in victim.lines if line.startswith(("+ added", "= unchanged"))}
        tally.kills += was_killed
        _check_index(home, said, tally)
        if not was_killed:  # it came to its end: all must be there, and the next begins anew
            if len(_indexed(home)) != _DOCUMENTS:
                tally.lost.append(f"{len(_indexed(home))} of {_DOCUMENTS} documents after a whole run")
            number += 1
            home, said = folder / f"home-{number}", set()
    seconds_of(home, "index", documents)
    _check_index(home, {str(path) for path in documents.iterdir()}, tally)
    return tally


def _check_index(home: Path, said: set[str], tally: Tally) -> None:
    if not home.is_dir():
        return
    tally.acknowledged += len(said)
    missing = said - _indexed(home)
    if missing:
        tally.lost.append(f"{len(missing)} documents that were said to be added")
    examine(home, tally, "index")


def _indexed(home: Path) -> set[str]:
    catalogue = home / "knowledge" / "default.sqlite3"
    if not catalogue.exists():
        return set()
    with closing(PassageStore(catalogue)) as store:
        return {info.path for info in store.documents()}


def _documents(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        text = (
            f"Lamp {number} in the hall of Halden weighs {number} grams. Its keeper is Tobias the {number}th."
        )
        (folder / f"lamp-{number}.txt").write_text(text, encoding="utf-8")
    return folder


def backup(folder: Path, times: int, chance: random.Random) -> Tally:
    """The earlier backup is whole until the new one is in its place; nothing half-written stays."""
    tally, home, archives = Tally(), folder / "home", folder / "archives"
    fill(home, chance)
    archives.mkdir()
    target = archives / "home.zip"
    whole = seconds_of(home, "backup", target)
    before = digest(home)
    while tally.kills < times:
        tally.kills += imprint_process(home, "backup", target).kill(chance.uniform(0.1, 1.1) * whole)
        tally.acknowledged += 1
        _verify(target, tally, "the earlier backup")
        if digest(home) != before:
            tally.lost.append("the home was changed by its backup")
        seconds_of(home, "backup", target)
        _verify(target, tally, "the backup after a kill")
        left = [path.name for path in archives.iterdir() if path != target]
        if left:
            tally.damaged.append(f"left over: {left}")
        examine(home, tally, "backup")
    return tally


def _verify(archive: Path, tally: Tally, what: str) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent.parent) as place:
        try:
            with Backup(archive) as opened:
                opened.extract(Path(place), lambda *_: None, lambda _: None)
        except AssistantError as error:
            tally.lost.append(f"{what}: {error}")


def restore(folder: Path, times: int, chance: random.Random) -> Tally:
    """The next command finds the old content or the new one, whole; the old is kept beside the new."""
    tally, home = Tally(), folder / "home"
    archives = [_archive(folder, chance, number) for number in range(2)]
    digests = []
    for archive in archives:
        whole = seconds_of(home, "restore", archive)
        digests.append(digest(home))
    _forget_kept(home)
    now = 1
    while tally.kills < times:
        other = 1 - now
        victim = imprint_process(home, "restore", archives[other])
        tally.kills += victim.kill(chance.uniform(0.1, 1.1) * whole)
        tally.acknowledged += 1
        now = _after_restore(home, digests, now, tally)
        _forget_kept(home)
    return tally


def _forget_kept(home: Path) -> None:
    for kept in home.glob(f"{BEFORE_RESTORE}*"):
        shutil.rmtree(kept)


def _after_restore(home: Path, digests: list[str], before: int, tally: Tally) -> int:
    """Which content is there once the next command has run; it must be one of both, whole."""
    seconds_of(home, "jobs")
    found = digest(home)
    if found not in digests:
        tally.lost.append("neither the old content nor the new one")
        return before
    now = digests.index(found)
    kept = [digest(path) for path in home.glob(f"{BEFORE_RESTORE}*")]
    if now != before and kept != [digests[before]]:
        tally.lost.append("what the restore replaced was not kept")
    left = [path.name for path in home.iterdir() if path.name.startswith(STAGING) or path.name == JOURNAL]
    if left:
        tally.damaged.append(f"left over: {left}")
    examine(home, tally, "restore")
    return now


def _archive(folder: Path, chance: random.Random, number: int) -> Path:
    home, archive = folder / f"source-{number}", folder / f"{number}.zip"
    fill(home, chance)
    seconds_of(home, "backup", archive)
    return archive


def digest(home: Path) -> str:
    """One hash of all content of a home."""
    found = hashlib.sha256()
    for path in sorted(home.rglob("*")):
        relative = path.relative_to(home)
        if path.is_file() and is_content(PurePosixPath(relative)):
            found.update(f"{relative}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()
