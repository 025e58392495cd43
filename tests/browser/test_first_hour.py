"""What only a browser shows of the first hour: counting while typing, keys, Back and Forward, no request in vain."""

import re

import pytest
from playwright.sync_api import Page, expect

from assistant.history.conversations import ConversationStore
from assistant.i18n.texts import t
from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
INPUT = "[data-testid=stChatInputTextArea]"


def opened(page: Page, url: str) -> None:
    """The page, whether or not its model is open."""
    page.goto(url)
    page.locator(INPUT).wait_for()


def test_a_question_is_counted_while_it_is_typed(server: Server, page: Page) -> None:
    opened(page, server.url)
    page.locator(".window[data-latin]").wait_for()  # the model is open: its tokenizer counts
    page.locator(INPUT).fill("How long does the battery of the Skerrin last in winter?")
    expect(page.locator(".window .typed").last).to_contain_text(f"{t('budget.typing')} ≈ 1")
    page.locator(INPUT).fill("word " * 17_000)
    expect(page.locator(".window .typed.over")).to_contain_text("too long for the context window")
    page.locator(INPUT).fill("")
    expect(page.locator(".window .typed")).to_have_count(0)


def test_keys_open_the_list_the_saved_questions_and_the_field(server: Server, page: Page) -> None:
    opened(page, server.url)
    page.locator("h1").first.click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text(t("keys.send"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("h1").first.click()
    page.keyboard.press("/")
    expect(page.locator(INPUT)).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_text(t("library.none"))).to_be_visible()


def test_back_and_forward_move_between_conversations(server: Server, page: Page) -> None:
    store = ConversationStore(server.home / "conversations.sqlite3")
    numbers = {title: store.create(title) for title in ("About apples", "About pears")}
    for title, number in numbers.items():
        store.add_message(number, "user", title)
    opened(page, server.url)

    def is_open(title: str) -> None:
        expect(page.locator(".st-key-heading")).to_contain_text(title)
        expect(page).to_have_url(re.compile(rf"[?&]c={numbers[title]}\b"))

    for title in numbers:
        page.locator(".st-key-conversations").get_by_role("button", name=title).click()
        is_open(title)
    page.go_back()
    is_open("About apples")
    page.go_forward()
    is_open("About pears")


def test_a_page_that_is_opened_by_its_address_asks_for_nothing_that_is_not_there(
    server: Server, page: Page
) -> None:
    missing: list[str] = []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status == 404 else None)
    page.goto(f"{server.url}/checkpoints")
    expect(page.locator("h1")).to_contain_text(t("page.checkpoints"))
    assert missing == []
