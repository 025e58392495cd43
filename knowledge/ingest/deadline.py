"""A deadline for a whole download: every wait for the peer or for a name ends with it, however little arrives at
a time. (httpx's own timeouts are of one read each.) Knows no addresses and no documents."""

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import httpcore
import httpx
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream, SyncBackend

T = TypeVar("T")


class Deadline:
    """A moment that is some seconds away."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds left. Raises httpx.TimeoutException when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("")
        return left

    def call(self, function: Callable[[], T]) -> T:
        """The result of a call that cannot be interrupted; past the deadline it goes on alone, unheard."""
        answer: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue()

        def work() -> None:
            try:
                answer.put((function(), None))
            except BaseException as error:  # raised again where the answer is waited for
                answer.put((None, error))

        threading.Thread(target=work, name="deadline-call", daemon=True).start()
        with contextlib.suppress(queue.Empty):
            result, error = answer.get(timeout=self.left())
            if error is not None:
                raise error
            return result  # type: ignore[return-value]
        raise httpx.ReadTimeout("")


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport without proxies, over sockets that know the deadline."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__(trust_env=False)
        # httpx has no parameter for the backend of its connections, which httpcore documents.
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False), network_backend=_Backend(deadline)
        )


class _Backend(NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._inner = SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        left = self._deadline.left()
        return _Stream(
            self._inner.connect_tcp(host, port, left, local_address, socket_options), self._deadline
        )


class _Stream(NetworkStream):
    """A connection whose every call has what is left of the deadline, and not its own timeout."""

    def __init__(self, inner: NetworkStream, deadline: Deadline) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: object, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        tls = self._inner.start_tls(ssl_context, server_hostname, self._deadline.left())  # type: ignore[arg-type]
        return _Stream(tls, self._deadline)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)


def resolve(host: str, port: int, deadline: Deadline) -> list[str]:
    """The addresses of a host. Raises OSError, UnicodeError; httpx.TimeoutException past the deadline."""
    found = deadline.call(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return [str(entry[4][0]) for entry in found]
