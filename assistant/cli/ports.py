"""Whether a port is free, and the lock that allows one app for each home. It starts nothing."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import AssistantError

_PORTS_TRIED = 100


def require_free(host: str, port: int, command: str) -> None:
    """Raise AssistantError naming another free port when this one is taken."""
    problem = _problem(host, port)
    if problem is None:
        return
    other = next(
        (next_port for next_port in range(port + 1, port + _PORTS_TRIED) if not _problem(host, next_port)), 0
    )
    advice = f"Port {other} is free: `{command} --port {other}`." if other else "Choose another with --port."
    raise AssistantError(f"Port {port} on {host} cannot be used ({problem}). {advice}")


@contextmanager
def only_app(home: Path, url: str) -> Iterator[None]:
    """Hold the lock of the home's app. Raises AssistantError naming the app that runs already."""
    home.mkdir(parents=True, exist_ok=True)
    about = home / "app.json"
    lock = FileLock(home / "app.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise AssistantError(
            f"An app runs on {home} already{_where(about)}. Use that one, or set another IMPRINT_HOME."
        ) from None
    try:
        about.write_text(json.dumps({"pid": os.getpid(), "url": url}), encoding="utf-8")
        yield
    finally:
        about.unlink(missing_ok=True)
        lock.release()


def _where(about: Path) -> str:
    try:
        record = json.loads(about.read_text(encoding="utf-8"))
        return f" at {record['url']} (process {record['pid']})"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""


def _problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers themselves do
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None
