"""No test reaches beyond this machine: whatever this process connects to, sends to or looks up is noted.

Processes that a test starts are not seen; `tests/offline.sh` runs all of them where there is no network at all.
"""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOCAL_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "", None}


class LeavesTheMachineError(OSError):
    """Something would have left this machine."""


def is_local(host: object) -> bool:
    """Whether a host, as given to a socket, is this machine; an address that leads nowhere is nobody."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in LOCAL_NAMES or name == socket.gethostname():
        return True
    try:
        address = ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


@contextmanager
def noting(left: list[str]) -> Iterator[None]:
    """While it lasts, whatever would leave the machine is refused and noted in `left`."""
    kept = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
    look_up = socket.getaddrinfo

    def checked(host: object, what: str) -> None:
        if not is_local(host):
            left.append(f"{what} {host!r}")
            raise LeavesTheMachineError(f"a test would {what} {host!r}, which is not this machine")

    def guarded(name: str) -> Any:
        def call(self: socket.socket, *args: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(args[-1], tuple):
                checked(args[-1][0], "connect to" if name != "sendto" else "send to")
            return kept[name](self, *args)

        return call

    def guarded_look_up(host: Any, *args: Any, **options: Any) -> Any:
        try:
            ipaddress.ip_address(str(host))
        except ValueError:
            checked(host, "look up")
        return look_up(host, *args, **options)

    for name in kept:
        setattr(socket.socket, name, guarded(name))
    socket.getaddrinfo = guarded_look_up
    try:
        yield
    finally:
        socket.getaddrinfo = look_up
        for name, method in kept.items():
            setattr(socket.socket, name, method)
