"""Connections that dawdle take nothing from those that do not."""

import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from assistant.web import connections
from tests.assistant.web.servers import answer, connect, echo, guarded, serving

pytestmark = pytest.mark.slow

SLOW = {
    "silent": b"",
    "headers": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "body": b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nx",
}
MOST = 40


@pytest.mark.parametrize("kind", SLOW)
def test_hundreds_of_slow_connections_do_not_keep_a_request_from_its_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", MOST)
    with serving(guarded(tmp_path)) as port, ExitStack() as stack:
        slow = [stack.enter_context(connect(port, SLOW[kind])) for _ in range(300)]
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text == "0 bytes"
        assert sum(is_open(one) for one in slow) <= MOST


def is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_a_request_under_way_is_not_given_up_for_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    release = asyncio.Event()
    loops = []

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        loops.append(asyncio.get_running_loop())
        if scope["path"] == "/wait":
            await release.wait()
        await echo()(scope, receive, send)

    get = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with serving(app) as port:
        waiting = connect(port, get.format("/wait").encode())
        with ExitStack() as stack:
            for _ in range(20):
                stack.enter_context(connect(port))
            assert httpx.get(f"http://127.0.0.1:{port}/", timeout=30).text == "0 bytes"
        loops[0].call_soon_threadsafe(release.set)
        assert answer(waiting).endswith("0 bytes")


@pytest.mark.parametrize("kind", ["silent", "headers"])
def test_headers_that_do_not_come_end_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)
    with serving(guarded(tmp_path)) as port:
        assert answer(connect(port, SLOW[kind])) == ""


def test_a_body_that_comes_after_its_answer_ends_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.3)

    async def unread(scope, receive, send):  # type: ignore[no-untyped-def]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    with serving(unread) as port:
        connection = connect(port, SLOW["body"])
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"x")
        answer(connection)


def test_a_websocket_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEADER_SECONDS", 0.2)

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        import asyncio

        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(0.6)
        await send({"type": "websocket.send", "text": "still here"})

    from websockets.sync.client import connect as connect_websocket

    with serving(app) as port, connect_websocket(f"ws://127.0.0.1:{port}/") as connection:
        assert connection.recv(timeout=30) == "still here"


def test_headers_without_end_end_the_connection(tmp_path: Path) -> None:
    with serving(guarded(tmp_path)) as port:
        connection = connect(port, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * (1 << 17))
        answer(connection)  # which ends, where it would not without a limit
