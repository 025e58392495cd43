"""How large a request's body may be, and how long it may take to arrive. Keeps nothing of what is refused."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.web.refusal import refusal, refuse

MAX_JSON_BYTES = 8 << 20
# What a multipart form adds to the file it carries.
MULTIPART_BYTES = 1 << 20
# A body has this long, and more for as long as it arrives at this rate on average.
GRACE_SECONDS = 20.0
MIN_BYTES_PER_SECOND = 16 << 10


@dataclass(frozen=True)
class BodyLimits:
    """Sizes in bytes: of uploads, which go to paths that begin with one of `upload_paths`, and of other bodies."""

    upload_paths: Sequence[str]
    max_upload: int
    max_other: int = MAX_JSON_BYTES
    grace_seconds: float = GRACE_SECONDS

    def of(self, path: str) -> int:
        """The limit of a path."""
        is_upload = path.startswith(tuple(self.upload_paths))
        return self.max_upload + MULTIPART_BYTES if is_upload else self.max_other


class BodyLimit:
    """Middleware that answers 413 to what is too large and 408 to what is too slow, as early as that is known."""

    def __init__(self, app: ASGIApp, limits: BodyLimits, api: bool) -> None:
        self.app, self.limits, self.api = app, limits, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse by Content-Length before anything is read; count and time what is read."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        body = _Body(receive, send, self.limits.of(scope["path"]), self.limits.grace_seconds)
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > body.limit:
            body.refused = (413, _too_large(body.limit))
        else:
            with suppress(ClientDisconnect):  # it went, or the limits say so
                await self.app(scope, body.receive, body.send)
        if body.refused and not body.answered:
            await refuse(refusal(*body.refused, self.api), scope, receive, send)


class _Body:
    """One body on its way: `refused` is the status and the sentence, once it is too large or too slow."""

    def __init__(self, receive: Receive, send: Send, limit: int, grace_seconds: float) -> None:
        self._receive, self._send = receive, send
        self.limit, self._grace_seconds = limit, grace_seconds
        self._bytes, self._waited_seconds, self._whole = 0, 0.0, False
        self.refused: tuple[int, str] | None = None
        self.answered = False

    async def receive(self) -> Message:
        """The next part; a refused body looks to the application as if the client had gone."""
        if self._whole:
            return await self._receive()
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._seconds_left()):
                message = await self._receive()
        except TimeoutError:
            self.refused = (408, "The request's body arrived too slowly. Send it again.")
            return {"type": "http.disconnect"}
        finally:
            self._waited_seconds += time.monotonic() - began
        self._bytes += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._bytes > self.limit:
            self.refused = (413, _too_large(self.limit))
            return {"type": "http.disconnect"}
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on, but for what the application says to a body that was refused."""
        if self.refused and not self.answered:
            return
        self.answered = True
        await self._send(message)

    def _seconds_left(self) -> float:
        """Only the time spent waiting for the client counts, not what the application needs in between."""
        return max(0.0, self._grace_seconds + self._bytes / MIN_BYTES_PER_SECOND - self._waited_seconds)


def _too_large(limit: int) -> str:
    return f"The request's body is larger than {limit / (1 << 20):.0f} MiB, which is not accepted. Send less at once."
