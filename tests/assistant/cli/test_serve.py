"""`imprint app` as a process."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from assistant.cli.main import imprint
from assistant.home.use import only_app
from assistant.settings import Settings
from assistant.workspace import Workspace

pytestmark = pytest.mark.slow


def test_the_app_answers_and_ends_with_ctrl_c(home: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen(
        [sys.executable, "-m", "assistant.cli", "app", "--port", str(port)],
        env={**os.environ, "IMPRINT_HOME": str(home)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not _answers(f"http://127.0.0.1:{port}/_stcore/health"):
            assert app.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        again = CliRunner().invoke(imprint, ["app"], obj=Workspace(Settings(home=home)))
        assert again.exit_code == 1 and f"http://127.0.0.1:{port} (process {app.pid})" in again.stderr
        app.send_signal(signal.SIGINT)
        stdout, stderr = app.communicate(timeout=20)
    finally:
        app.kill()
    assert (app.returncode, stdout) == (0, "")
    assert f"Imprint is at http://127.0.0.1:{port}." in stderr and "Traceback" not in stderr
    assert not _answers(f"http://127.0.0.1:{port}/_stcore/health")
    with only_app(home, "x"):  # nobody holds the home any more
        pass


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
