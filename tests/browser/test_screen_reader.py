"""What a person hears who does not see the page, and where their keyboard is after a run."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from assistant.i18n.texts import t
from tests.browser.screenshots import settle
from tests.browser.test_app import WAIT_MILLISECONDS, answered, ask, choose_memory

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
# Without white space, since a live region takes an answer apart.
HEARD = """() => {
  const plain = text => text.replace(/\\s/g, '');
  const answers = document.querySelectorAll('[class*=st-key-assistant-] [data-testid=stMarkdown]');
  const said = plain([...answers].pop().textContent);
  return said.length > 0 && plain(document.querySelector('.announcer').textContent).endsWith(said.slice(-20));
}"""

GONE = """() => {
  const button = document.body.appendChild(document.createElement('button'));
  button.focus();
  button.remove();
}"""


def test_an_answer_is_announced_and_the_keyboard_is_where_one_writes(page: Page, server: "Server") -> None:
    page.goto(server.url)
    choose_memory(page, "nothing")
    expect(page.locator(".announcer")).to_have_attribute("role", "status")
    ask(page, "Name three colours.")
    answered(page)
    page.wait_for_function(HEARD)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_focused(timeout=WAIT_MILLISECONDS)


def test_the_keyboard_is_not_lost_with_what_had_it(page: Page, server: "Server") -> None:
    page.goto(f"{server.url}/preferences")
    expect(page.get_by_role("heading", name=t("page.preferences"))).to_be_visible(timeout=WAIT_MILLISECONDS)
    settle(page)
    page.evaluate(GONE)
    expect(page.get_by_role("heading", name=t("page.preferences"))).to_be_focused(timeout=WAIT_MILLISECONDS)


def test_motion_ends_where_the_system_asks_for_it(page: Page, server: "Server") -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(server.url)
    field = page.get_by_test_id("stChatInputTextArea")
    expect(field).to_be_visible(timeout=WAIT_MILLISECONDS)
    moving = "one => getComputedStyle(one).transitionDuration.split(', ').map(parseFloat)"
    assert max(field.evaluate(moving)) < 0.001
