"""HTTP connections, of which there are only so many: the one that has dawdled longest makes room for a new one.

uvicorn itself waits for a request's headers without end, and its own limit refuses the newest instead.
"""

import asyncio
import sys
import time
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_CONNECTIONS = 512
# How long a client may take for the headers of a request.
HEADER_SECONDS = 20.0


class BoundedHttp(H11Protocol):
    """uvicorn's protocol on h11, which bounds headers to 64 KiB, with a time for them and a number of connections."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._header_timer: asyncio.TimerHandle | None = None
        self._is_websocket = False
        self.waiting_since = time.monotonic()

    @property
    def patience(self) -> int:
        """How readily the connection is given up: 2 waits for a request, 1 for a reader, 0 is being answered."""
        if self._awaits_request():
            return 2
        return 1 if self.flow.write_paused else 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room, and give the client its time for the first request."""
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._make_room()
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Read on; the time for the headers ends when they are there."""
        super().data_received(data)
        self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """The WebSocket's own pings find out who has gone."""
        self._is_websocket = True
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        """From here on the connection waits for another request."""
        self.waiting_since = time.monotonic()
        super().on_response_complete()

    def _awaits_request(self) -> bool:
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _watch_headers(self) -> None:
        """Time what nobody else times: headers, and a body that comes after its answer."""
        answered = self.cycle is None or self.cycle.response_complete
        if self._is_websocket or not (answered and self._awaits_request()):
            self._stop_timer()
        elif self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, BoundedHttp) and one is not self]
        given_up = max(others, key=lambda one: (one.patience, -one.waiting_since), default=self)
        (given_up if given_up.patience else self).transport.abort()


def most_connections() -> int:
    """At most half of the files that this process may have open."""
    if sys.platform == "win32":
        return MAX_CONNECTIONS
    import resource  # not on Windows

    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MAX_CONNECTIONS if open_files < 0 else min(MAX_CONNECTIONS, open_files // 2)
