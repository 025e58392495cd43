"""A backup comes back while the app answers: the page shows what was restored, and goes on."""

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser, expect

from assistant.backup.create import create_backup
from assistant.backup.restore import restore_backup
from assistant.history.conversations import ConversationStore
from tests.browser.conftest import running_app
from tests.browser.test_app import TEXT_OF_LIVE, answered, ask

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

pytestmark = pytest.mark.browser
WAIT_MILLISECONDS = 90_000


def add_conversation(home: Path, title: str) -> None:
    with closing(ConversationStore(home / "conversations.sqlite3")) as store:
        store.add_message(store.create(title), "user", "How heavy is it?")


@pytest.mark.skipif(os.name == "nt", reason="there a process cannot replace itself")
def test_the_app_that_answers_gives_way_and_shows_what_was_restored(
    browser: Browser, base_model: "BaseModel", imprint_home: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(imprint_home / "models")
    add_conversation(home, "Birds of the north")
    archive = create_backup(home, tmp_path / "backup.zip").path
    add_conversation(home, "Written afterwards")
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(WAIT_MILLISECONDS)
    with running_app(home, IMPRINT_MAX_NEW_TOKENS="1000", IMPRINT_MEMORY="nothing") as server:
        page.goto(server.url)
        expect(page.get_by_text("Written afterwards").first).to_be_visible(timeout=WAIT_MILLISECONDS)
        ask(page, "Write a long story about a lighthouse.")
        page.wait_for_function(TEXT_OF_LIVE)
        report = restore_backup(home, archive)
        expect(page.get_by_text("Written afterwards")).to_have_count(0, timeout=WAIT_MILLISECONDS)
        expect(page.get_by_text("Birds of the north").first).to_be_visible(timeout=WAIT_MILLISECONDS)
        page.goto(server.url)
        ask(page, "Say hello.")
        answered(page)
    context.close()
    assert report.kept is not None
    assert "Traceback" not in (report.kept / "app.log").read_text()  # it lay in the home
    with closing(ConversationStore(report.kept / "conversations.sqlite3")) as before:
        messages = [message for one in before.list() for message in before.get(one.id).messages]
        (answer,) = [message for message in messages if message.role == "assistant"]
        assert answer.status in ("stopped", "complete")  # a fast machine may have come to the story's end
        assert answer.content.strip()
