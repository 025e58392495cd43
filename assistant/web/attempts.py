"""How often each client has given a wrong token of late. Keeps addresses in memory only."""

import ipaddress
import time
from collections import OrderedDict, deque
from collections.abc import Callable

MAX_ATTEMPTS = 10
PERIOD_SECONDS = 60.0
_MAX_CLIENTS = 10_000


class Attempts:
    """The failed attempts of the last minute, by the address they came from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def seconds_to_wait(self, client: str) -> float:
        """How long until this client may try again; 0 when it may now."""
        times = self._failures.get(_network(client))
        if not times or len(times) < MAX_ATTEMPTS:
            return 0.0
        return max(0.0, times[0] + PERIOD_SECONDS - self._clock())

    def failed(self, client: str) -> None:
        """Count a wrong token."""
        key = _network(client)
        times = self._failures.setdefault(key, deque(maxlen=MAX_ATTEMPTS))
        times.append(self._clock())
        self._failures.move_to_end(key)
        if len(self._failures) > _MAX_CLIENTS:
            self._failures.popitem(last=False)


def _network(client: str) -> str:
    """An IPv6 client has 2⁶⁴ addresses of its own: its network counts as one."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    return client if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
