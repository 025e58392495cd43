"""Which hosts and which pages may send requests: the Host, Origin and Sec-Fetch-Site headers.

A page of another site reaches this machine through the browser of the person who opened it, and by DNS rebinding
even under the site's own name. Programs send no Origin and are not kept out here.
"""

import ipaddress
import re
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.settings import Settings
from assistant.web.refusal import refusal, refuse

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?", re.ASCII)
_ORIGIN = re.compile(r"https?://([^/?#\s]+)", re.ASCII)
_SHOWN = 80


def is_loopback(host: str) -> bool:
    """Whether a server that listens on `host` is reached from this machine alone."""
    return host.strip("[]").lower() in LOOPBACK


def url_of(host: str, port: int) -> str:
    """The address to open in a browser."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True)
class AllowedHosts:
    """The names that this server has, and the addresses under which a reverse proxy publishes it."""

    names: frozenset[str]
    # As in a browser's address bar: a name, with a port where it is not the usual one.
    published: frozenset[str] = frozenset()
    # A server on all interfaces has addresses it does not know. DNS rebinding needs a name, not an address.
    any_address: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "AllowedHosts":
        """Loopback, the host that is listened on, and what IMPRINT_ALLOWED_HOSTS adds."""
        published = frozenset(settings.allowed_hosts.lower().replace(",", " ").split())
        host = settings.host.strip("[]").lower()
        names = {*LOOPBACK, *(_name(address) for address in published)}
        if host in ("0.0.0.0", "::"):
            return cls(frozenset(names), published, any_address=True)
        return cls(frozenset({*names, host}), published)

    def problem(self, headers: Headers, method: str) -> str | None:
        """What keeps a request out, as a sentence; None for one that may pass. `method` is GET, WEBSOCKET, …"""
        host = headers.get("host", "").lower()
        if not self._has(host):
            known = ", ".join(sorted(self.names))
            return (
                f"The request is for the host {host[:_SHOWN]!r}, and this server answers for {known}. "
                "Use one of these, or name the host in IMPRINT_ALLOWED_HOSTS."
            )
        for origin in headers.getlist("origin"):
            if not self._is_own(origin.lower(), host) and not _is_own_form(origin, headers, method):
                return (
                    f"The request comes from a page of {origin[:_SHOWN]!r}, which is another site. Open "
                    "Imprint's own page, or name the site in IMPRINT_ALLOWED_HOSTS where it publishes Imprint."
                )
        if headers.get("sec-fetch-site", "none") in ("none", "same-origin") or _is_link(headers, method):
            return None
        return "The request comes from a page of another site. Open Imprint's own page."

    def _has(self, host: str) -> bool:
        if not HOST.fullmatch(host):
            return False
        name = _name(host)
        return name in self.names or (self.any_address and _is_address(name))

    def _is_own(self, origin: str, host: str) -> bool:
        found = _ORIGIN.fullmatch(origin)
        return found is not None and (found[1] == host or found[1] in self.published)


class HostCheck:
    """Middleware that answers 403 to requests for foreign hosts and from foreign pages."""

    def __init__(self, app: ASGIApp, hosts: AllowedHosts, api: bool) -> None:
        self.app, self.hosts, self.api = app, hosts, api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on under the name that the browser knows."""
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        headers = Headers(scope=scope)
        if problem := self.hosts.problem(headers, scope.get("method", "WEBSOCKET")):
            return await refuse(refusal(403, problem, self.api), scope, receive, send)
        await self.app(_under_its_own_name(scope, headers), receive, send)


def _under_its_own_name(scope: Scope, headers: Headers) -> Scope:
    """The request with the browser's address as its Host.

    Streamlit compares Host and Origin again, and asks a server on the internet for this machine's address where
    they differ, which they do behind some reverse proxies.
    """
    origin = _ORIGIN.fullmatch(headers.get("origin", ""))
    if origin is None:
        return scope
    changed = MutableHeaders(raw=list(scope["headers"]))
    changed["host"] = origin[1]
    return {**scope, "headers": changed.raw}


def _is_own_form(origin: str, headers: Headers, method: str) -> bool:
    """A form under `Referrer-Policy: no-referrer` says "null"; that it is our own, the browser says elsewhere."""
    return origin == "null" and method == "POST" and headers.get("sec-fetch-site") == "same-origin"


def _is_link(headers: Headers, method: str) -> bool:
    """Whether a person followed a link from another site to a page."""
    mode, target = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return method in ("GET", "HEAD") and (mode, target) == ("navigate", "document")


def _name(host: str) -> str:
    found = HOST.fullmatch(host)
    return found[1].strip("[]").rstrip(".") if found else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
