"""How the server of pages and of the HTTP interface ends."""

import asyncio
import logging

from assistant.web.listening import bounded_server


def test_what_is_cut_off_at_the_end_is_not_traced() -> None:
    async def app(scope: object, receive: object, send: object) -> None: ...

    bounded_server(app, "127.0.0.1", 0)
    log = logging.getLogger("uvicorn.error")

    def is_told(error: BaseException) -> bool:
        cause = (type(error), error, None)
        return bool(log.filter(log.makeRecord(log.name, logging.ERROR, "", 0, "Exception", (), cause)))

    assert not is_told(asyncio.CancelledError("timeout graceful shutdown exceeded"))
    assert is_told(ValueError("of the application"))
