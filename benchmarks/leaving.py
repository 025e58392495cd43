"""Clients that leave in the middle of an answer, and a server that is told to end: python -m benchmarks.leaving HOME

Of each endpoint, streamed and whole, a long answer is begun and the connection closed. Printed is after how many
seconds the model's process takes no more computing time, and whether it was at work before. At last the server gets
SIGTERM while four answers are being written, and the seconds until its processes are gone are told.
"""

import argparse
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.decoding_others import served_at

LONG = 1500  # tokens: what nobody waits for here
STORY = [{"role": "user", "content": "Write a very long story about the sea."}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": STORY, "max_tokens": LONG},
    "/v1/responses": {"input": STORY, "max_output_tokens": LONG},
    "/v1/messages": {"model": "", "messages": STORY, "max_tokens": LONG},
    "/v1/completions": {"prompt": "Once upon a time", "max_tokens": LONG},
}
_AT_WORK_SECONDS = 2.0  # that a client waits before it leaves
_RESTING = 0.02  # seconds of computing time in _GLANCE, at most
_GLANCE = 0.2
_MOST_SECONDS = 20.0


def main() -> int:
    """Print a line for each endpoint; 1 where a second was not enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    options = parser.parse_args()
    slow = 0
    with served_at(options.home, "smollm2-135m-instruct") as address:
        (server,) = psutil.Process().children()
        leave(address, "/v1/chat/completions", stream=False, after=15.0)  # opens the model
        print("| endpoint | streamed | at work before | rests after, s |\n|---|---|---|---|")
        for path in BODIES:
            for stream in (True, False):
                rests(server)
                leave(address, path, stream=stream)
                worked, seconds = rests(server)
                slow += seconds > 1 or not worked
                said = ("yes" if stream else "no", "yes" if worked else "no")
                print(f"| {path} | {said[0]} | {said[1]} | {seconds:.1f} |", flush=True)
        connections = [begin(address, "/v1/chat/completions", stream=True) for _ in range(4)]
        time.sleep(_AT_WORK_SECONDS)
        family = [server, *server.children(recursive=True)]
        began = time.monotonic()
        server.terminate()
        _, alive = psutil.wait_procs(family, timeout=_MOST_SECONDS)
        print(
            f"SIGTERM with four answers under way: {len(family)} processes gone after {time.monotonic() - began:.1f} s"
        )
        for connection in connections:
            connection.close()
    return 1 if slow or alive else 0


def begin(address: str, path: str, *, stream: bool) -> socket.socket:
    """A connection on which an answer was asked for."""
    place = urlsplit(address)
    body = json.dumps({**BODIES[path], "stream": stream}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    connection = socket.create_connection((place.hostname or "", place.port or 80))
    connection.sendall(head.encode() + body)
    return connection


def leave(address: str, path: str, *, stream: bool, after: float = _AT_WORK_SECONDS) -> None:
    """Ask, and go."""
    connection = begin(address, path, stream=stream)
    time.sleep(after)
    connection.close()


def rests(server: psutil.Process) -> tuple[bool, float]:
    """Whether the model was at work, and after how many seconds it no longer is."""
    began, worked = time.monotonic(), False
    while time.monotonic() - began < _MOST_SECONDS:
        before = computed(server)
        time.sleep(_GLANCE)
        if computed(server) - before <= _RESTING:
            return worked, time.monotonic() - began - _GLANCE
        worked = True
    return worked, _MOST_SECONDS


def computed(server: psutil.Process) -> float:
    """Seconds of computing time of the server's own processes: the model is in one of its own."""
    times = [one.cpu_times() for one in server.children(recursive=True)]
    return sum(one.user + one.system for one in times)


if __name__ == "__main__":
    sys.exit(main())
