"""A download ends at its deadline, whatever the peer does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.deadline import Deadline
from knowledge.ingest.fetch import WebLimits, fetch

pytestmark = pytest.mark.slow

LIMITS = WebLimits(seconds=1, allow_private=True)
MUCH_LATER = 15.0  # the peers below never end by themselves
Peer = Callable[[socket.socket, threading.Event], None]


def drip(connection: socket.socket, ended: threading.Event, first: bytes, again: bytes) -> None:
    connection.sendall(first)
    while not ended.wait(0.1):
        connection.sendall(again)


def slow_headers(connection: socket.socket, ended: threading.Event) -> None:
    drip(connection, ended, b"HTTP/1.1 200 OK\r\n", b"X-More: yes\r\n")


def slow_body(connection: socket.socket, ended: threading.Event) -> None:
    drip(connection, ended, b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", b"x")


def slow_chunks(connection: socket.socket, ended: threading.Event) -> None:
    drip(connection, ended, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")


def slow_redirects(connection: socket.socket, ended: threading.Event) -> None:
    drip(connection, ended, b"HTTP/1.1 302 Found\r\nLocation: /", b"x")


def silence(connection: socket.socket, ended: threading.Event) -> None:
    ended.wait()


@pytest.fixture
def serve() -> Iterator[Callable[[Peer], str]]:
    """Start a peer on a port of its own; returns where it is."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def answer(listener: socket.socket, peer: Peer) -> None:
        with closing(listener):
            connection, _ = listener.accept()
        with closing(connection):
            try:
                peer(connection, ended)
            except OSError:
                return  # the reader hung up, as it should

    def start(peer: Peer) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        threads.append(threading.Thread(target=answer, args=(listener, peer)))
        threads[-1].start()
        return f"127.0.0.1:{listener.getsockname()[1]}"

    yield start
    ended.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("scheme", "peer"),
    [
        ("http", slow_headers),
        ("http", slow_body),
        ("http", slow_chunks),
        ("http", slow_redirects),
        ("http", silence),
        ("https", silence),
    ],
)
def test_a_peer_that_drips_or_is_silent_is_left_at_the_deadline(
    serve: Callable[[Peer], str], scheme: str, peer: Peer
) -> None:
    started = time.monotonic()
    with pytest.raises(DocumentError, match="it took more than 1 seconds"):
        fetch(f"{scheme}://{serve(peer)}/page", LIMITS)
    assert time.monotonic() - started < MUCH_LATER


def test_a_name_that_is_looked_up_for_ever_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        ended.wait()
        return []

    monkeypatch.setattr("knowledge.ingest.deadline.socket.getaddrinfo", look_up)
    with pytest.raises(DocumentError, match="it took more than 1 seconds"):
        fetch("http://slow.example/", LIMITS)
    ended.set()


def test_what_a_call_raises_is_raised_where_its_answer_is_waited_for() -> None:
    def fail() -> None:
        raise OSError("no such host")

    with pytest.raises(OSError, match="no such host"):
        Deadline(30).call(fail)
    assert Deadline(30).call(lambda: 7) == 7
