"""How long a change of page takes in a browser, with a full home: 500 conversations, 200 documents, 50 checkpoints.

python -m benchmarks.pages HOME            # an empty folder, or one that this filled before; needs Chromium

The home of the environment lends its converted model and a checkpoint, which are linked and copied. Printed is, a page,
the median and the worst of several visits: from the click until the script has ended and nothing on the page is pale.
"""

import json
import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from assistant.history.conversations import ConversationStore
from assistant.settings import load_settings
from assistant.workspace import Workspace
from benchmarks.app import FLAGS, app
from tuning.checkpoints.manifest import MANIFEST
from tuning.checkpoints.registry import Registry

CONVERSATIONS, DOCUMENTS, CHECKPOINTS = 500, 200, 50
TURNS = 6
VISITS = 5
PAGES = ("chat", "knowledge", "checkpoints", "preferences", "compare", "memory", "settings")
DRAWN = """name => {
  const app = document.querySelector('[data-testid=stApp]');
  const visible = selector => [...document.querySelectorAll(selector)].filter(one => one.offsetParent);
  return location.pathname.replace('/', '') === (name === 'chat' ? '' : name)
    && app.dataset.testScriptState === 'notRunning'
    && !visible('[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true]').length;
}"""


def fill(home: Path, lender: Path) -> None:
    """Put in what is missing; `lender` is a home with a converted model and a checkpoint."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "models").exists():
        (home / "models").symlink_to(lender / "models")
    _fill_conversations(ConversationStore(home / "conversations.sqlite3"))
    _fill_checkpoints(home, lender)
    _fill_documents(home)


def _fill_conversations(store: ConversationStore) -> None:
    for number in range(len(store.list(limit=CONVERSATIONS)), CONVERSATIONS):
        conversation = store.create(f"Conversation {number} about stations and their prices")
        for turn in range(TURNS):
            store.add_message(conversation, "user", f"What does station {number}-{turn} cost?")
            store.add_message(
                conversation, "assistant", f"Station {number}-{turn} costs {number + turn} euros."
            )


def _fill_checkpoints(home: Path, lender: Path) -> None:
    there, model = Registry(home), next(iter(Registry(lender).list()))
    for number in range(len(there.list()), CHECKPOINTS):
        folder = home / "checkpoints" / f"checkpoint-{number:03}"
        shutil.copytree(model.path, folder, copy_function=os.link, ignore=shutil.ignore_patterns(MANIFEST))
        record = json.loads((model.path / MANIFEST).read_text("utf-8"))
        (folder / MANIFEST).write_text(
            json.dumps({**record, "name": folder.name, "id": folder.name}), "utf-8"
        )


def _fill_documents(home: Path) -> None:
    folder = home.with_name(f"{home.name}-documents")
    folder.mkdir(exist_ok=True)
    for number in range(DOCUMENTS):
        text = (
            f"# Station {number}\n\nStation {number} costs {number} euros and weighs {number + 100} grams.\n"
        )
        (folder / f"station-{number:03}.md").write_text(text, "utf-8")
    settings = load_settings().model_copy(update={"home": home})
    opened = Workspace(settings)
    opened.knowledge().add([folder])
    opened.close()


def visit(page: Page, name: str) -> float:
    """Seconds from the click on a page's link until it stands."""
    place = PAGES.index(name)
    began = time.monotonic()
    page.get_by_test_id("stSidebarNavLink").nth(place).click()
    page.wait_for_function(DRAWN, arg=name, polling=20)
    return time.monotonic() - began


def measure(page: Page) -> dict[str, list[float]]:
    """Seconds of each visit by page; the first round opens the model's libraries and counts nothing."""
    seconds: dict[str, list[float]] = {name: [] for name in PAGES}
    for number in range(VISITS + 1):
        for name in (*PAGES[1:], PAGES[0]):
            took = visit(page, name)
            if number:
                seconds[name].append(took)
    return seconds


def main(home: Path) -> None:
    """Fill the home, visit the pages, and print a table."""
    fill(home, load_settings().home)
    os.environ["IMPRINT_HOME"] = str(home)
    with app() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(180_000)
        while True:
            try:
                page.goto(url)
                break
            except Exception:  # it is not listening yet
                time.sleep(0.2)
        page.locator(".window[data-latin]").wait_for()
        seconds = measure(page)
        browser.close()
    print("| page | median | worst |\n|---|---|---|")
    for name, took in seconds.items():
        print(f"| {name} | {1000 * statistics.median(took):.0f} ms | {1000 * max(took):.0f} ms |")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m benchmarks.pages HOME")
    main(Path(sys.argv[1]))
