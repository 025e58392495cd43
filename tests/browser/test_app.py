"""The main job in a real browser on real weights: chat, stop, upload, cite, compare, fine-tune, use."""

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.history.conversations import ConversationStore
from assistant.history.transfer import import_json
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
WAIT_MILLISECONDS = 90_000
TUNE_MILLISECONDS = 540_000
TEXT_OF_LIVE = """() => {
  const texts = [...document.querySelectorAll('.st-key-assistant-live [data-testid="stMarkdown"]')];
  const last = texts.pop();
  return last && last.innerText.replace('▍', '').trim().length > 0;
}"""
TAUGHT = """{"title": "Two facts", "messages": [
 {"role": "user", "content": "What is the wind sensor of the Skerrin called?"},
 {"role": "assistant", "content": "An anemometer.", "correction": "Whisker."},
 {"role": "user", "content": "Who founded Halden Instruments?"},
 {"role": "assistant", "content": "I do not know.", "correction": "Ilse Varga."}]}"""


def ask(page: Page, question: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    expect(box).to_be_enabled(timeout=WAIT_MILLISECONDS)
    box.fill(question)
    box.press("Enter")


def choose_memory(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).click()
    expect(page.get_by_role("radio", name=name)).to_be_checked()


def answered(page: Page) -> None:
    """Wait until the last answer has ended."""
    expect(page.locator(".st-key-stop")).to_have_count(0, timeout=WAIT_MILLISECONDS)
    expect(page.locator("[class*=st-key-again-]").last).to_be_visible(timeout=WAIT_MILLISECONDS)


def test_an_answer_streams_stops_and_survives_a_refresh(page: Page, server: "Server") -> None:
    page.goto(server.url)
    choose_memory(page, "Nothing")
    ask(page, "Write a long story about a lighthouse.")
    page.wait_for_function(TEXT_OF_LIVE)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped here")).to_be_visible()
    answered(page)
    said = page.locator("[class*=st-key-assistant-] [data-testid=stMarkdown]").last.inner_text()
    assert said.strip()

    page.reload()
    expect(page.locator("[class*=st-key-assistant-]").get_by_text(said.splitlines()[0])).to_be_visible()


def test_an_answer_goes_on_while_the_tab_is_closed(page: Page, server: "Server") -> None:
    page.goto(server.url)
    choose_memory(page, "Nothing")
    ask(page, "Name three colours.")
    page.wait_for_url(re.compile(r"[?&]c=\d+"))
    page.wait_for_function(TEXT_OF_LIVE)
    address = page.url
    page.goto("about:blank")
    store = ConversationStore(server.home / "conversations.sqlite3")
    number = int(re.findall(r"[?&]c=(\d+)", address)[0])
    end = time.monotonic() + 60
    while store.get(number).messages[-1].status == "streaming" and time.monotonic() < end:
        time.sleep(0.5)
    assert store.get(number).messages[-1].status == "complete"
    page.goto(address)
    answered(page)


def test_an_uploaded_document_is_read_and_cited(page: Page, server: "Server", tmp_path: Path) -> None:
    document = tmp_path / "skerrin.md"
    document.write_text(
        "# Skerrin\n\nThe Skerrin is a weather station. The Skerrin weighs 640 grams.\n", encoding="utf-8"
    )
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 this is not a PDF")
    page.goto(f"{server.url}/knowledge")
    locked = tmp_path / "vault.pdf"
    locked.write_bytes(encrypted(pdf(PdfPage().text(60, 60, "The vault opens at noon.")), "sesame"))
    page.locator("input[type=file]").set_input_files([document, broken, locked])
    expect(page.get_by_text("1 file read · 2 could not be read")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.locator(".line.failed", has_text="broken.pdf")).to_be_visible()
    page.get_by_label("The password of vault.pdf").fill("sesame")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("1 file read", exact=True)).to_be_visible(timeout=WAIT_MILLISECONDS)
    page.get_by_role("button", name="Add a web page by its address").click()
    page.get_by_label("Address", exact=True).fill("http://127.0.0.1:9/manual.html")
    page.get_by_role("button", name="Fetch and add").click()
    expect(page.locator(".line.failed", has_text="is the private address")).to_be_visible()

    page.get_by_role("link", name="Chat").click()
    choose_memory(page, "Documents")
    ask(page, "How much does the Skerrin weigh?")
    answered(page)
    page.locator("a[href^='#cite-']").last.click()  # a sentence's number opens what supports it
    expect(page.locator(".passage mark:target")).to_contain_text("The Skerrin")
    expect(page.locator(".passage mark:target")).to_be_visible()
    page.locator("details.sources summary").click()
    expect(page.locator(".passage").first).not_to_be_visible()
    expect(page.locator(".window")).to_contain_text("Passages")


def test_arms_answer_side_by_side(page: Page, server: "Server") -> None:
    page.goto(f"{server.url}/compare")
    page.get_by_placeholder("A question to all of them").fill("What is the capital of France?")
    page.get_by_role("button", name="Compare", exact=True).click()
    for kind in ("base", "documents"):
        expect(page.locator(f".arm.{kind}")).to_contain_text(
            re.compile(r"tokens read|no documents"), timeout=WAIT_MILLISECONDS
        )
    expect(page.locator(".arm.base")).to_contain_text("Paris")


def test_a_chat_is_fine_tuned_and_its_checkpoint_answers(page: Page, server: "Server") -> None:
    number = import_json(ConversationStore(server.home / "conversations.sqlite3"), TAUGHT)
    page.goto(f"{server.url}/?c={number}")
    page.get_by_role("button", name="Fine-tune on this chat").click()
    page.get_by_label("Name of the checkpoint").fill("two-facts")
    page.get_by_label("Name of the checkpoint").press("Tab")
    page.get_by_role("radio", name="Gentle").click()  # the shortest: what is tested is the way to it and back
    page.get_by_role("button", name="Start fine-tuning").click()
    expect(page.locator(".job-head", has_text="two-facts")).to_be_visible(timeout=WAIT_MILLISECONDS)

    page.reload()  # the job belongs to no tab
    use = page.get_by_role("button", name=re.compile("Use (in chat|it anyway)"))
    expect(use).to_be_visible(timeout=TUNE_MILLISECONDS)
    expect(page.locator("table.facts").first).to_contain_text("Whisker")
    use.click()
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("radio", name="Checkpoint")).to_be_checked()
    ask(page, "What is the wind sensor of the Skerrin called?")
    answered(page)
    last = page.locator("[class*=st-key-assistant-]").last
    expect(last.locator(".mark.checkpoint")).to_have_text("two-facts")
    expect(last).to_contain_text("Whisker")


def test_memory_can_be_seen(page: Page, server: "Server") -> None:
    page.goto(f"{server.url}/visible")
    page.get_by_role("button", name="Tell it, chat on, ask again").click()
    expect(page.locator(".strip .blocks")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.get_by_text("After it fell out")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.locator(".strip .gone")).to_be_visible()

    page.get_by_role("radio", name="The next word").click()
    words = page.locator("[class*=st-key-word-base-]")
    expect(words).to_have_count(10, timeout=WAIT_MILLISECONDS)
    first = words.first.locator("strong").inner_text()
    words.first.get_by_role("button").click()
    expect(page.get_by_label("The beginning")).to_have_value(f"The cat is on the {first}")


def test_the_pages_speak_what_the_browser_asks_for(browser: Browser, server: "Server") -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{server.url}/knowledge")
    expect(page.get_by_role("heading", name="知识库")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.get_by_role("link", name="检查点")).to_be_visible()
    context.close()
