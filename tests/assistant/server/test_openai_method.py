"""The tuning method `openai`: real workers and OpenAI's own client against this project's own server."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.web.listening import protected
from assistant.workspace import Workspace
from tests.assistant.web.servers import serving
from tests.fakes import ScriptedEngine
from tests.tuning.jobs.watching import until
from tuning.checkpoints.remote_model import remote_model
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import CheckpointError, JobError, MethodError
from tuning.jobs.folder import Job, JobFolder
from tuning.jobs.jobs import Jobs
from tuning.jobs.remote_jobs import KEY_VARIABLE
from tuning.jobs.remote_round import tune
from tuning.jobs.task import JobStopped, Task
from tuning.remote.service import FineTuningService, OutOfReachError
from tuning.training.methods import REMOTE_METHODS  # here: torch takes longer to import than a request may

pytestmark = pytest.mark.slow

PRETEND = (sys.executable, str(Path(__file__).parents[2] / "tuning" / "jobs" / "worker_that_sleeps.py"))
BASE = "smollm2-135m-instruct"
KEY = "a-secret-of-this-test"
NO_WORKER = (sys.executable, "-c", "")  # where this process does the work itself


@dataclass
class Service:
    """A server that tunes, and the home of somebody who uses it."""

    url: str
    there: Jobs
    here: Jobs

    def config(self, **options: object) -> TuneConfig:
        return TuneConfig("openai", **{"base": BASE, "name": "halden", "send_to": self.url, **options})  # type: ignore[arg-type]

    def submit(self, wish: str) -> Job:
        return self.here.submit(self.config(), [example(wish)])

    def job_there(self) -> Job:
        (job,) = self.there.list()
        return job


def example(wish: str) -> Example:
    return Example(({"role": "user", "content": wish}, {"role": "assistant", "content": "640 grams."}))


@contextmanager
def tuning_at(home: Path, token: str | None = KEY, port: int = 0) -> Iterator[tuple[str, Jobs]]:
    """A server whose jobs sleep in steps, and these jobs."""
    settings = Settings(home=home, device="cpu", token=token)
    workspace = Workspace(settings, engine=ScriptedEngine())
    workspace.__dict__["jobs"] = Jobs(home, worker=PRETEND)
    app = protected(create_app(workspace), settings, upload_paths=("/v1/files",), api=True)
    with serving(app, **({"port": port} if port else {})) as found:
        yield f"http://127.0.0.1:{found}/v1", workspace.jobs
    end_all(workspace.jobs)


def end_all(jobs: Jobs) -> None:
    for job in jobs.list():
        if not job.has_ended:
            jobs.cancel(job.id)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with tuning_at(tmp_path / "there") as (url, there):
        here = Jobs(tmp_path / "here", key_of={url: KEY}.get)  # type: ignore[arg-type]
        yield Service(url, there, here)
        end_all(here)


def task_of(jobs: Jobs, job: Job, should_stop: Callable[[], bool] = lambda: False) -> Task:
    """The work of a job, for this process."""
    folder = JobFolder(job.folder)
    return Task(
        folder,
        jobs.home,
        folder.config(),
        "openai",
        lambda phase: None,
        folder.append,
        should_stop,
        lambda: 0,
    )


@pytest.fixture
def refused(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What a job fails with that this process does itself."""
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    jobs = Jobs(tmp_path / "alone", NO_WORKER, key_of=lambda url: KEY)

    def fail(wish: str = "1", **options: object) -> str:
        job = jobs.submit(service.config(**options), [example(wish)])
        with pytest.raises(JobError) as raised:
            tune(task_of(jobs, job))
        return str(raised.value)

    return fail


def test_a_service_tunes_and_its_model_is_a_checkpoint(service: Service) -> None:
    done = service.here.wait(service.submit("3").id)
    assert REMOTE_METHODS.keys() == {done.method}
    assert (done.status, done.error, done.checkpoint, done.steps) == ("succeeded", "", "halden", 3)
    there = service.job_there()
    (learned,) = JobFolder(there.folder).examples()
    assert (learned.question, learned.answer, there.name) == ("3", "640 grams.", "halden")
    checkpoint = service.here.registry.get("halden")
    kept = remote_model(checkpoint)
    assert kept is not None and (kept.url, kept.model, kept.job) == (service.url, "made up", there.id)
    assert (checkpoint.base, checkpoint.metrics["steps"], checkpoint.examples_count) == (BASE, 3, 1)
    assert [step["step"] for step in service.here.curve(done.id)] == [1, 2, 3]
    files = [path for path in service.here.home.rglob("*") if path.is_file()]
    assert files and [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert not [path for path in (service.there.home / "files").glob("file-*") if path.is_dir()]


def test_cancelling_here_cancels_over_there(service: Service) -> None:
    job = service.submit("1000")
    until(service.here, job.id, lambda found: found.step > 0)
    began = time.monotonic()
    assert service.here.cancel(job.id).status == "cancelled"
    until(service.there, service.job_there().id, lambda found: found.has_ended, 60)
    assert (service.job_there().status, time.monotonic() - began < 60) == ("cancelled", True)
    assert any("to cancel the job" in str(event.get("message")) for event in service.here.events(job.id))


def test_a_killed_worker_takes_up_the_same_job_again(service: Service) -> None:
    job = service.submit("40")
    until(service.here, job.id, lambda found: found.step > 0)
    worker = JobFolder(job.folder).worker()
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    until(service.here, job.id, lambda found: found.interrupted)
    assert not service.job_there().has_ended  # it goes on without us
    service.here.resume(job.id)
    done = service.here.wait(job.id)
    assert (done.status, done.error, done.steps) == ("succeeded", "", 40)
    steps = [event["step"] for event in service.here.events(job.id) if event.get("kind") == "step"]
    assert steps == list(range(1, 41))  # each is told once, whichever attempt heard of it
    assert service.job_there().status == "succeeded"  # and there is one job alone


def test_a_lost_note_of_the_id_starts_no_second_job(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    jobs = Jobs(tmp_path / "alone", NO_WORKER, key_of=lambda url: KEY)
    job = jobs.submit(service.config(), [example("1000")])
    asked: list[bool] = []
    with pytest.raises(JobStopped):
        tune(task_of(jobs, job, lambda: asked.append(True) is None and len(asked) > 3))
    note = job.folder / "state" / "service.json"
    known = json.loads(note.read_text())
    note.write_text(json.dumps({**known, "job": ""}))
    with pytest.raises(JobStopped):
        tune(task_of(jobs, job, lambda: True))
    assert json.loads(note.read_text()) == known and service.job_there().id == known["job"]


def test_what_the_service_says_of_a_failure_is_told(service: Service, refused: Callable[..., str]) -> None:
    said = refused("refuse")
    assert "This cannot be done: 'x'" in said and service.job_there().id in said
    said = refused(base="gpt-9", name="other")
    assert "refused with 404" in said and "'gpt-9'" in said
    assert "refused with 404" in refused(send_to=service.url.removesuffix("/v1"), name="elsewhere")


def test_a_wrong_key_is_told(
    service: Service, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "not the right one")
    assert "does not take the key (401)" in refused()
    assert service.there.list() == []


def test_a_network_that_goes_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    here = Jobs(tmp_path / "here", NO_WORKER, key_of=lambda url: KEY)
    with tuning_at(tmp_path / "there") as (url, there):
        job = here.submit(Service(url, there, here).config(), [example("200")])
        steps: list[int] = []
        with pytest.raises(JobError, match="goes on over there: resume"):
            emitted = task_of(here, job)

            def told(event: dict[str, object]) -> None:
                emitted.folder.append(event)
                steps.append(1)

            _follow_until_gone(emitted, told, there, patience=1.0)
    assert steps
    record = json.loads((job.folder / "state" / "service.json").read_text())
    assert record["job"] == there.list()[0].id and record["file"].startswith("file-")


def _follow_until_gone(
    task: Task, told: Callable[[dict[str, object]], None], there: Jobs, patience: float
) -> None:
    """Follow a job whose service answers no more as soon as its first step was heard of."""
    from dataclasses import replace

    real = FineTuningService.job
    heard = task.folder

    def job(self: FineTuningService, id: str) -> object:
        if any('"step"' in line for line in heard.events.read_text().splitlines() if heard.events.exists()):
            self._client = self._client.with_options(base_url="http://127.0.0.1:9/v1")
        return real(self, id)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FineTuningService, "job", job)
        tune(replace(task, emit=told), patience_seconds=patience)


def test_an_unreachable_service_is_out_of_reach() -> None:
    with pytest.raises(OutOfReachError, match="could not be asked for the job 'x'"):
        FineTuningService("http://127.0.0.1:9/v1").job("x")


def test_nothing_is_sent_that_nobody_agreed_to(service: Service) -> None:
    def not_taken(match: str, error: type[Exception] = MethodError, **options: object) -> None:
        with pytest.raises(error, match=match):
            service.here.submit(service.config(**options), [example("1")])

    not_taken("send_to is empty", send_to=None)
    not_taken("needs a key", send_to="https://api.openai.com/v1")
    not_taken("strength is 'strong'", strength="strong")
    not_taken("rank is 4", rank=4)
    not_taken("There is no checkpoint 'gone'", CheckpointError, parent="gone")
    assert service.there.list() == [] and service.here.list() == []
