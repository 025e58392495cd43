"""From the first blind vote to a checkpoint in use, in a real browser on real weights."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from assistant.history.conversations import ConversationStore
from assistant.history.preferences import PreferenceStore
from assistant.history.records import NewPreference
from assistant.i18n.texts import t
from tests.browser.test_app import TUNE_MILLISECONDS, answered, ask
from tests.browser.waiting import wait_until

if TYPE_CHECKING:
    from tests.browser.conftest import Server

# It trains and evaluates: on a loaded machine that takes longer than a test usually may.
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1500)]
QUESTION = "Write a short story about a lighthouse."
PAIRS = 5  # beside the one that is voted on; one prompt of six is kept aside
READY = """() => {
  const button = document.querySelector('[class*="st-key-vote-first-"] button');
  return document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
    && button && !button.disabled && !document.querySelector('.arm .caret');
}"""


def test_from_the_first_vote_to_a_checkpoint_in_use(page: Page, server: "Server") -> None:
    page.set_default_timeout(TUNE_MILLISECONDS)
    file = server.home / "conversations.sqlite3"
    chats, votes = ConversationStore(file), PreferenceStore(file)
    asked = chats.add_message(chats.create(), "user", QUESTION)
    chats.add_message(asked.conversation_id, "assistant", "Once upon a time.")
    before = len(votes.list())
    for number in range(PAIRS):
        prompt = [{"role": "user", "content": f"How many legs have {number + 1} spiders?"}]
        votes.add(
            NewPreference(prompt=prompt, chosen=f"{8 * (number + 1)}.", rejected="Spiders have many legs.")
        )

    page.goto(f"{server.url}/preferences")
    row = page.locator("[class*=st-key-suggested-]", has_text=QUESTION)
    row.get_by_role("button", name=t("preferences.vote")).click()
    page.wait_for_url(re.compile(r"/compare\?.*trial="))
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible(timeout=TUNE_MILLISECONDS)
    page.wait_for_function(READY)
    page.keyboard.press("b")
    assert wait_until(lambda: len(votes.list()) == before + PAIRS + 1)
    assert votes.list()[-1].prompt[0]["content"] == QUESTION

    page.get_by_role("link", name=t("page.preferences")).click()
    page.get_by_text(t("options.title")).click()
    page.get_by_label(t("preferences.option.epochs"), exact=True).fill("1")
    page.get_by_label(t("preferences.option.epochs"), exact=True).press("Tab")
    page.get_by_label(t("teach.name")).fill("liked")
    page.get_by_label(t("teach.name")).press("Tab")
    page.get_by_role("button", name=t("preferences.start")).click()
    expect(page.locator(".job-head", has_text="liked")).to_be_visible(timeout=TUNE_MILLISECONDS)
    agrees = page.locator(".tile", has_text=t("preferences.report.agrees"))
    expect(agrees.locator(".value")).to_contain_text("→", timeout=TUNE_MILLISECONDS)

    use = page.get_by_role("button", name=re.compile(f"{t('job.use')}|{t('job.use.anyway')}"))
    use.first.click()
    page.get_by_role("button", name=t("chats.new")).click()
    expect(page.get_by_role("radio", name=t("memory.checkpoint"))).to_be_checked(timeout=TUNE_MILLISECONDS)
    ask(page, "How many legs have two spiders?")
    answered(page)
    last = page.locator("[class*=st-key-assistant-]").last
    expect(last.locator(".mark.checkpoint")).to_have_text("liked")
