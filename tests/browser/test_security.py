"""The pages under their Content-Security-Policy, and the way in with a token, in a real browser."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, Server, free_port, is_healthy, running_app
from tests.browser.waiting import wait_until

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

pytestmark = pytest.mark.browser
WAIT_MILLISECONDS = 90_000
TOKEN = "a token of many characters"
# Resolves with the directive that kept an image from being loaded.
SHOW_IMAGE = """address => new Promise(resolve => {
    document.addEventListener('securitypolicyviolation', event => resolve(event.effectiveDirective));
    document.body.append(Object.assign(new Image(), {src: address}));
})"""
HEADINGS = {
    "knowledge": "Knowledge",
    "checkpoints": "Checkpoints",
    "tune": "Checkpoints",  # its former address
    "compare": "Compare",
    "compare?view=evaluation": "Compare",
    "compare?view=blind": "Compare",
    "compare?view=questions": "Compare",
    "memory": "Memory",
    "visible": "Memory",  # its former address
    "settings": "Settings",
}


@pytest.fixture
def violations(page: Page) -> list[str]:
    """What the browser says it did not load or run."""
    said: list[str] = []
    page.on(
        "console", lambda line: said.append(line.text) if "Content Security Policy" in line.text else None
    )
    return said


def test_no_page_needs_what_the_policy_forbids(page: Page, server: Server, violations: list[str]) -> None:
    page.goto(server.url)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible(timeout=WAIT_MILLISECONDS)
    for path, heading in HEADINGS.items():
        page.goto(f"{server.url}/{path}")
        expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible(
            timeout=WAIT_MILLISECONDS
        )
    assert violations == []


def test_uploads_charts_and_tables_work_under_the_policy(
    page: Page, server: Server, violations: list[str], tmp_path: Path
) -> None:
    document = tmp_path / "tern.md"
    document.write_text("# Tern\n\nThe Tern is a buoy.\n\n# Gull\n\nThe Gull is a boat.\n", encoding="utf-8")
    page.goto(f"{server.url}/knowledge")
    page.locator("input[type=file]").set_input_files([document])
    expect(page.get_by_text("1 file read", exact=True)).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.locator("canvas").first).to_be_visible(timeout=WAIT_MILLISECONDS)
    page.get_by_test_id("stDataFrame").hover()
    expect(page.get_by_role("button", name="Fullscreen")).to_be_visible()
    # Streamlit's export would leave formulas as they are
    expect(page.get_by_role("button", name="Download as CSV")).to_have_count(0)
    page.get_by_role("tab", name="Map").click()
    expect(page.locator(".vega-embed canvas, .vega-embed svg").first).to_be_visible(timeout=WAIT_MILLISECONDS)
    assert violations == []


def test_an_image_of_another_host_is_not_fetched(browser: Browser, server: Server) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(server.url)
    with socket.create_server(("127.0.0.1", 0)) as beacon:
        address = f"http://127.0.0.1:{beacon.getsockname()[1]}/beacon?secret"
        blocked = page.evaluate(SHOW_IMAGE, address)
        beacon.settimeout(1)
        with pytest.raises(TimeoutError):
            beacon.accept()
    assert blocked == "img-src"
    context.close()


@pytest.fixture(scope="module")
def locked(
    browser: Browser, base_model: "BaseModel", imprint_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """An app with a token."""
    home = tmp_path_factory.mktemp("locked-home")
    (home / "models").symlink_to(imprint_home / "models")
    with running_app(home, IMPRINT_TOKEN=TOKEN) as server:
        yield server


def test_the_token_is_asked_for_once(browser: Browser, locked: Server) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    page.goto(f"{locked.url}/knowledge")
    page.get_by_label("Token").fill("not the token")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the token. Check it and try again.")
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_role("heading", name="Knowledge")).to_be_visible(timeout=WAIT_MILLISECONDS)
    page.goto(f"{locked.url}/settings")
    page.get_by_role("link", name="Log out of this browser").click()
    expect(page.get_by_label("Token")).to_be_visible()
    page.goto(locked.url)
    expect(page.get_by_label("Token")).to_be_visible()
    context.close()


def test_without_the_checks_in_front_nothing_is_opened(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "IMPRINT_HOME": str(tmp_path / "home")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: process.poll() is not None or is_healthy(f"http://127.0.0.1:{port}"))
        page = browser.new_page(locale="en-US")
        page.goto(f"http://127.0.0.1:{port}/settings")
        expect(page.get_by_text("Start Imprint with imprint app.")).to_be_visible(timeout=WAIT_MILLISECONDS)
        page.close()
        assert not (tmp_path / "home").exists()
    finally:
        process.terminate()
        process.wait(30)


def test_the_login_speaks_chinese(browser: Browser, locked: Server) -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(locked.url)
    expect(page.get_by_label("令牌")).to_be_visible(timeout=WAIT_MILLISECONDS)
    context.close()
