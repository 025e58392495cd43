"""How a request is refused: one sentence, then the connection is closed. Decides nothing."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

# How long what is still on its way is read after a refusal: closing on unread data resets the connection, and
# the client might never see the answer.
_LINGER_SECONDS = 1.0


def refusal(status: int, sentence: str, api: bool, headers: Mapping[str, str] | None = None) -> Response:
    """The answer: OpenAI's error object for programs, plain text for a page."""
    error = {"message": sentence, "type": "invalid_request_error", "param": None, "code": None}
    if api:
        return JSONResponse({"error": error}, status, headers)
    return PlainTextResponse(sentence, status, headers)


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response whatever of the request has not been read, and close the connection.

    A WebSocket is not opened: the server answers 403, and a browser shows no page more than that.
    """
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    response.headers["connection"] = "close"
    start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await _read_off(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read_off(receive: Receive) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
