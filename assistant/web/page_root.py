"""Tells every page where the app is, which Streamlit's own script otherwise tries out below the page's path first.

Each try is a request that finds nothing. Only the frame of the pages is changed, nothing else that is served.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A page lies beside the app's root, whatever a proxy has put in front of it.
ROOT_SCRIPT = 'window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href };'
_HEAD = b"<head>"
_UNWANTED = (b"accept-encoding", b"if-none-match", b"if-modified-since")


class PageRoot:
    """Middleware that puts `ROOT_SCRIPT` into HTML that is served whole."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer with the script where it is a page."""
        if scope["type"] == "http" and scope["method"] == "GET" and _names_a_page(scope["path"]):
            # A page that is packed, or that the browser kept from before, could not be changed.
            headers = [one for one in scope["headers"] if one[0] not in _UNWANTED]
            await self.app({**scope, "headers": headers}, receive, _Page(send))
        else:
            await self.app(scope, receive, send)


def _names_a_page(path: str) -> bool:
    return "_stcore" not in path and "." not in path.rpartition("/")[2]


class _Page:
    """Collects one answer where it is HTML; sends everything else on as it comes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """One message of the answer."""
        if message["type"] == "http.response.start" and _is_page(Headers(raw=message.get("headers", []))):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(self._start, message)

    async def _send_page(self, start: Message, last: Message) -> None:
        script = f"<script>{ROOT_SCRIPT}</script>".encode()
        body = self._body.replace(_HEAD, _HEAD + script, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({**last, "body": body})


def _is_page(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers
