"""One running llama.cpp: a process of its own that is asked over loopback HTTP, and ends with this one.

A process of its own, since a fault in native code ends it and nothing else, and since it waits for its threads in
another way than torch does: see `docs/engines.md`. Which prompts and adapters it is given is decided elsewhere.
"""

import contextlib
import json
import queue
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

from assistant.errors import EngineError
from tuning.process import worker_environment

START_SECONDS = 300.0  # a large model comes from a slow disk
_LAST_WORDS_SECONDS = 2.0  # for which a process that failed to start is left to end
SILENCE_SECONDS = 900.0  # a long prompt is read before the first token
_POLL_SECONDS = 0.05  # how late a stop may be noticed


# How often a waiting thread looks before it sleeps (libgomp). Never: a third of the speed on a quiet machine. The
# default, far longer: a quarter beside other work. The figures are in `docs/engines.md`.
SPINS = "1000"


class EngineEndedError(EngineError):
    """The process of the model ended by itself."""


@dataclass(frozen=True)
class ServerSettings:
    """What a llama.cpp process is started with."""

    model: str
    adapters: Sequence[str]
    context: int  # tokens of all answers together
    slots: int  # answers at once
    batch: int  # tokens of a prompt that are read at once, which nothing interrupts
    threads: int
    cache_mib: int  # of prompts that were read and may come again
    states: str = ""  # a folder of saved states, ending in a slash; empty where there are none


class LlamaServer:
    """A llama.cpp process. Threads may share it."""

    def __init__(
        self, name: str, settings: ServerSettings, at_end: Callable[[], None] = lambda: None
    ) -> None:
        """Start the process and wait until the model is open; `at_end` is called when it is closed.

        Raises EngineError.
        """
        self._name, self._at_end = name, at_end
        self._key = secrets.token_urlsafe(24)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (it is open as long as the process)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "assistant.engines.llama_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(),
        )
        self._address = self._start({**asdict(settings), "key": self._key})

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask and wait for the whole reply. Raises EngineError."""
        with self._asked(path, body) as connection:
            try:
                return _object(connection.getresponse())
            except (OSError, HTTPException) as error:
                raise self._broken(error) from error

    def stream(
        self, path: str, body: dict[str, Any], stop: threading.Event | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """The events of a streamed reply; leaving, or setting `stop`, ends the work for it. Raises EngineError."""
        events: queue.SimpleQueue[dict[str, Any] | BaseException | None] = queue.SimpleQueue()
        with self._asked(path, {**body, "stream": True}) as connection:
            threading.Thread(target=_read, args=(connection, events), daemon=True).start()
            while (event := _next(events, stop)) is not None:
                if isinstance(event, EngineError):
                    raise event
                if isinstance(event, BaseException):
                    raise self._broken(event) from event
                yield event

    def close(self) -> None:
        """End the process, and with it every answer that it writes."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.communicate()
        self._log.close()
        self._at_end()

    @contextlib.contextmanager
    def _asked(self, path: str, body: dict[str, Any]) -> Generator[HTTPConnection, None, None]:
        """A connection on which a request was sent; afterwards it is cut, which ends what is done for it."""
        host, port = self._address
        connection = HTTPConnection(host, port, timeout=SILENCE_SECONDS)
        headers = {"authorization": f"Bearer {self._key}", "content-type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
        except OSError as error:
            connection.close()
            raise self._broken(error) from error
        try:
            yield connection
        finally:
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads
            connection.close()

    def _start(self, settings: dict[str, Any]) -> tuple[str, int]:
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        timer = threading.Timer(START_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(settings).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LAST_WORDS_SECONDS)  # llama.cpp writes its log in a thread of its own
            self._process.kill()
            self._process.wait()
            said = self._last_words()
            self.close()
            raise EngineError(f"llama.cpp cannot open {self._name}: {said}.")
        url = urlsplit(json.loads(line)["url"])
        return url.hostname or "127.0.0.1", url.port or 0

    def _broken(self, error: BaseException) -> EngineError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1.0)  # its sockets close a moment before it has ended
            return EngineEndedError(
                f"The model's process ended in the middle (exit status {code}). It is started again: ask once more."
            )
        return EngineError(
            f"The model's process did not answer ({type(error).__name__}: {error}). Ask once more."
        )

    def _last_words(self) -> str:
        """Why the process ended, from what it logged."""
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").splitlines()
        said = [line.partition("error loading model: ")[2] for line in lines]
        reason = next((line for line in said if line), "") or (lines[-1] if lines else "")
        return reason.strip().rstrip(".")[:300] or f"it ended with status {self._process.returncode}"


def _object(response: HTTPResponse) -> dict[str, Any]:
    """The JSON object of a reply. Raises EngineError where it is a refusal."""
    record: Any = json.loads(response.read())
    _raise_refusal(record)
    return dict(record)


def _raise_refusal(record: Any) -> None:
    if isinstance(record, dict) and "error" in record:
        raise EngineError(f"llama.cpp refused the request: {record['error'].get('message')}.")


def _read(
    connection: HTTPConnection, events: "queue.SimpleQueue[dict[str, Any] | BaseException | None]"
) -> None:
    """Put the events of a reply into the queue, then None, or the error that ended it."""
    try:
        response = connection.getresponse()
        if response.status != 200:
            _object(response)
        for line in response:
            if line.startswith(b"data: ") and not line.startswith(b"data: [DONE]"):
                record = json.loads(line[6:])
                _raise_refusal(record)
                events.put(record)
                if record.get("stop"):
                    break
        else:
            raise HTTPException("the reply has no end")
    except BaseException as error:
        events.put(error)
        return
    events.put(None)


def _next(
    events: "queue.SimpleQueue[dict[str, Any] | BaseException | None]", stop: threading.Event | None
) -> dict[str, Any] | BaseException | None:
    """The next event; None at the end, or where `stop` was set."""
    while True:
        if stop is not None and stop.is_set():
            return None
        try:
            return events.get(timeout=None if stop is None else _POLL_SECONDS)
        except queue.Empty:
            continue


def _environment() -> dict[str, str]:
    """The worker's environment, where threads wait as `SPINS` says; a policy would win over it."""
    inherited = {name: value for name, value in worker_environment().items() if name != "OMP_WAIT_POLICY"}
    return {**inherited, "GOMP_SPINCOUNT": SPINS}
