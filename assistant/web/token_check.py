"""The access token: a Bearer header for programs, a login page and a signed cookie for browsers.

The cookie proves that the token was given and does not hold it; another token makes it worthless. Logging out takes it
from this browser.
"""

import hashlib
import hmac
from math import ceil
from urllib.parse import parse_qs

from itsdangerous import BadSignature, TimestampSigner
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.web.attempts import Attempts
from assistant.web.login_page import login_page
from assistant.web.refusal import refusal, refuse

COOKIE = "imprint_login"
COOKIE_SECONDS = 30 * 24 * 3600
LOGOUT = "/_imprint/logout"
# Whether the process answers is no secret: containers are asked that all the time.
_HEALTH = {"api": "/health", "page": "/_stcore/health"}
_FORM = "application/x-www-form-urlencoded"
_MAX_FORM_BYTES = 4 << 10


class TokenCheck:
    """Middleware that lets nobody in without the token. Without `language` there is no login page."""

    def __init__(self, app: ASGIApp, token: str, language: str | None = None) -> None:
        self.app, self.language = app, language
        self._token = token.encode()
        self._signer = TimestampSigner(token, salt="imprint.login", digest_method=hashlib.sha256)
        self._attempts = Attempts()
        self._health = _HEALTH["api" if language is None else "page"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or ask for the token."""
        if scope["type"] == "lifespan" or scope["path"] == self._health:
            return await self.app(scope, receive, send)
        connection = HTTPConnection(scope)
        if self.language is not None and scope["type"] == "http" and scope["path"] == LOGOUT:
            return await _logged_out()(scope, receive, send)
        if self.language is not None and self._has_cookie(connection):
            return await self.app(scope, receive, send)
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if not given and self.language is None and (key := connection.headers.get("x-api-key")):
            scheme, given = "bearer", key  # as Anthropic's clients send theirs
        if scheme.lower() == "bearer":
            problem = self._problem(connection, given.strip().encode("latin-1"))
            if problem is None:
                return await self.app(scope, receive, send)
            await refuse(problem, scope, receive, send)
        elif self.language is not None and _is_form(connection):
            answer = await self._log_in(Request(scope, receive), self.language)
            await answer(scope, receive, send)
        elif self.language is not None and _is_page(connection):
            await refuse(login_page(connection.headers, self.language, 401), scope, receive, send)
        else:
            await refuse(self._unauthorized(), scope, receive, send)

    async def _log_in(self, request: Request, language: str) -> Response:
        """The page that was asked for, with the cookie; or the form again."""
        given = await _token_of(request)
        if refused := self._problem(request, given):
            told = "login.too_often" if refused.status_code == 429 else "login.wrong"
            page = login_page(request.headers, language, refused.status_code, told)
            page.headers.update({k: v for k, v in refused.headers.items() if k == "retry-after"})
            return page
        query = f"?{request.url.query}" if request.url.query else ""
        answer = RedirectResponse("/" + request.url.path.lstrip("/\\") + query, 303)
        answer.set_cookie(
            COOKIE,
            self._signer.sign("imprint").decode(),
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="strict",
            secure=_is_https(request.headers, request.url.scheme),
        )
        return answer

    def _problem(self, connection: HTTPConnection, given: bytes) -> Response | None:
        """What is answered to a token that is wrong, or the next of too many; None for the right one."""
        client = connection.client.host if connection.client else ""
        if wait := self._attempts.seconds_to_wait(client):
            sentence = f"Too many wrong tokens came from {client}. Try again in {ceil(wait)} seconds."
            return refusal(429, sentence, self.language is None, {"retry-after": str(ceil(wait))})
        if hmac.compare_digest(given, self._token):
            return None
        self._attempts.failed(client)
        return self._unauthorized()

    def _has_cookie(self, connection: HTTPConnection) -> bool:
        try:
            self._signer.unsign(connection.cookies.get(COOKIE, ""), max_age=COOKIE_SECONDS)
        except BadSignature:
            return False
        return True

    def _unauthorized(self) -> Response:
        sentence = "This Imprint asks for its token. Send it as `Authorization: Bearer` with IMPRINT_TOKEN."
        return refusal(401, sentence, self.language is None, {"www-authenticate": "Bearer"})


def _logged_out() -> Response:
    answer = RedirectResponse("/", 303, {"cache-control": "no-store"})
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _is_form(connection: HTTPConnection) -> bool:
    sent = connection.headers.get("content-type", "")
    return connection.scope.get("method") == "POST" and sent.startswith(_FORM)


def _is_page(connection: HTTPConnection) -> bool:
    accepted = connection.headers.get("accept", "")
    return connection.scope.get("method") in ("GET", "HEAD") and "text/html" in accepted


async def _token_of(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM_BYTES:
            return b""
    return parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0].strip().encode()


def _is_https(headers: Headers, scheme: str) -> bool:
    """Behind a reverse proxy the browser's own word counts: the origin of the form."""
    return scheme == "https" or headers.get("origin", "").startswith("https://")
