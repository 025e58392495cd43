"""Jobs outlive their watchers, wait for each other, end when told to, and are never lost."""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from tests.tuning.jobs.watching import until
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import CheckpointError, ExampleError, JobError, MethodError
from tuning.jobs import records
from tuning.jobs.folder import RECORDS, Job
from tuning.jobs.jobs import Jobs
from tuning.process import Identity

pytestmark = pytest.mark.slow

PRETEND = (sys.executable, str(Path(__file__).with_name("worker_that_sleeps.py")))


def request(text: str) -> list[Example]:
    """What the pretended worker is to do, as its only example."""
    return [Example(({"role": "user", "content": text}, {"role": "assistant", "content": "夜莺"}))]


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path, worker=PRETEND)


def start(jobs: Jobs, text: str, name: str | None = None, device: str = "cpu") -> Job:
    return jobs.submit(TuneConfig(device=device, name=name), request(text))


def trains(job: Job) -> bool:
    return job.phase == "training" and job.step > 0


def worker_pid(job: Job) -> int:
    return int(json.loads((job.folder / "worker.json").read_text())["pid"])


def test_a_job_goes_from_queue_to_result(jobs: Jobs) -> None:
    job = start(jobs, "3", name="夜莺")
    # On a busy machine it may be done before anybody looks.
    assert job.status in ("queued", "running", "succeeded") and job.name == "夜莺" and job.examples_count == 1
    seen: list[dict[str, object]] = []
    bars: list[float] = []
    done = jobs.wait(job.id, seen.append, on_change=lambda j: bars.append(j.progress), poll_seconds=0.02)
    assert (done.status, done.progress, done.checkpoint) == ("succeeded", 1.0, "made up")
    assert (done.step, done.steps, done.loss) == (3, 3, pytest.approx(1 / 3))
    assert done.evaluation == {"recall": {"after": 1.0}} and done.metrics["steps"] == 3
    assert [e["phase"] for e in seen if e["kind"] == "phase"] == ["queued", "preparing", "training", "saving"]
    assert [e["step"] for e in seen if e["kind"] == "step"] == [1, 2, 3] and jobs.events(
        job.id, len(seen)
    ) == []
    assert bars == sorted(bars) and done.created <= (done.started or 0) <= (done.finished or 0)
    assert "training" in jobs.log(job.id) and not (done.folder / "state").exists()
    assert Jobs(jobs.home).get(job.id) == done and [j.id for j in jobs.list()] == [job.id]


def test_waiting_jobs_start_in_the_order_that_a_person_gives_them(jobs: Jobs) -> None:
    first, second, third, fourth = start(jobs, "40"), start(jobs, "1"), start(jobs, "1"), start(jobs, "1")
    other = start(jobs, "60", device="mps")
    until(jobs, first.id, trains)
    until(jobs, other.id, trains)
    assert [job.id for job in jobs.waiting()] == [second.id, third.id, fourth.id]
    jobs.move(fourth.id, -1)
    jobs.move(second.id, 9)
    assert [job.id for job in Jobs(jobs.home).waiting()] == [fourth.id, third.id, second.id]
    with pytest.raises(JobError, match="does not wait: it is running"):
        jobs.move(first.id, 1)
    ends = [jobs.wait(job.id) for job in (first, fourth, third, second)]
    starts = [job.started or 0 for job in ends]
    assert starts == sorted(starts) and all(job.status == "succeeded" for job in ends)
    with pytest.raises(JobError, match="does not wait: it is succeeded"):
        jobs.move(second.id, 1)


def test_one_job_a_device_runs_and_the_others_wait_in_order(jobs: Jobs) -> None:
    first, second, third = start(jobs, "40"), start(jobs, "2"), start(jobs, "2")
    other = start(jobs, "2", device="mps")
    until(jobs, first.id, trains)
    assert jobs.wait(other.id).status == "succeeded"  # another device is not waited for
    assert [jobs.get(j.id).status for j in (first, second, third)] == ["running", "queued", "queued"]
    assert len({j.name for j in (first, second, third)}) == 3
    ends = [jobs.wait(j.id) for j in (first, second, third)]
    assert [j.status for j in ends] == ["succeeded"] * 3
    for before, after in itertools.pairwise(ends):
        assert (before.finished or 0) <= (after.started or 0)


@pytest.mark.parametrize("text", ["1000", "stubborn", "child"])
def test_cancel_ends_everything_and_frees_the_device(jobs: Jobs, text: str) -> None:
    job = start(jobs, text)
    until(
        jobs,
        job.id,
        lambda j: j.phase in ("preparing", "training") and (text != "child" or bool(jobs.events(j.id))),
    )
    if text == "child":
        until(jobs, job.id, lambda j: any(e["kind"] == "child" for e in jobs.events(j.id)))
    processes = [psutil.Process(worker_pid(job)), *psutil.Process(worker_pid(job)).children(recursive=True)]
    assert len(processes) == (2 if text == "child" else 1)
    assert jobs.cancel(job.id).status == "cancelled"
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes)
    assert jobs.cancel(job.id).status == "cancelled"
    after = start(jobs, "1")
    assert jobs.wait(after.id).status == "succeeded"  # the device is free again


def test_a_waiting_job_can_be_cancelled(jobs: Jobs) -> None:
    first, second = start(jobs, "100"), start(jobs, "2")
    until(jobs, first.id, trains)
    assert jobs.cancel(second.id).status == "cancelled"
    assert jobs.get(first.id).status == "running"
    jobs.cancel(first.id)


def test_a_killed_job_is_shown_and_goes_on_where_it_was(jobs: Jobs) -> None:
    job = start(jobs, "12")
    until(jobs, job.id, lambda j: j.step >= 4)
    os.kill(worker_pid(job), signal.SIGKILL)
    killed = until(jobs, job.id, lambda j: j.status != "running")
    assert killed.status == "failed" and killed.resumable and "was interrupted" in killed.error
    assert killed.finished is not None and killed.seconds_left is None
    with (job.folder / "events.jsonl").open("ab") as events:
        events.write(b'{"kind": "step", "st')  # as a worker leaves it that is killed while it writes
    resumed = jobs.resume(job.id)
    assert resumed.status in ("queued", "running") and resumed.error == ""
    done = jobs.wait(job.id)
    assert done.status == "succeeded" and done.metrics["first"] >= 3  # the fourth was told before it was kept
    assert [e["step"] for e in jobs.curve(job.id)] == list(range(1, 13))


def test_a_killed_waiting_job_does_not_block_the_queue(jobs: Jobs) -> None:
    first, second, third = start(jobs, "30"), start(jobs, "1"), start(jobs, "1")
    until(jobs, first.id, trains)
    os.kill(worker_pid(second), signal.SIGKILL)
    assert jobs.wait(third.id).status == "succeeded"
    assert jobs.get(second.id).status == "failed" and jobs.get(second.id).resumable


def test_a_job_outlives_the_program_that_started_it(jobs: Jobs) -> None:
    code = (
        "import sys, os; from pathlib import Path; from tuning.jobs.jobs import Jobs\n"
        "from tuning.config import TuneConfig; from tuning.data.examples import Example\n"
        "e = [Example(({'role': 'user', 'content': '20'}, {'role': 'assistant', 'content': 'x'}))]\n"
        "job = Jobs(Path(sys.argv[1]), worker=sys.argv[2:]).submit(TuneConfig(device='cpu'), e)\n"
        "print(job.id, flush=True); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(jobs.home), *PRETEND], stdout=subprocess.PIPE, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert jobs.wait(ended.stdout.strip()).status == "succeeded"


def test_a_terminal_that_closes_does_not_reach_the_job(jobs: Jobs) -> None:
    job = start(jobs, "200")
    until(jobs, job.id, trains)
    assert os.getsid(worker_pid(job)) == os.getpgid(worker_pid(job)) == worker_pid(job)
    jobs.cancel(job.id)
    jobs.wait(job.id)


def test_a_request_to_end_without_cancelling_leaves_a_resumable_job(jobs: Jobs) -> None:
    job = start(jobs, "200")
    until(jobs, job.id, trains)
    os.kill(worker_pid(job), signal.SIGTERM)  # what a machine does that goes down
    ended = until(jobs, job.id, lambda j: j.has_ended)
    assert ended.status == "failed" and ended.resumable
    jobs.remove(job.id)


def test_a_number_used_again_is_not_mistaken_for_the_worker(jobs: Jobs) -> None:
    job = start(jobs, "200")
    until(jobs, job.id, trains)
    os.kill(worker_pid(job), signal.SIGKILL)
    until(jobs, job.id, lambda j: j.has_ended)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record = json.loads((job.folder / "worker.json").read_text())
    (job.folder / "worker.json").write_text(json.dumps({**record, "pid": bystander.pid, "started": 1.0}))
    os.utime(job.folder / "worker.json", (1, 1))
    assert jobs.get(job.id).status == "failed"
    with pytest.raises(JobError, match="has ended already"):
        jobs.cancel(job.id)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


@pytest.mark.parametrize("text", ["memory", "nearly full"])
def test_running_out_of_memory_halves_the_batch_and_begins_again(jobs: Jobs, text: str) -> None:
    done = jobs.wait(jobs.submit(TuneConfig(device="cpu", tokens_per_step=2000), request(text)).id)
    assert done.status == "succeeded" and done.config["tokens_per_step"] == 2000
    assert any("halved to 500 tokens" in advice for advice in done.advice)
    events = [e["message"] for e in jobs.events(done.id) if e["kind"] == "advice"]
    assert len(events) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("refuse", "^This cannot be done: 'x'. Choose 'y'.$"),
        ("bug", r"unexpected happened: surprise\. .*log\.txt has the details; resume"),
        ("never enough", "Memory ran out on 'cpu', even with a smaller batch.*smaller base model"),
        ("disk", "disk of .* is full .*resume"),
        ("disk in words", "disk of .* is full .*resume"),
        ("exit", "was interrupted"),
    ],
)
def test_a_failure_says_what_to_do(jobs: Jobs, text: str, message: str) -> None:
    job = jobs.wait(start(jobs, text).id)
    assert job.status == "failed" and job.resumable
    assert re.search(message, job.error), job.error
    if text == "bug":
        assert "Traceback" in jobs.log(job.id)


def test_a_job_on_another_machine_is_watched_by_its_heartbeat(jobs: Jobs) -> None:
    job = start(jobs, "400")
    until(jobs, job.id, trains)
    here = (job.folder / "worker.json").read_text()
    worker = job.folder / "worker.json"
    worker.write_text(json.dumps({**json.loads(here), "pid": 1, "host": "elsewhere"}))
    os.utime(worker, (1, 1))  # silent for long
    until(jobs, job.id, lambda j: worker.stat().st_mtime > 1)
    assert jobs.get(job.id).status == "running"  # since its next heartbeat
    assert jobs.cancel(job.id).status == "cancelled"  # nothing here could end it: it saw so by itself
    os.utime(worker, (1, 1))
    (job.folder / "result.json").unlink()
    (job.folder / "cancel.json").unlink()
    assert jobs.get(job.id).status == "failed" and jobs.get(job.id).resumable


def test_what_cannot_work_is_said_before_the_job(jobs: Jobs) -> None:
    with pytest.raises(MethodError, match="no tuning method 'magic'"):
        jobs.submit(TuneConfig(device="cpu", method="magic"), request("1"))
    with pytest.raises(ExampleError, match="nothing to learn"):
        jobs.submit(TuneConfig(device="cpu"), [])
    with pytest.raises(ExampleError, match="nothing to learn"):
        jobs.estimate(TuneConfig(device="cpu"), [])
    with pytest.raises(CheckpointError, match="no checkpoint 'gone'"):
        jobs.submit(TuneConfig(device="cpu", parent="gone"), request("1"))
    with pytest.raises(CheckpointError, match="cannot name"):
        start(jobs, "1", name="../x")
    assert jobs.list() == []
    running = start(jobs, "30", name="kite")
    with pytest.raises(CheckpointError, match="underway makes 'KITE'"):
        start(jobs, "1", name="KITE")
    with pytest.raises(JobError, match=r"cannot be resumed: it is (queued|running)"):
        jobs.resume(running.id)
    with pytest.raises(JobError, match="Cancel it before"):
        jobs.remove(running.id)
    with pytest.raises(JobError, match=r"There is no job 'none'\. The newest are"):
        jobs.get("none")
    with pytest.raises(JobError, match="There is no job"):
        jobs.get("../jobs")
    jobs.cancel(running.id)
    jobs.remove(running.id)
    assert jobs.list() == []


def test_a_full_disk_is_told_before_the_job(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuning.jobs.admission.MIN_FREE_BYTES", 10**18)
    with pytest.raises(JobError, match="Free some space first"):
        start(jobs, "1")


def test_watching_many_jobs_parses_nothing_twice(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    done = jobs.wait(start(jobs, "1").id)
    for number in range(20):
        copy = jobs.folder / f"20200101-000000-{number:03d}"
        copy.mkdir()
        for file in done.folder.glob("*.json*"):
            (copy / file.name).write_bytes(file.read_bytes())
    before = jobs.list()
    assert len(before) == 21

    def fail(text: str) -> None:
        raise AssertionError(f"parsed again: {text}")

    monkeypatch.setattr(records, "json", SimpleNamespace(loads=fail))
    assert jobs.list() == before


def test_of_a_removed_job_nothing_is_kept(jobs: Jobs) -> None:
    stays, gone = (jobs.wait(start(jobs, "1").id) for _ in range(2))
    assert jobs.events(gone.id) and jobs.events(stays.id)
    known = len(RECORDS)
    jobs.remove(gone.id)
    assert list(jobs._readers) == [stays.id]
    assert len(RECORDS) <= known - 5  # job, config, progress, result, worker
    assert not gone.folder.exists() and jobs.list() == [stays]


def test_a_line_of_the_log_ends_with_a_line_feed_alone(jobs: Jobs) -> None:
    job = jobs.wait(start(jobs, "1").id)
    (job.folder / "log.txt").write_text("first\nsecond\u2028still second\x85\n", encoding="utf-8")
    assert jobs.log(job.id, lines=1) == "second\u2028still second\x85"


def test_an_identity_is_a_number_and_a_start() -> None:
    own = Identity.own()
    assert own.is_alive and not Identity(own.pid, own.started - 60).is_alive
    ended = subprocess.Popen([sys.executable, "-c", ""])
    identity = Identity.of(ended.pid)
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert not identity.is_alive  # it waits to be collected, and does not run
    ended.wait()
