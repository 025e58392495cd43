"""axe-core finds nothing serious on the pages, light and wide, dark and narrow."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from assistant.history.conversations import ConversationStore
from assistant.history.transfer import import_json
from tests.browser.accessibility import serious
from tests.browser.screenshots import settle
from tests.browser.test_app import TAUGHT

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
WAIT_MILLISECONDS = 90_000
PATHS = ("", "knowledge", "checkpoints", "preferences", "compare?view=blind", "settings")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (400, "dark")])
def test_nothing_serious_is_found(browser: Browser, server: "Server", width: int, scheme: str) -> None:
    store = ConversationStore(server.home / "conversations.sqlite3")
    number = import_json(store, TAUGHT)
    store.labels.set_tags(number, ["clinic"])
    context = browser.new_context(
        viewport={"width": width, "height": 860},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-US",
        bypass_csp=True,
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    found: dict[str, list[str]] = {}
    for path in (*PATHS, f"?c={number}"):
        page.goto(f"{server.url}/{path}")
        expect(page.get_by_role("heading").first).to_be_visible(timeout=WAIT_MILLISECONDS)
        settle(page)
        found[path] = serious(page)
    context.close()
    assert {path: lines for path, lines in found.items() if lines} == {}
