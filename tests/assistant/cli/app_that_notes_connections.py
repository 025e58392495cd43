"""`imprint` that writes every name it looks up and every address it connects to into the file in NOTES."""

import os
import socket
from pathlib import Path
from typing import Any

NOTES = Path(os.environ["NOTES"])
look_up, connect = socket.getaddrinfo, socket.socket.connect


def note(host: object) -> None:
    if host not in ("127.0.0.1", "localhost", "::1", None):
        with NOTES.open("a", encoding="utf-8") as notes:
            notes.write(f"{host}\n")


def noted_look_up(host: Any, *args: Any, **options: Any) -> Any:
    note(host)
    return look_up(host, *args, **options)


def noted_connect(self: socket.socket, address: Any) -> None:
    note(address[0] if isinstance(address, tuple) else None)
    connect(self, address)


socket.getaddrinfo = noted_look_up
socket.socket.connect = noted_connect  # type: ignore[method-assign]

from assistant.cli.main import main  # noqa: E402  after the patches

main()
