"""The headers of every answer: what a page may load and who may show it in a frame."""

import base64
import hashlib
import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.web.hosts import HOST

# Streamlit writes its styles into the page. Nothing comes from another host.
_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
_FIXED = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def hashes_of_inline_scripts(html: str) -> list[str]:
    """The sources that allow exactly the scripts that a page holds itself."""
    return [hash_of_script(script) for script in _INLINE_SCRIPT.findall(html)]


def hash_of_script(script: str) -> str:
    """The source that allows exactly this script within a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def content_security_policy(host: str, scripts: Sequence[str] = ()) -> str:
    """The policy of a page under `host`, whose WebSocket older browsers do not count as the page's own."""
    policy = dict(_POLICY)
    policy["script-src"] = " ".join([policy["script-src"], *scripts])
    if host:
        policy["connect-src"] += f" ws://{host} wss://{host}"
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class SecurityHeaders:
    """Middleware that adds them to every answer, refusals and errors included."""

    def __init__(self, app: ASGIApp, scripts: Sequence[str] = ()) -> None:
        self.app, self.scripts = app, scripts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers where the answer starts."""
        host = Headers(scope=scope).get("host", "") if scope["type"] != "lifespan" else ""
        policy = content_security_policy(host if HOST.fullmatch(host.lower()) else "", self.scripts)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", [])))
                headers["content-security-policy"] = policy
                headers.update(_FIXED)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, send_with_headers)
