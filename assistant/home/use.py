"""Who uses a home: a mark for each command while it runs, and the sole use that a restore or a repair needs.

Whoever comes writes its mark and then looks at the lock; whoever wants to be alone takes the lock and then looks at
the marks: one of both sees the other.
"""

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import AssistantError
from assistant.home.giving_way import asking_to_give_way
from assistant.home.layout import APP, APP_LOCK, RESTORE_LOCK, SWAP_LOCK, USES
from assistant.storage import write_whole
from tuning.errors import JobError
from tuning.jobs.folder import Job, JobFolder
from tuning.process import Identity

FAR_USE_SECONDS = 86_400.0  # that the mark of a process of another machine counts: it cannot be seen
SWAP_SECONDS = 5.0  # moves are renames and take less, a repair takes more
LOOK_SECONDS = 0.1
PROGRAM = "python"  # the mark of a program that imports Imprint
SERVERS = ("app", "serve")  # commands that give way to a restore, start again and wait for its end


@contextmanager
def only_app(home: Path, url: str) -> Iterator[None]:
    """Hold the home's place for an app. Raises AssistantError naming the app that runs already."""
    home.mkdir(parents=True, exist_ok=True)
    about = home / APP
    lock = FileLock(home / APP_LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise AssistantError(
            f"An app runs on {home} already{_where(about)}. Use that one, or set another IMPRINT_HOME."
        ) from None
    try:
        write_whole(about, json.dumps({"pid": os.getpid(), "url": url}), private=True)
        yield
    finally:
        about.unlink(missing_ok=True)
        lock.release()


@contextmanager
def use_home(home: Path, what: str, *, patience_seconds: float = SWAP_SECONDS) -> Iterator[None]:
    """Say while it lasts that `what` uses the home, if there is one.

    Raises AssistantError where a restore or a repair does not end within `patience_seconds`.
    """
    mark = home / USES / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
    if not _write_mark(mark, home, what):
        yield
        return
    try:
        while is_alone(home):
            mark.unlink()  # or each would wait for the other
            with swapping(home, patience_seconds):
                pass
            _write_mark(mark, home, what)
        yield
    finally:
        with contextlib.suppress(OSError):
            mark.unlink(missing_ok=True)


def forget_earlier_marks(home: Path) -> None:
    """Remove the marks that this process wrote before it started again under the same number."""
    for mark in (home / USES).glob(f"{os.getpid()}-*.json"):
        with contextlib.suppress(OSError):
            mark.unlink(missing_ok=True)


def _write_mark(mark: Path, home: Path, what: str) -> bool:
    """Whether it could be written; where there is no home yet, or no space, the command says so if it matters."""
    if not home.is_dir():
        return False
    try:
        write_whole(mark, json.dumps({**Identity.own().to_dict(), "what": what}), private=True)
    except OSError:
        return False
    return True


def is_alone(home: Path) -> bool:
    """Whether another process restores or repairs the home, and nobody else may use it."""
    return (home / SWAP_LOCK).exists() and _is_held(home / SWAP_LOCK)


@contextmanager
def swapping(home: Path, patience_seconds: float = SWAP_SECONDS) -> Iterator[None]:
    """Hold the lock of moves and repairs. Raises AssistantError where another process does not release it."""
    with _held(home / SWAP_LOCK, patience_seconds, f"{home} is being restored or repaired now."):
        yield


@contextmanager
def only_restore(home: Path) -> Iterator[None]:
    """Be the only restore or repair, beside whatever else uses the home. Raises AssistantError."""
    home.mkdir(parents=True, exist_ok=True)
    with _held(home / RESTORE_LOCK, 0, f"{home} is being restored or repaired already."):
        yield


@contextmanager
def sole_use(
    home: Path, task: str, *, patience_seconds: float = 0.0, beside_jobs: bool = False
) -> Iterator[None]:
    """Keep every other process away from the home. Raises AssistantError naming whoever uses it.

    With `patience_seconds` commands are waited for so long, and then the app and the server are asked to give way, for
    as long; `beside_jobs` lets tuning jobs run on.
    """

    def wait(with_servers: bool) -> None:
        deadline = time.monotonic() + patience_seconds
        while found := users(home, with_jobs=not beside_jobs, with_servers=with_servers):
            if time.monotonic() >= deadline:
                raise AssistantError(
                    f"Cannot {task} while {home} is in use by {', '.join(found)}. End that first."
                )
            time.sleep(LOOK_SECONDS)

    with swapping(home, 0):
        if patience_seconds:
            wait(with_servers=False)  # or the app would be ended in vain
        with asking_to_give_way(home) if patience_seconds else contextlib.nullcontext():
            wait(with_servers=True)
        yield


@contextmanager
def _held(lock: Path, patience_seconds: float, problem: str) -> Iterator[None]:
    held = FileLock(lock)
    try:
        held.acquire(timeout=patience_seconds)
    except Timeout:
        raise AssistantError(f"{problem} Wait until that has ended.") from None
    try:
        yield
    finally:
        held.release()


def users(home: Path, *, with_jobs: bool = True, with_servers: bool = True) -> list[str]:
    """What uses the home now, but for this process: the app, commands, tuning jobs, whoever holds the index.

    Without `with_servers`, neither what gives way nor whoever holds the index, which may be the same.
    """
    found = dict.fromkeys(name for what, name in _marks(home) if with_servers or what not in SERVERS)
    if with_servers and (home / APP_LOCK).exists() and _is_held(home / APP_LOCK):
        found[f"the app{_where(home / APP)}"] = None
    if (
        with_servers
        and not found
        and (home / "knowledge" / "chroma.lock").exists()
        and _is_held(home / "knowledge" / "chroma.lock")
    ):
        found["a process that has the knowledge base open"] = None
    return [*found, *(f"the tuning job {job.id} ({job.status})" for job in running_jobs(home) if with_jobs)]


def stale_marks(home: Path) -> list[Path]:
    """The marks of processes that were killed."""
    return [path for path in sorted((home / USES).glob("*.json")) if _living(path) is None]


def _marks(home: Path) -> Iterator[tuple[str, str]]:
    """The command of each process that uses the home, and how it is called in a sentence."""
    for path in sorted((home / USES).glob("*.json")):
        record = _living(path)
        if record is not None and record["pid"] != os.getpid():
            what = str(record["what"])
            name = "a Python program" if what == PROGRAM else f"`imprint {what}`"
            yield what, f"{name} (process {record['pid']})"


def _living(path: Path) -> dict[str, str | int] | None:
    """The record of a process that still runs; one of another machine cannot be seen, and counts for a day."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        identity = Identity.from_dict(record)
        is_recent = time.time() - path.stat().st_mtime < FAR_USE_SECONDS
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {"what": "", **record} if identity.is_alive or (is_recent and not identity.is_local) else None


def running_jobs(home: Path) -> Iterator[Job]:
    """The tuning jobs that have not ended."""
    for path in sorted((home / "jobs").glob("[!.]*")):
        with contextlib.suppress(JobError, ValueError, TypeError):
            job = JobFolder(path).job()
            if not job.has_ended:
                yield job


def _is_held(lock: Path) -> bool:
    try:
        with FileLock(lock).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # not ours to lock
        return False


def _where(about: Path) -> str:
    try:
        record = json.loads(about.read_text(encoding="utf-8"))
        return f" at {record['url']} (process {record['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
