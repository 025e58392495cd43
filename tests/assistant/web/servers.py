"""Applications that answer on loopback, in a thread of the test, and what talks to them byte by byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp

from assistant.settings import Settings
from assistant.web.listening import bounded_server, protected

TOKEN = "a token of many characters"
UPLOADS = ("/uploads",)


def echo() -> ASGIApp:
    """Answers with the number of bytes that it was sent."""

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close"})
            return
        body = await Request(scope, receive).body()
        response: Response = PlainTextResponse(f"{len(body)} bytes")
        await response(scope, receive, send)

    return app


def guarded(home: Path, *, api: bool = True, **settings: object) -> ASGIApp:
    """The echo behind all checks."""
    return protected(
        echo(),
        Settings(home=home, **settings),  # type: ignore[arg-type]
        upload_paths=UPLOADS,
        api=api,
    )


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The port at which an application answers, as `imprint app` and `imprint serve` would let it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = bounded_server(app, "127.0.0.1", 0, lifespan="off")
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def connect(port: int, data: bytes = b"") -> socket.socket:
    """A connection that has said so much."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(data)
    return connection


def answer(connection: socket.socket) -> str:
    """All that comes back until the server closes the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    connection.close()
    return received.decode()
