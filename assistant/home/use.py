"""Who uses a home: a mark for each command while it runs, and the sole use that a restore or a repair needs."""

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
from assistant.home.layout import APP, APP_LOCK, RESTORE_LOCK, USES
from assistant.storage import write_whole
from tuning.errors import JobError
from tuning.jobs.folder import JobFolder
from tuning.process import Identity

FAR_USE_SECONDS = 86_400.0


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
def use_home(home: Path, what: str) -> Iterator[None]:
    """Say while it lasts that `what` uses the home, if there is one. Raises AssistantError during a restore."""
    mark = home / USES / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.json"
    try:
        if not home.is_dir():
            raise FileNotFoundError(home)
        write_whole(mark, json.dumps({**Identity.own().to_dict(), "what": what}), private=True)
    except OSError:  # no home yet, or a full or read-only disk: the command says so where it matters
        yield
        return
    try:
        refuse_during_restore(home)
        yield
    finally:
        with contextlib.suppress(OSError):
            mark.unlink(missing_ok=True)


def refuse_during_restore(home: Path) -> None:
    """Raise AssistantError while another process restores or repairs the home."""
    lock = home / RESTORE_LOCK
    if lock.exists() and _is_held(lock):
        raise AssistantError(f"{home} is being restored or repaired now. Wait until that has ended.")


@contextmanager
def sole_use(home: Path, task: str) -> Iterator[None]:
    """Keep every other command away from the home. Raises AssistantError naming whoever uses it."""
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / RESTORE_LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise AssistantError(
            f"{home} is being restored or repaired already. Wait until that has ended."
        ) from None
    try:
        found = users(home)
        if found:
            raise AssistantError(
                f"Cannot {task} while {home} is in use by {', '.join(found)}. End that first."
            )
        yield
    finally:
        lock.release()


def users(home: Path) -> list[str]:
    """What uses the home now, but for this process: the app, commands, tuning jobs, whoever holds the index."""
    found = dict.fromkeys(_marks(home))
    if (home / APP_LOCK).exists() and _is_held(home / APP_LOCK):
        found[f"the app{_where(home / APP)}"] = None
    if (
        not found
        and (home / "knowledge" / "chroma.lock").exists()
        and _is_held(home / "knowledge" / "chroma.lock")
    ):
        found["a process that has the knowledge base open"] = None
    return [*found, *_jobs(home)]


def stale_marks(home: Path) -> list[Path]:
    """The marks of processes that were killed."""
    return [path for path in sorted((home / USES).glob("*.json")) if _living(path) is None]


def _marks(home: Path) -> Iterator[str]:
    for path in sorted((home / USES).glob("*.json")):
        record = _living(path)
        if record is not None and record["pid"] != os.getpid():
            yield f"`imprint {record['what']}` (process {record['pid']})"


def _living(path: Path) -> dict[str, str | int] | None:
    """The record of a process that still runs; one of another machine cannot be seen, and counts for a day."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        identity = Identity.from_dict(record)
        is_recent = time.time() - path.stat().st_mtime < FAR_USE_SECONDS
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return {"what": "", **record} if identity.is_alive or (is_recent and not identity.is_local) else None


def _jobs(home: Path) -> Iterator[str]:
    for path in sorted((home / "jobs").glob("[!.]*")):
        with contextlib.suppress(JobError, ValueError, TypeError):
            job = JobFolder(path).job()
            if not job.has_ended:
                yield f"the tuning job {job.id} ({job.status})"


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
