"""Commands beside a running app, on one home: nobody is told that the knowledge base is busy."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tuning.models.base_model import BaseModel

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 240.0  # for the app's imports on a busy machine


@pytest.fixture
def home(tmp_path: Path, imprint_home: Path, base_model: BaseModel) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(imprint_home / "models", target_is_directory=True)
    return home


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "IMPRINT_HOME": str(home)}


@pytest.fixture
def running_app(home: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The app with its model and its knowledge base open, as after its first page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = (
        "import sys, threading\nfrom assistant.session import resources\nfrom assistant.home.use import only_app\n"
        f"opened = resources.workspace()\nwith only_app(opened.home, 'http://127.0.0.1:{port}'):\n"
        "    opened.knowledge()\n    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, env=environment(home), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as app:
        assert app.stdout and app.stdout.readline() == b"open\n"
        yield app
        app.kill()


def imprint(home: Path, *args: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "assistant.cli", *map(str, args), "--json"]
    done = subprocess.run(
        command, env=environment(home), cwd=ROOT, capture_output=True, text=True, timeout=WAIT_SECONDS
    )
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def test_commands_index_ask_and_search_while_the_app_is_open_and_after_it(
    home: Path, tmp_path: Path, running_app: "subprocess.Popen[bytes]"
) -> None:
    holder = json.loads((home / "knowledge" / "chroma.holder.json").read_text())
    assert holder["pid"] == running_app.pid
    manual = tmp_path / "manual.md"
    manual.write_text("# Skerrin\n\nThe Skerrin weighs 640 grams.\n", encoding="utf-8")
    (document,) = imprint(home, "index", manual)["documents"]
    assert document["status"] == "added"
    question = "How much does the Skerrin weigh?"
    answered = imprint(home, "ask", question, "--memory", "rag", "--max-tokens", 4)
    assert "640" in answered["sources"][0]["text"]
    assert json.loads((home / "knowledge" / "chroma.holder.json").read_text()) == holder
    running_app.kill()
    running_app.wait()
    assert "640" in imprint(home, "search", question)["passages"][0]["text"]
