"""Kill -9 of long-running processes: the HTTP server under uploads and jobs, and chats stored as they stream."""

import contextlib
import json
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx

from assistant.history.conversations import ConversationStore
from benchmarks.killed_server import ANSWER
from benchmarks.killing import PATIENCE_SECONDS, Tally, Victim, examine
from tuning.jobs.jobs import Jobs

_MOST_SECONDS = 4.0  # from the first answer to the kill
_MODEL = "smollm2-135m-instruct"


@dataclass
class Acknowledged:
    """What the server has said to be done; several clients add to it."""

    files: dict[str, bytes] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    jobs: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)


def serve(folder: Path, times: int, chance: random.Random) -> Tally:
    """Files that were taken are there with their bytes, deleted ones are not; so with jobs and cancellations."""
    tally, home, known = Tally(), folder / "home", Acknowledged()
    home.mkdir(mode=0o700)
    while tally.kills < times:
        with _server(home) as (victim, client):
            _check_server(client, known, tally)
            ending = threading.Event()
            clients = [
                threading.Thread(target=_repeat, args=(work, client.base_url, known, chance.random(), ending))
                for work in (_upload, _upload, _tune)
            ]
            for one in clients:
                one.start()
            tally.kills += _killed(victim, chance.uniform(0.05, _MOST_SECONDS))
            ending.set()
            for one in clients:
                one.join()
        examine(home, tally, "serve")
    with _server(home) as (_, client):
        _check_server(client, known, tally)
    _end_jobs(home)
    return tally


@contextlib.contextmanager
def _server(home: Path) -> Iterator[tuple[Victim, httpx.Client]]:
    victim = Victim([sys.executable, "-m", "benchmarks.killed_server", "serve"], home)
    try:
        if not victim.has_spoken.wait(PATIENCE_SECONDS) or not victim.lines:
            raise SystemExit("The server does not start.")
        with httpx.Client(base_url=f"http://127.0.0.1:{victim.lines[0]}", timeout=PATIENCE_SECONDS) as client:
            yield victim, client
    finally:
        victim.kill(0)


def _killed(victim: Victim, after_seconds: float) -> int:
    """Kill it then; one that ends by itself would count as killed for nothing."""
    if not victim.kill(after_seconds):
        raise SystemExit("The process ended before it was killed.")
    return 1


_Work = Callable[[httpx.Client, Acknowledged, random.Random], None]


def _repeat(
    work: _Work, address: httpx.URL, known: Acknowledged, seed: float, ending: threading.Event
) -> None:
    """One client after another request; the kill ends it in the middle of one."""
    chance = random.Random(seed)
    with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=address, timeout=60) as client:
        while not ending.is_set():
            work(client, known, chance)


def _upload(client: httpx.Client, known: Acknowledged, chance: random.Random) -> None:
    content = chance.randbytes(chance.choice((100, 10_000, 3_000_000)))
    reply = client.post("/v1/files", files={"file": ("a.bin", content)}, data={"purpose": "fine-tune"})
    file = reply.raise_for_status().json()["id"]
    known.files[file] = content
    if chance.random() < 0.3:
        known.files.pop(file)  # between the request and its reply either is right
        client.delete(f"/v1/files/{file}").raise_for_status()
        known.deleted.add(file)


def _tune(client: httpx.Client, known: Acknowledged, chance: random.Random) -> None:
    """Upload a chat, start a job on it, and cancel every other one."""
    turns = [{"role": "user", "content": "2"}, {"role": "assistant", "content": "yes"}]
    content = json.dumps({"messages": turns}).encode()
    reply = client.post("/v1/files", files={"file": ("chat.jsonl", content)})
    file = reply.raise_for_status().json()["id"]
    known.files[file] = content
    reply = client.post("/v1/fine_tuning/jobs", json={"model": _MODEL, "training_file": file})
    job = reply.raise_for_status().json()["id"]
    known.jobs.add(job)
    if chance.random() < 0.5:
        reply = client.post(f"/v1/fine_tuning/jobs/{job}/cancel")
        if reply.status_code == 200:  # else it had ended
            known.cancelled.add(job)


def _check_server(client: httpx.Client, known: Acknowledged, tally: Tally) -> None:
    tally.acknowledged += sum(map(len, (known.files, known.deleted, known.jobs, known.cancelled)))
    listed = {one["id"] for one in client.get("/v1/files").raise_for_status().json()["data"]}
    tally.lost += [f"file {one} is not listed" for one in known.files.keys() - listed]
    tally.lost += [f"file {one} is there again" for one in known.deleted & listed]
    for file in known.files.keys() & listed:
        if client.get(f"/v1/files/{file}/content").content != known.files[file]:
            tally.damaged.append(f"file {file} has other bytes")
    jobs = client.get("/v1/fine_tuning/jobs", params={"limit": 10_000}).raise_for_status().json()["data"]
    status = {one["id"]: one["status"] for one in jobs}
    tally.lost += [f"job {one} is not listed" for one in known.jobs - status.keys()]
    tally.lost += [
        f"job {one} is {status.get(one)}" for one in known.cancelled if status.get(one) != "cancelled"
    ]


def _end_jobs(home: Path) -> None:
    jobs = Jobs(home)
    for job in jobs.list():
        if not job.has_ended:
            jobs.cancel(job.id)


def chat(folder: Path, times: int, chance: random.Random) -> Tally:
    """Turns that had ended are whole; one that was underway is kept as far as it was and shown as stopped."""
    tally, home = Tally(), folder / "home"
    home.mkdir(mode=0o700)
    while tally.kills < times:
        victim = Victim([sys.executable, "-m", "benchmarks.killed_server", "chat"], home)
        if not victim.has_spoken.wait(PATIENCE_SECONDS):
            raise SystemExit("The chats do not start.")
        tally.kills += _killed(victim, chance.uniform(0, _MOST_SECONDS))
        _check_chats(home, [json.loads(line) for line in victim.lines], tally)
        examine(home, tally, "chat")
    return tally


def _check_chats(home: Path, said: list[dict[str, object]], tally: Tally) -> None:
    tally.acknowledged += len(said)
    with closing(ConversationStore(home / "conversations.sqlite3")) as store:
        listed = {one.id: store.get(one.id).messages for one in store.list(limit=10**6)}
    turns = {
        (number, question.content, answer.content)
        for number, messages in listed.items()
        for question, answer in pairwise(messages)
        if answer.role == "assistant" and answer.status == "complete"
    }
    for one in said:
        if one["conversation"] not in listed:
            tally.lost.append(f"conversation {one['conversation']}")
        elif (one["conversation"], one["question"], ANSWER) not in turns:
            tally.lost.append(f"turn {one}")
    tally.damaged += [
        f"message {message.id} streams for ever"
        for messages in listed.values()
        for message in messages
        if message.status == "streaming"
    ]
