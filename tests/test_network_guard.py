"""The guard of all tests sees what would leave the machine, also where the program swallows the error."""

import socket

import httpx
import pytest

from tests.network_guard import is_local, noting


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "localhost", b"127.0.0.1"]
)
def test_this_machine_is_local(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "10.0.0.1", "example.org", "::ffff:192.0.2.1", "169.254.169.254"]
)
def test_others_are_not(host: object) -> None:
    assert not is_local(host)


def test_what_would_leave_is_refused_and_noted_even_if_the_error_is_swallowed() -> None:
    left: list[str] = []
    with noting(left):
        with pytest.raises(OSError, match="not this machine"):
            socket.create_connection(("192.0.2.1", 80), timeout=1)
        with pytest.raises(httpx.ConnectError):
            httpx.get("http://imprint.example.org/")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(OSError):
            datagrams.sendto(b"x", ("192.0.2.1", 53))
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
    assert left == ["connect to '192.0.2.1'", "look up 'imprint.example.org'", "send to '192.0.2.1'"]
