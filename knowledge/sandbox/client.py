"""The client of a process that parses files and can be killed: bounded in time and memory, no network, no writing.

The parent sends bytes and receives JSON, never code or pickled objects. One process serves many files.
"""

import atexit
import contextlib
import json
import logging
import os
import queue
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.readers.blocks import ParsedFile
from knowledge.sandbox.confinement import LANDLOCK, SECCOMP

log = logging.getLogger(__name__)

_MODULE = "knowledge.sandbox.parser_process"
POLL_SECONDS = 0.1
START_SECONDS = 120.0  # for its imports, on a slow disk
FILES_PER_PROCESS = 500  # then a new one: native parsers leak memory


@dataclass(frozen=True)
class SandboxLimits:
    """What one document may cost."""

    bytes: int = 200 * 2**20  # of the file
    seconds: float = 120.0  # of parsing
    memory: int = 2 * 2**30  # of the parsing process
    recognition_seconds: float = 1800.0  # more, of which each scanned page gets its part


class Sandbox:
    """One parsing process, started at the first file, replaced when killed. Threads may share it."""

    def __init__(self, limits: SandboxLimits | None = None) -> None:
        self.limits = limits or SandboxLimits()
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def parse(
        self, name: str, data: bytes, *, content_type: str = "", password: str | None = None
    ) -> ParsedFile:
        """The blocks of one document. Raises DocumentError, also for a crash or an exceeded limit."""
        request = {"name": name, "content_type": content_type, "password": password, "size": len(data)}
        with self._lock:
            process = self._running()
            try:
                reply = process.ask(request, data)
            except DocumentError as error:
                self._stop()
                raise DocumentError(f"{name}: {error}") from None
            except BaseException:  # Ctrl-C in the middle: the next answer would belong to this question
                self._stop()
                raise
        if "error" in reply:
            kind = PasswordNeededError if reply["kind"] == "password" else DocumentError
            raise kind(f"{name}: {reply['error']}")
        return ParsedFile.from_dict(reply)

    def protections(self) -> list[str]:
        """What confines the parsing process: "landlock" and "seccomp" where the kernel has them, and others.

        Starts the process if it is not running. Raises DocumentError when it cannot run.
        """
        with self._lock:
            return list(self._running().protections())

    def close(self) -> None:
        """End the process; the next file starts another."""
        with self._lock:
            self._stop()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> "_Process":
        process = self._process
        if process is None or not process.alive or process.served >= FILES_PER_PROCESS:
            self._stop()
            process = self._process = _Process(self.limits)
        return process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process = None


class _Process:
    def __init__(self, limits: SandboxLimits) -> None:
        self.limits = limits
        self.served = 0
        self._protections: list[str] = []
        # "-P", "-X utf8" and a bare environment: the same answers everywhere, and no secret to lose.
        command = [sys.executable, "-P", "-X", "utf8", "-m", _MODULE, str(limits.memory)]
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is the parent's to handle
        )
        self._replies: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._listen, name="sandbox-replies", daemon=True).start()

    def protections(self) -> list[str]:
        """What the process is confined by: the first thing it says, once it has given up its rights."""
        if not self._protections:
            reply = self._wait(
                time.monotonic() + START_SECONDS, "starting the parsing process", START_SECONDS
            )
            if reply is None:
                raise DocumentError(f"the parsing process did not start ({self._ending()})")
            self._protections = json.loads(reply)["protections"]
            log.info("parsing process %d is confined by: %s", self._popen.pid, ", ".join(self._protections))
            for missing in sorted({LANDLOCK, SECCOMP}.difference(self._protections)):
                log.info("no %s on this system: it does not confine the native code of parsers", missing)
        return self._protections

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, request: dict[str, Any], data: bytes) -> dict[str, Any]:
        self.served += 1
        request["seconds"] = self.limits.seconds
        request["recognition_seconds"] = self.limits.recognition_seconds
        stdin = self._popen.stdin
        assert stdin is not None
        self.protections()
        # A process that died already says so through its missing reply.
        with contextlib.suppress(OSError):
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.write(data)
            stdin.flush()
        answer = self._answer(time.monotonic() + self.limits.seconds)
        if "more_seconds" in answer:  # there are scanned pages; it may ask for this once
            more = min(float(answer["more_seconds"]), self.limits.recognition_seconds)
            answer = self._answer(time.monotonic() + self.limits.seconds + more)
        return answer

    def _answer(self, deadline: float) -> dict[str, Any]:
        reply = self._wait(deadline, "reading it", self.limits.seconds)
        if reply is None:
            ending = self._ending()
            raise DocumentError(f"the file broke its parser ({ending}); it is damaged or made to do harm")
        answer: dict[str, Any] = json.loads(reply)
        return answer

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _wait(self, deadline: float, what: str, seconds: float) -> bytes | None:
        while True:
            try:
                return self._replies.get(timeout=POLL_SECONDS)
            except queue.Empty:
                pass
            if time.monotonic() > deadline:
                raise DocumentError(f"{what} took more than {seconds:g} seconds, so it was stopped")
            if self._memory() > self.limits.memory:
                raise DocumentError(_over_memory(self.limits))

    def _memory(self) -> int:
        try:
            return int(psutil.Process(self._popen.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout=2)
        code = self._popen.poll()
        return f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"

    def _listen(self) -> None:
        stdout = self._popen.stdout
        assert stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while length := stdout.read(8):
                size = int.from_bytes(length, "big")
                reply = stdout.read(size)
                if len(reply) < size:
                    break
                self._replies.put(reply)
        self._replies.put(None)


def _over_memory(limits: SandboxLimits) -> str:
    return f"reading it took more than {limits.memory / 2**20:,.0f} MiB of memory, so it was stopped"


def _environment() -> dict[str, str]:
    package = str(Path(__file__).resolve().parents[2])
    kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "LANG") if name in os.environ}
    # The parent's own import path: the libraries may come from it and not from this interpreter's folder.
    path = os.pathsep.join([package, *(entry for entry in sys.path if entry)])
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {**kept, **single, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


_shared: Sandbox | None = None
_shared_lock = threading.Lock()


def shared_sandbox() -> Sandbox:
    """The sandbox of this program, with the default limits; it ends with the program."""
    global _shared
    with _shared_lock:
        if _shared is None:
            _shared = Sandbox()
            atexit.register(_shared.close)
        return _shared
