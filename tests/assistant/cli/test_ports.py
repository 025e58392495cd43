"""Ports that are taken, and one app for each home."""

import os
import socket
from pathlib import Path

from assistant.home.use import only_app
from tests.assistant.cli.invoke import Run


def test_a_port_in_use_names_a_free_one(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("app", "serve"):
            result = run(command, "--port", port)
            assert result.exit_code == 1
            assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr
            assert f"`imprint {command} --port " in result.stderr


def test_a_second_app_on_the_same_home_is_told_where_the_first_is(run: Run, home: Path) -> None:
    with only_app(home, "http://127.0.0.1:8501"):
        result = run("app", "--port", "8599")
    assert result.exit_code == 1
    assert f"http://127.0.0.1:8501 (process {os.getpid()})" in result.stderr
