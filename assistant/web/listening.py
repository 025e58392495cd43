"""Listening: the checks around an application, and uvicorn with its limits. Knows neither pages nor routes."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from assistant.errors import SettingsError
from assistant.settings import Settings
from assistant.web.body_limits import BodyLimit, BodyLimits
from assistant.web.connections import BoundedHttp
from assistant.web.giving_way import giving_way
from assistant.web.headers import SecurityHeaders
from assistant.web.hosts import AllowedHosts, HostCheck, is_loopback
from assistant.web.token_check import TokenCheck

KEEP_ALIVE_SECONDS = 5
SHUTDOWN_SECONDS = 1  # for answers on their way; with what ends behind them, five at most
PING_SECONDS = 30


def require_token_beyond_loopback(settings: Settings) -> None:
    """Raise SettingsError where other machines could use Imprint without a token."""
    if settings.token is None and not is_loopback(settings.host):
        raise SettingsError(
            f"IMPRINT_HOST is {settings.host!r}, where other machines reach Imprint, and no IMPRINT_TOKEN is set. "
            "Set one of at least 16 characters (`openssl rand -hex 16` makes one; in Docker `-e IMPRINT_TOKEN=…`), "
            "or set IMPRINT_HOST to 127.0.0.1."
        )


def protected(
    app: ASGIApp, settings: Settings, *, upload_paths: Sequence[str], api: bool, scripts: Sequence[str] = ()
) -> ASGIApp:
    """The application behind all checks.

    With `api`, refusals are OpenAI's error objects and there is no login page. `scripts` are what its pages may
    run besides the files they load, as sources of a Content-Security-Policy.
    """
    if settings.token is not None:
        app = TokenCheck(app, settings.token, None if api else settings.language)
    app = BodyLimit(app, BodyLimits(upload_paths, settings.max_upload_mb << 20), api)
    app = HostCheck(app, AllowedHosts.of(settings), api)
    return SecurityHeaders(app, scripts)


def listen(app: ASGIApp, host: str, port: int, home: Path, **options: Any) -> None:
    """Serve until Ctrl-C or a termination, or until a backup is restored to the home; `options` are uvicorn's."""
    server = bounded_server(app, host, port, **options)
    with _ending_by_signal(), giving_way(home, server):
        server.run()


def bounded_server(app: ASGIApp, host: str, port: int, **options: Any) -> uvicorn.Server:
    """uvicorn with a bounded number of connections, and none that waits for ever."""
    config = uvicorn.Config(
        app,
        host=host.strip("[]"),
        port=port,
        http=BoundedHttp,
        ws="websockets-sansio",
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        proxy_headers=False,  # or a client could choose the address that its attempts are counted under
        server_header=False,
        access_log=False,
        log_level="warning",
        **options,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_no_cancellation)
    return uvicorn.Server(config)


def _is_no_cancellation(record: logging.LogRecord) -> bool:
    """What was cut off when the server ended is no error that anybody could mend; uvicorn would trace each."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


@contextlib.contextmanager
def _ending_by_signal() -> Iterator[None]:
    """uvicorn raises the signal that ended it once more; here a termination unwinds as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)
