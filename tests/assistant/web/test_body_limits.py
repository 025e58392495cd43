"""Too much and too slow is refused while it arrives, and the client gets to read why."""

import socket
from pathlib import Path

import httpx
import pytest

from assistant.settings import Settings
from assistant.web.body_limits import BodyLimit, BodyLimits
from tests.assistant.web.servers import answer, connect, echo, guarded, serving

pytestmark = pytest.mark.slow

HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def chunked(connection: socket.socket, size: int, chunk: int = 1 << 16) -> None:
    """Send a body whose size nothing says beforehand."""
    data = f"{chunk:x}\r\n".encode() + bytes(chunk) + b"\r\n"
    for _ in range(size // chunk):
        connection.sendall(data)
    connection.sendall(b"0\r\n\r\n")


def test_a_length_that_is_too_large_is_refused_before_the_body_comes(tmp_path: Path) -> None:
    with serving(guarded(tmp_path)) as port:
        head = HEAD.format(path="/v1/chat/completions") + "Content-Length: 400000000\r\n\r\n"
        told = answer(connect(port, head.encode()))
    assert told.startswith("HTTP/1.1 413 ") and "larger than 8 MiB" in told


def test_a_body_without_a_length_is_refused_at_the_limit(tmp_path: Path) -> None:
    with serving(guarded(tmp_path)) as port:
        connection = connect(port, (HEAD.format(path="/") + "Transfer-Encoding: chunked\r\n\r\n").encode())
        chunked(connection, 9 << 20)
        assert answer(connection).startswith("HTTP/1.1 413 ")


def test_an_upload_may_be_as_large_as_the_settings_say(tmp_path: Path) -> None:
    with serving(guarded(tmp_path, max_upload_mb=16)) as port:
        url = f"http://127.0.0.1:{port}"
        assert httpx.post(f"{url}/uploads", content=bytes(15 << 20)).text == f"{15 << 20} bytes"
        refused = httpx.post(f"{url}/uploads", content=bytes(18 << 20))
        assert refused.status_code == 413 and "larger than 17 MiB" in refused.json()["error"]["message"]
        assert httpx.post(f"{url}/else", content=bytes(15 << 20)).status_code == 413


@pytest.mark.parametrize("length", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_does_not_come_is_given_up(length: str) -> None:
    limited = BodyLimit(echo(), BodyLimits((), 1 << 20, grace_seconds=0.3), api=False)
    with serving(limited) as port:
        told = answer(connect(port, (HEAD.format(path="/") + length + "\r\n\r\n").encode()))
    assert told.startswith("HTTP/1.1 408 ") and "too slowly" in told


def test_an_answer_may_take_longer_than_its_request(tmp_path: Path) -> None:
    import asyncio

    async def slow(scope, receive, send):  # type: ignore[no-untyped-def]
        await receive()
        with pytest.raises(TimeoutError):  # nothing more comes, and that is no fault
            async with asyncio.timeout(0.5):
                await receive()
        await echo()(scope, no_body, send)

    async def no_body() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    limited = BodyLimit(
        slow, BodyLimits((), Settings(home=tmp_path).max_upload_mb << 20, grace_seconds=0.1), api=False
    )
    with serving(limited) as port:
        assert httpx.post(f"http://127.0.0.1:{port}/", content=b"x").text == "0 bytes"
