"""One app server and one Chromium a session, on real weights and a home of their own."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.waiting import wait_until

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

ROOT = Path(__file__).parents[2]
APP = Path(__file__).with_name("app_with_short_evaluation.py")
# Enough that an answer can be stopped on a fast machine too.
LIMITS = {"IMPRINT_MAX_NEW_TOKENS": "128"}
START_SECONDS = 60
# A loaded machine of two cores is slow; what is measured has its own limits.
WAIT_MILLISECONDS = 90_000
expect.set_options(timeout=30_000)  # what is said without a time of its own: five seconds are too few there
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Server:
    """A running app: where it answers and what it keeps."""

    url: str
    home: Path


def chromium() -> str:
    """The browser's path. Without one the tests are skipped, and fail where CI=true promises one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    message = "No Chromium is installed; install the package `chromium` to run the browser tests."
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    path = chromium()
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(
    browser: Browser, base_model: "BaseModel", imprint_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The app on a home of its own, which shares the converted model alone."""
    home = tmp_path_factory.mktemp("browser-home")
    (home / "models").symlink_to(imprint_home / "models")
    with running_app(home) as running:
        yield running


@contextmanager
def running_app(home: Path, program: Sequence[str] = (str(APP),), **variables: str) -> Iterator[Server]:
    """`imprint app` on a home, with these environment variables; `program` is what Python runs."""
    port = free_port()
    log = (home / "app.log").open("w")
    process = subprocess.Popen(
        [sys.executable, *program, "app", "--port", str(port)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "IMPRINT_HOME": str(home),
            **LIMITS,
            **variables,
        },
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process, home / "app.log")
        yield Server(url, home)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until the server answers; a process that has ended never will."""
    answers = wait_until(lambda: process.poll() is not None or is_healthy(url), START_SECONDS)
    if not answers or process.poll() is not None:
        pytest.fail(f"The app did not start. It said:\n{log.read_text()[-3000:]}")


def is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


@pytest.fixture
def page(server: Server, browser: Browser) -> Iterator[Page]:
    """A new tab with nothing open; every request that leaves this machine fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MILLISECONDS)
    left: list[str] = []
    opened.on("request", lambda request: _note(request.url, server.url, left))
    yield opened
    context.close()
    assert left == []


def _note(url: str, home: str, left: list[str]) -> None:
    if not url.startswith((home, home.replace("http", "ws", 1), "data:", "blob:", "about:")):
        left.append(url)
