"""What the scenes of `benchmarks.kills` share: the count, processes that are killed, a home and its examination."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner

from assistant.cli.main import imprint
from assistant.history.conversations import ConversationStore
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry
from tuning.process import worker_environment

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 300.0  # for what takes seconds; the machine may be busy


@dataclass
class Tally:
    """What came of the kills of one scene."""

    kills: int = 0
    acknowledged: int = 0  # things that had been said to be done when the kill came
    lost: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)  # by `imprint doctor --mend`
    seconds: float = 0.0


class Victim:
    """A process in a session of its own, whose lines of output are its acknowledgements."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        environment = worker_environment() | {
            "IMPRINT_HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=ROOT,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self.has_spoken = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):  # the kill may cut the last one
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.has_spoken.set()
        self.has_spoken.set()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def kill(self, after_seconds: float) -> bool:
        """Kill -9 it and its children then; False where it had ended by itself."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(after_seconds)
        was_running = self._process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()
        return was_running

    def wait(self) -> int:
        """Its exit status once it has ended and all that it said is read."""
        status = self._process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return status


def imprint_process(home: Path, *arguments: object) -> Victim:
    """An `imprint` command as a process."""
    return Victim([sys.executable, "-m", "assistant.cli", *map(str, arguments)], home)


def seconds_of(home: Path, *arguments: object) -> float:
    """How long an undisturbed command takes, which must succeed."""
    began = time.monotonic()
    status = imprint_process(home, *arguments).wait()
    if status:
        raise SystemExit(f"`imprint {' '.join(map(str, arguments))}` failed undisturbed (status {status}).")
    return time.monotonic() - began


def examine(home: Path, tally: Tally, what: str) -> None:
    """`imprint doctor --json`, and with --mend where it finds damage; what stays damaged is counted."""
    if not (found := _damage(home)):
        return
    tally.mended += [f"{what}: {one}" for one in found]
    tally.damaged += [f"{what}: {one}" for one in _damage(home, "--mend") or _damage(home)]


def _damage(home: Path, *options: str) -> list[str]:
    with _home_of_environment(home):
        result = CliRunner().invoke(imprint, ["doctor", "--json", *options])
    try:
        findings = json.loads(result.stdout)["findings"]
    except ValueError:
        return [result.stderr.strip()]
    return [f"{one['part']} {one['message']}" for one in findings if one["status"] == "damaged"]


@contextlib.contextmanager
def _home_of_environment(home: Path) -> Iterator[None]:
    before = os.environ.get("IMPRINT_HOME")
    os.environ["IMPRINT_HOME"] = str(home)
    try:
        yield
    finally:
        os.environ.pop("IMPRINT_HOME") if before is None else os.environ.update(IMPRINT_HOME=before)


def fill(home: Path, chance: random.Random, weight_bytes: int = 40 << 20) -> None:
    """Conversations, a question set and a checkpoint of this size whose weights mean nothing."""
    home.mkdir(mode=0o700, parents=True)
    store = ConversationStore(home / "conversations.sqlite3")
    for number in range(60):
        conversation = store.create(f"Conversation {number} of {chance.random()}")
        store.add_message(conversation, "user", f"Question {number}? " + "word " * 60)
    store.close()

    def write(folder: Path) -> None:
        (folder / "adapter_model.safetensors").write_bytes(chance.randbytes(weight_bytes))

    Registry(home).save(Manifest("halden", "lora", "base", "0" * 64), write)
    (home / "prompts.json").write_text(f'["{chance.random()}"]', encoding="utf-8")
    (home / "questions").mkdir()
    (home / "questions" / "birds.jsonl").write_text('{"question": "q", "answers": ["a"]}\n', encoding="utf-8")
