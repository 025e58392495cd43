"""One job's folder, the single source of truth about it: its files, and the job's state by them. Starts nothing."""

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tuning.config import TuneConfig
from tuning.data.examples import Example, read_examples, write_examples
from tuning.data.preferences import ReadPreferences, read_preferences, write_preferences
from tuning.errors import JobError
from tuning.jobs.records import RecordCache
from tuning.process import Identity, is_running
from tuning.storage import dumps, write_json

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
PHASES = ("queued", "preparing", "training", "evaluating", "saving")
START_SECONDS = 20.0  # from a job's submission until its worker must have shown itself
HEARTBEAT_SECONDS = 1.0
REMOTE_SILENCE_SECONDS = 30.0  # clocks of machines differ, and shared folders are slow
INTERRUPTED = (
    "The job was interrupted: its process ended without a result (the machine was restarted or ran out of "
    "memory, or somebody ended the process). What was learned so far is kept; resume it to go on from there."
)
RESERVE_BYTES = (
    256 * 1024
)  # given back before the result is written, so that a full disk can still be reported
RECORDS = RecordCache()
Lessons = list[Example] | ReadPreferences  # what a job learns


@dataclass(frozen=True)
class Job:
    """What is known of a job now. Times are seconds since 1970, sizes bytes."""

    id: str
    name: str  # of the checkpoint that it makes
    method: str
    base: str
    device: str
    status: Status
    created: float
    started: float | None
    finished: float | None
    progress: float  # 0..1
    phase: str  # one of `PHASES` while it is underway, then the last one that it reached
    step: int
    steps: int
    seconds_left: float | None
    loss: float | None
    tokens_per_second: float | None
    memory_bytes: int | None
    examples_count: int  # or preferences
    error: str  # empty unless it failed
    advice: tuple[str, ...]  # what was changed or is suggested (a smaller batch, another method)
    resumable: bool
    checkpoint: str | None  # its name, once stored
    metrics: dict[str, Any]
    evaluation: dict[str, Any]
    config: dict[str, Any]
    estimate: dict[str, Any]  # before it started: seconds, bytes and the rest of `Estimate`
    folder: Path

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen unless somebody resumes it."""
        return self.status in ("succeeded", "failed", "cancelled")

    @property
    def seconds(self) -> float | None:
        """From its start to its end, or until now; `None` before its start."""
        return None if self.started is None else (self.finished or time.time()) - self.started

    @property
    def interrupted(self) -> bool:
        """Whether its process ended without a result: after a reboot, for example."""
        return self.status == "failed" and self.error == INTERRUPTED


class JobFolder:
    """The files of one job. The submitter writes job.json and what is to be learned, the worker all others."""

    def __init__(self, path: Path) -> None:
        self.path, self.id = Path(path), Path(path).name
        self.events, self.log = self.path / "events.jsonl", self.path / "log.txt"
        self.state = self.path / "state"  # the trainer's own

    @classmethod
    def create(
        cls,
        path: Path,
        config: TuneConfig,
        lessons: Lessons,
        facts: Mapping[str, Any],
        validation: Sequence[Example] = (),
    ) -> "JobFolder":
        """Write a new job's folder; it appears whole, by rename."""
        temporary = path.with_name(f".new-{os.getpid()}-{path.name}")
        temporary.mkdir(parents=True)
        if isinstance(lessons, ReadPreferences):
            write_preferences(temporary / "preferences.jsonl", lessons.pairs, lessons.judgements)
        write_examples(temporary / "examples.jsonl", [] if isinstance(lessons, ReadPreferences) else lessons)
        if validation:
            write_examples(temporary / "validation.jsonl", list(validation))
        (temporary / "reserve").write_bytes(b"\0" * RESERVE_BYTES)
        write_json(temporary / "config.json", config.to_dict())
        write_json(temporary / "job.json", {**facts, "examples_count": len(lessons)})
        temporary.rename(path)
        return cls(path)

    # ------------------------------------------------------------------ what is written

    def write(self, name: str, record: Mapping[str, Any]) -> None:
        """Write `<name>.json` by rename."""
        write_json(self.path / f"{name}.json", record)

    def remove(self, *names: str) -> None:
        """Remove `<name>.json`; what is not there is no error."""
        for name in names:
            (self.path / f"{name}.json").unlink(missing_ok=True)

    def append(self, event: Mapping[str, Any]) -> None:
        """Append one event; a line that a killed worker left unfinished is closed first."""
        line = dumps(event) + "\n"
        with self.events.open("ab+") as file:
            if file.tell() and not _ends_line(file):
                line = "\n" + line
            file.write(line.encode())

    def beat(self) -> None:
        """Update the heartbeat."""
        with contextlib.suppress(OSError):
            os.utime(self.path / "worker.json")

    def finish(self, status: Status, **result: Any) -> None:
        """Write the result, which ends the job."""
        (self.path / "reserve").unlink(missing_ok=True)
        self.write("result", {"status": status, "finished": time.time(), **result})

    # ------------------------------------------------------------------ what follows from it

    def read(self, name: str) -> dict[str, Any]:
        """`<name>.json`, or an empty object; parsed once as long as the file does not change."""
        return RECORDS.read(self.path / f"{name}.json")

    def config(self) -> TuneConfig:
        """What was asked, with what the worker had to change (a halved batch)."""
        return TuneConfig.from_dict({**self.read("config"), **self.read("adjusted").get("config", {})})

    def examples(self) -> list[Example]:
        """What is to be learned."""
        return read_examples(self.path / "examples.jsonl")

    def validation(self) -> list[Example]:
        """What the state to keep is chosen by, beside a share of the examples."""
        path = self.path / "validation.jsonl"
        return read_examples(path) if path.is_file() else []

    def preferences(self) -> ReadPreferences:
        """What people prefer, where the job learns from that."""
        path = self.path / "preferences.jsonl"
        return read_preferences(path) if path.is_file() else ReadPreferences()

    def worker(self) -> Identity | None:
        """The process that works on this job, or worked on it last."""
        try:
            return Identity.from_dict(self.read("worker"))
        except (KeyError, TypeError, ValueError):
            return None

    @property
    def is_alive(self) -> bool:
        """Whether its worker runs. A clock that was set does not matter while the heartbeat goes on."""
        worker = self.worker()
        if worker is None:
            return time.time() - float(self.read("job").get("created", 0)) < START_SECONDS
        if worker.is_alive:
            return True
        try:
            silence = abs(time.time() - (self.path / "worker.json").stat().st_mtime)
        except OSError:
            return False
        if not worker.is_local:
            return silence < REMOTE_SILENCE_SECONDS
        return silence < HEARTBEAT_SECONDS * 3 and is_running(worker.pid)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked to end it."""
        return (self.path / "cancel.json").exists()

    @property
    def has_result(self) -> bool:
        """Whether it has ended by itself."""
        return (self.path / "result.json").exists()

    def job(self) -> Job:
        """What is known of the job now; raises `JobError` where the folder is no job's."""
        facts, config = self.read("job"), self.read("config")
        if not facts or not config:
            raise JobError(f"{self.path} is no job: its job.json or config.json is missing or damaged.")
        is_alive = self.is_alive  # before the result is looked at: a worker writes it and then ends
        result, progress = self.read("result"), self.read("progress")
        status, error = self._status(is_alive, result, progress)
        ended = status in ("succeeded", "failed", "cancelled")
        metrics = result.get(
            "metrics", {}
        )  # its last attempt may have found the training done by an earlier one
        return Job(
            id=self.id,
            name=str(facts.get("name", "")),
            method=str(config.get("method", "")),
            base=str(config.get("base", "")),
            device=str(facts.get("device", "")),
            status=status,
            created=float(facts.get("created", 0)),
            started=progress.get("started"),
            finished=result.get("finished") or (progress.get("time") if ended else None),
            progress=1.0 if status == "succeeded" else float(progress.get("progress", 0)),
            phase=str(progress.get("phase", "queued")),
            step=int(progress.get("step") or metrics.get("steps", 0)),
            steps=int(progress.get("steps") or metrics.get("steps", 0)),
            seconds_left=None if ended else progress.get("seconds_left"),
            loss=progress.get("loss", metrics.get("loss")),
            tokens_per_second=progress.get("tokens_per_second", metrics.get("tokens_per_second")),
            memory_bytes=progress.get("memory_bytes"),
            examples_count=int(facts.get("examples_count", 0)),
            error=error,
            advice=tuple(self.read("adjusted").get("advice", ())) + tuple(result.get("advice", ())),
            resumable=status in ("failed", "cancelled"),
            checkpoint=result.get("checkpoint"),
            metrics=metrics,
            evaluation=self.read("evaluation") if status == "succeeded" else {},
            config=config,
            estimate=facts.get("estimate", {}),
            folder=self.path,
        )

    def _status(
        self, is_alive: bool, result: Mapping[str, Any], progress: Mapping[str, Any]
    ) -> tuple[Status, str]:
        if result:
            return result.get("status", "failed"), str(result.get("error", ""))
        if is_alive:
            return ("running" if progress.get("started") else "queued"), ""
        if self.is_cancelled:
            return "cancelled", ""
        return "failed", INTERRUPTED


def _ends_line(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) == b"\n")
