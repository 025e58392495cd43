"""How long a change of page takes in a browser, with a full home: 500 conversations, 200 documents, 50 checkpoints.

python -m benchmarks.pages HOME            # an empty folder, or one that this filled before; needs Chromium

The home of the environment lends its converted model and a checkpoint, which are linked and copied. Printed is, a page,
the median and the worst of several visits: from the click until the script has ended and nothing on the page is pale;
and for how long the app and the browser computed, which other work on the machine lengthens less.
"""

import json
import os
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
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


@dataclass(frozen=True)
class Visit:
    """Seconds that one change of page took, and those that the app's and the browser's processes computed."""

    took: float
    app: float
    browser: float


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


def visit(page: Page, name: str) -> Visit:
    """Click a page's link and wait until the page stands."""
    place = PAGES.index(name)
    app_before, browser_before = computed(is_app=True), computed(is_app=False)
    began = time.monotonic()
    page.get_by_test_id("stSidebarNavLink").nth(place).click()
    page.wait_for_function(DRAWN, arg=name, polling=20)
    return Visit(
        time.monotonic() - began,
        computed(is_app=True) - app_before,
        computed(is_app=False) - browser_before,
    )


def computed(*, is_app: bool) -> float:
    """Seconds that the processes of the app, or those of the browser, have computed so far."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        try:
            if ("assistant.cli" in process.cmdline()) == is_app:
                times = process.cpu_times()
                total += times.user + times.system
        except psutil.Error:  # it has just ended
            continue
    return total


def measure(page: Page) -> dict[str, list[Visit]]:
    """The visits by page; the first round opens the model's libraries and counts nothing."""
    visits: dict[str, list[Visit]] = {name: [] for name in PAGES}
    for number in range(VISITS + 1):
        for name in (*PAGES[1:], PAGES[0]):
            seen = visit(page, name)
            if number:
                visits[name].append(seen)
    return visits


def row(name: str, visits: list[Visit]) -> str:
    """A line of the table."""
    took = [one.took for one in visits]
    medians = [
        statistics.median(took),
        max(took),
        statistics.median(one.app for one in visits),
        statistics.median(one.browser for one in visits),
    ]
    return f"| {name} | {' | '.join(f'{1000 * one:.0f} ms' for one in medians)} |"


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
        visits = measure(page)
        browser.close()
    print("| page | median | worst | the app computes | the browser computes |\n|---|---|---|---|---|")
    for name, seen in visits.items():
        print(row(name, seen))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m benchmarks.pages HOME")
    main(Path(sys.argv[1]))
