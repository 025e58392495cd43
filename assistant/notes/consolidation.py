"""Notes become weights by themselves: at an hour, or where the machine has been idle for a while. Off at first.

Each round continues from the last one that passed the verdict of every job. One that learned little or forgot much is
continued by none, and its notes stay notes. Nothing is taken into use: the finished job offers that, as every job does.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from assistant.errors import KNOWN_ERRORS, SettingsError, sentence_of
from assistant.storage import write_json
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import CheckpointError, JobError
from tuning.scoring import normalise

if TYPE_CHECKING:
    from assistant.notes.lookup import Notes
    from assistant.settings import Settings
    from tuning.checkpoints.registry import Registry
    from tuning.jobs.folder import Job
    from tuning.jobs.jobs import Jobs

log = logging.getLogger(__name__)

FILE = "consolidation.json"
NAME = "notes"  # of the checkpoints, with a number behind it
LOOK_SECONDS = 60.0
BUSY_LOAD = 0.5  # processes that want a core, for each core: above it, the machine is not idle


def _load_of_a_core() -> float:
    """Processes that wanted a core in the last five minutes, for each core."""
    import psutil

    return float(psutil.getloadavg()[1]) / (os.cpu_count() or 1)


class OpenHome(Protocol):
    """What a home has to hold: the workspace does."""

    @property
    def settings(self) -> "Settings": ...
    @property
    def home(self) -> Path: ...
    @property
    def jobs(self) -> "Jobs": ...
    @property
    def registry(self) -> "Registry": ...
    @property
    def notes(self) -> "Notes": ...


@dataclass(frozen=True)
class Progress:
    """What was tried so far, in one file of the home."""

    parent: str = ""  # the last checkpoint that passed
    job: str = ""
    tried: tuple[str, ...] = ()  # keys of the notes of the last job
    day: str = ""  # the day of the last daily look, which comes once a day

    @classmethod
    def read(cls, home: Path) -> "Progress":
        """What the home knows; a file that is missing or damaged is a beginning anew."""
        try:
            found = json.loads((home / FILE).read_text(encoding="utf-8"))
            read = cls(**found | {"tried": tuple(found["tried"])})
        except (OSError, ValueError, TypeError, KeyError):
            return cls()
        are_texts = all(isinstance(one, str) for one in (read.parent, read.job, read.day, *read.tried))
        return read if are_texts else cls()

    def write(self, home: Path) -> None:
        """Keep it. Raises SettingsError."""
        write_json(home / FILE, asdict(self), SettingsError)


class Consolidation:
    """Looks now and then whether notes are to be taught, and starts the job."""

    def __init__(
        self,
        workspace: OpenHome,
        now: Callable[[], datetime] = datetime.now,
        load: Callable[[], float] = _load_of_a_core,
    ) -> None:
        self._workspace, self._now, self._load = workspace, now, load

    def run(self, stop: threading.Event) -> None:
        """Look until `stop` is set; what goes wrong is logged, and tried again at the next look."""
        while not stop.wait(LOOK_SECONDS):
            try:
                self.look()
            except KNOWN_ERRORS as error:
                log.warning("notes were not taught: %s", sentence_of(error))
            except Exception:  # a fault must not end what looks every minute
                log.exception("notes were not taught")

    def look(self) -> "Job | None":
        """Start a job where it is time, and return it. Raises what `Jobs.submit` raises."""
        settings = self._workspace.settings
        if settings.learn_notes == "off" or settings.engine_url or not self._is_time():
            return None
        return self.start()

    def start(self) -> "Job | None":
        """Teach what is new; None where nothing is, or a job runs. Raises what `Jobs.submit` raises."""
        home, jobs = self._workspace.home, self._workspace.jobs
        if any(not job.has_ended for job in jobs.list()):
            return None
        kept = Progress.read(home)
        before = replace(self._settled(kept), day=self._now().date().isoformat())
        notes = self.pending(before)
        keys = tuple(note.key for note in notes)
        if not notes or keys == before.tried:
            if before != kept:
                before.write(home)
            return None
        settings = self._workspace.settings
        config = TuneConfig(
            name=self._workspace.registry.free_name(NAME),
            parent=before.parent or None,
            base=settings.base_model,
            device=settings.device,
        )
        job = jobs.submit(config, notes)
        replace(before, job=job.id, tried=keys).write(home)
        log.info("%d notes are taught as %r", len(notes), job.name)
        return job

    def pending(self, progress: Progress | None = None) -> Sequence[Example]:
        """The notes that the last checkpoint which passed was not taught."""
        parent = (progress or self._settled(Progress.read(self._workspace.home))).parent
        taught = self._workspace.registry.earlier_examples(parent, []) if parent else []
        known = {(normalise(one.question), normalise(one.answer)) for one in taught}
        notes = self._workspace.notes.home.list()
        return [note for note in notes if (normalise(note.question), normalise(note.answer)) not in known]

    def _settled(self, progress: Progress) -> Progress:
        """With the checkpoint of the last job as parent where it passed, and without one that is gone."""
        parent = progress.parent
        try:
            made = self._workspace.jobs.get(progress.job).checkpoint if progress.job else None
        except JobError:
            made = None
        for name in filter(None, (made, parent)):
            try:
                checkpoint = self._workspace.registry.get(name)
            except CheckpointError:
                continue
            is_ours = checkpoint.base == self._workspace.settings.base_model
            if is_ours and checkpoint.evaluation.get("verdict", {}).get("passed"):
                return replace(progress, parent=name)
        return replace(progress, parent="")

    def _is_time(self) -> bool:
        settings, now = self._workspace.settings, self._now()
        if settings.learn_notes == "daily":
            is_new_day = Progress.read(self._workspace.home).day != now.date().isoformat()
            return now.hour == settings.learn_notes_hour and is_new_day
        quiet_since = now - timedelta(minutes=settings.learn_notes_idle_minutes)
        return self._last_message() < quiet_since.timestamp() and self._load() < BUSY_LOAD

    def _last_message(self) -> float:
        """When something was last written to the conversations, in seconds since 1970."""
        path = self._workspace.settings.conversations_path
        files = (path, path.with_name(f"{path.name}-wal"))
        return max((file.stat().st_mtime for file in files if file.exists()), default=time.time())
