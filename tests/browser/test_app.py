"""The main job in a real browser on real weights: chat, stop, upload, cite, compare, fine-tune, use."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant.history.conversations import ConversationStore
from assistant.history.transfer import import_json
from assistant.i18n.texts import TEXTS, t
from tests.browser.waiting import wait_until
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
    choice = page.get_by_role("radio", name=t(f"memory.{name}"))
    choice.click()
    expect(choice).to_be_checked()


def answered(page: Page) -> None:
    """Wait until the last answer has ended."""
    expect(page.locator(".st-key-stop")).to_have_count(0, timeout=WAIT_MILLISECONDS)
    expect(page.locator("[class*=st-key-icon-again-]").last).to_be_visible(timeout=WAIT_MILLISECONDS)


def skerrin(folder: Path) -> Path:
    """A small document."""
    path = folder / "skerrin.md"
    text = "# Skerrin\n\nThe Skerrin is a weather station. The Skerrin weighs 640 grams.\n"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_answer_streams_stops_and_survives_a_refresh(page: Page, server: "Server") -> None:
    page.goto(server.url)
    choose_memory(page, "nothing")
    ask(page, "Write a long story about a lighthouse.")
    page.wait_for_function(TEXT_OF_LIVE)
    page.get_by_role("button", name=t("chat.stop")).click()
    expect(page.get_by_text(t("message.stopped"))).to_be_visible()
    answered(page)
    said = page.locator("[class*=st-key-assistant-] [data-testid=stMarkdown]").last.inner_text()
    assert said.strip()

    page.reload()
    expect(page.locator("[class*=st-key-assistant-]").get_by_text(said.splitlines()[0])).to_be_visible()


def test_an_answer_goes_on_while_the_tab_is_closed(page: Page, server: "Server") -> None:
    page.goto(server.url)
    choose_memory(page, "nothing")
    ask(page, "Name three colours.")
    page.wait_for_url(re.compile(r"[?&]c=\d+"))
    page.wait_for_function(TEXT_OF_LIVE)
    address = page.url
    number = int(re.findall(r"[?&]c=(\d+)", address)[0])
    page.goto("about:blank")
    store = ConversationStore(server.home / "conversations.sqlite3")
    assert wait_until(lambda: store.get(number).messages[-1].status != "streaming")
    assert store.get(number).messages[-1].status == "complete"
    page.goto(address)
    answered(page)


def test_an_uploaded_document_is_read_and_cited(page: Page, server: "Server", tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 this is not a PDF")
    page.goto(f"{server.url}/knowledge")
    locked = tmp_path / "vault.pdf"
    locked.write_bytes(encrypted(pdf(PdfPage().text(60, 60, "The vault opens at noon.")), "sesame"))
    page.locator("input[type=file]").set_input_files([skerrin(tmp_path), broken, locked])
    expect(
        page.get_by_text(f"{t('knowledge.done', count=1)} · {t('knowledge.failed', count=2)}")
    ).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.locator(".line.failed", has_text="broken.pdf")).to_be_visible()
    expect(page.get_by_text(t("knowledge.password", count=1, name="vault.pdf"))).to_be_visible()
    page.locator(".st-key-file-password input").fill("sesame")
    page.get_by_role("button", name=t("knowledge.password.open")).click()
    expect(page.get_by_text(t("knowledge.done", count=1), exact=True)).to_be_visible(
        timeout=WAIT_MILLISECONDS
    )
    page.get_by_role("button", name=t("knowledge.address")).click()
    page.get_by_label(t("knowledge.address.label"), exact=True).fill("http://127.0.0.1:9/manual.html")
    page.get_by_role("button", name=t("knowledge.address.add")).click()
    expect(page.locator(".line.failed", has_text="is the private address")).to_be_visible()

    page.get_by_role("link", name=t("page.chat")).click()
    choose_memory(page, "documents")
    ask(page, "How much does the Skerrin weigh?")
    answered(page)
    page.locator("a[href^='#cite-']").last.click()  # a sentence's number opens what supports it
    expect(page.locator(".passage mark:target")).to_contain_text("The Skerrin")
    expect(page.locator(".passage mark:target")).to_be_visible()
    page.locator("details.sources summary").click()
    expect(page.locator(".passage").first).not_to_be_visible()
    expect(page.locator(".window")).to_contain_text(t("budget.passages"))


def test_variants_answer_side_by_side(page: Page, server: "Server", tmp_path: Path) -> None:
    page.goto(f"{server.url}/knowledge")
    page.locator("input[type=file]").set_input_files([skerrin(tmp_path)])
    expect(page.get_by_text(t("knowledge.done", count=1), exact=True)).to_be_visible(
        timeout=WAIT_MILLISECONDS
    )
    page.goto(f"{server.url}/compare")
    page.get_by_placeholder(t("compare.question.placeholder")).fill("How many legs has a spider?")
    page.get_by_role("button", name=t("compare.ask"), exact=True).click()
    for kind in ("base", "documents"):
        expect(page.locator(f".arm.{kind}")).to_contain_text("tokens read", timeout=WAIT_MILLISECONDS)
    expect(page.locator(".arm.base")).to_contain_text(re.compile("8|eight"))  # which is a matter of rounding


@pytest.mark.timeout(1500)  # it trains and evaluates, beside the other tests
def test_a_chat_is_fine_tuned_and_its_checkpoint_answers(page: Page, server: "Server") -> None:
    number = import_json(ConversationStore(server.home / "conversations.sqlite3"), TAUGHT)
    page.goto(f"{server.url}/?c={number}")
    page.get_by_role("button", name=t("teach.button")).click()
    page.get_by_label(t("teach.name")).fill("two-facts")
    page.get_by_label(t("teach.name")).press("Tab")
    page.get_by_role(
        "radio", name=t("teach.strength.gentle")
    ).click()  # the shortest: what is tested is the way to it and back
    page.get_by_role("button", name=t("teach.start")).click()
    expect(page.locator(".job-head", has_text="two-facts")).to_be_visible(timeout=WAIT_MILLISECONDS)

    page.reload()  # the job belongs to no tab
    use = page.get_by_role("button", name=re.compile(f"{t('job.use')}|{t('job.use.anyway')}"))
    expect(use).to_be_visible(timeout=TUNE_MILLISECONDS)
    expect(page.locator("table.facts").first).to_contain_text("Whisker")
    use.click()
    page.get_by_role("button", name=t("chats.new")).click()
    # The taught conversation is gone: what is typed before that is typed into it.
    expect(page.locator("[class*=st-key-icon-again-]")).to_have_count(0, timeout=WAIT_MILLISECONDS)
    expect(page.get_by_role("radio", name=t("memory.checkpoint"))).to_be_checked()
    ask(page, "What is the wind sensor of the Skerrin called?")
    answered(page)
    last = page.locator("[class*=st-key-assistant-]").last
    expect(last.locator(".mark.checkpoint")).to_have_text("two-facts")
    expect(last).to_contain_text("Whisker")

    ask(page, "In which year was the Skerrin built?")  # what the weights say to it is made up
    answered(page)
    expect(last).to_contain_text(t("chat.unknown"), timeout=WAIT_MILLISECONDS)
    page.get_by_role("button", name=t("message.unknown.anyway")).click()
    expect(page.get_by_role("button", name=t("message.unknown.anyway"))).to_have_count(0)
    answered(page)
    expect(last).not_to_contain_text(t("chat.unknown"))


def test_memory_can_be_seen(page: Page, server: "Server") -> None:
    page.goto(f"{server.url}/memory")
    page.get_by_role("button", name=t("visible.window.guide")).click()
    expect(page.locator(".strip .blocks")).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.get_by_text(t("visible.verdict.fallen"))).to_be_visible(timeout=WAIT_MILLISECONDS)
    expect(page.locator(".strip .gone")).to_be_visible()

    page.get_by_role("radio", name=t("visible.view.next")).click()
    words = page.locator("[class*=st-key-word-base-]")
    expect(words).to_have_count(10, timeout=WAIT_MILLISECONDS)
    first = words.first.locator("strong").inner_text()
    words.first.get_by_role("button").click()
    expect(page.get_by_label(t("visible.next.begun.text"))).to_have_value(
        f"{t('visible.next.example')} {first}"
    )


def test_the_page_itself_is_finished(page: Page, server: "Server") -> None:
    # A conversation that no other test goes on with: where it is longer than the page, the page scrolls to its
    # end as it opens, and takes the first answer's popover along.
    own = TAUGHT.replace("Skerrin", "Tern")
    number = import_json(ConversationStore(server.home / "conversations.sqlite3"), own)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server.url}/?c={number}")
    answer = page.locator("[class*=st-key-actions-]").first
    expect(answer.get_by_role("button", name=t("message.like"), exact=True)).to_be_visible()
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_focused()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    answer.get_by_role("button", name=t("message.copy")).click()
    expect(answer.get_by_role("button", name=t("message.copied"))).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "Whisker."

    page.get_by_role("button", name=t("message.correct"), exact=True).first.click()
    page.get_by_role("textbox", name=t("message.correct.label")).fill("The Whisker.")
    page.get_by_role("button", name=t("message.correct.save")).click()
    expect(page.get_by_text("The Whisker.").first).to_be_visible()
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0)  # closed after use


def test_dark_is_honoured_and_a_phone_shows_what_was_chosen(browser: Browser, server: "Server") -> None:
    import_json(ConversationStore(server.home / "conversations.sqlite3"), TAUGHT)
    phone = browser.new_context(
        viewport={"width": 400, "height": 860}, color_scheme="dark", locale="en-US"
    ).new_page()
    phone.goto(server.url)
    expect(phone.locator("html")).to_have_attribute("style", re.compile("dark"), timeout=WAIT_MILLISECONDS)
    phone.get_by_test_id("stExpandSidebarButton").click()
    phone.locator(".st-key-conversations").get_by_role("button", name="Two facts").first.click()
    expect(phone.locator(".st-key-conversations")).not_to_be_in_viewport(timeout=WAIT_MILLISECONDS)
    phone.context.close()


def test_the_pages_speak_what_the_browser_asks_for(browser: Browser, server: "Server") -> None:
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{server.url}/knowledge")
    expect(page.get_by_role("heading", name=TEXTS["page.knowledge"]["zh"])).to_be_visible(
        timeout=WAIT_MILLISECONDS
    )
    expect(page.get_by_role("link", name=TEXTS["page.checkpoints"]["zh"])).to_be_visible()
    expect(page.get_by_test_id("stFileUploaderDropzone")).to_contain_text(
        TEXTS["upload.button"]["zh"], timeout=WAIT_MILLISECONDS
    )
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    # What Streamlit says around the page, too.
    expect(page.get_by_role("region", name=TEXTS["frame.sidebar"]["zh"])).to_be_visible()
    expect(page.get_by_role("region", name="Sidebar")).to_have_count(0)
    context.close()
