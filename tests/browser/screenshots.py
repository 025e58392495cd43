"""Pictures of every page, wide and narrow, of a running app: screenshots.py URL FOLDER [PAGE…].

The app should have the sample documents, a conversation and a checkpoint, so that there is something to see.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from assistant.i18n.texts import t

SIZES = {"wide": (1440, 900), "narrow": (400, 860)}
# The page stands when its script has ended, fonts are there, and no visible piece of it is still to come.
SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  const visible = selector => [...document.querySelectorAll(selector)].filter(one => one.offsetParent);
  return app && app.dataset.testScriptState === 'notRunning' && document.fonts.status === 'loaded'
    && !visible('[data-testid=stSkeleton], [data-testid=stSpinner], [data-stale=true]').length
    && visible('.stVegaLiteChart').every(chart => chart.querySelector('svg, canvas'));
}"""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]


def settle(page: Page) -> None:
    """Wait until nothing on the page is still being drawn."""
    page.wait_for_function(SETTLED)


def welcome(page: Page, url: str) -> None:
    page.goto(url)


def chat(page: Page, url: str) -> None:
    """The newest conversation."""
    page.goto(url)
    settle(page)
    number = page.locator(".st-key-conversations [class*=st-key-open-]").first.get_attribute("class") or ""
    found = [part.removeprefix("st-key-open-") for part in number.split() if part.startswith("st-key-open-")]
    if found:
        page.goto(f"{url}/?c={found[0]}")


def prompt(page: Page, url: str) -> None:
    page.goto(url)
    page.locator(".st-key-edit-prompt button >> visible=true").first.click()


def teach(page: Page, url: str) -> None:
    chat(page, url)
    page.locator(".st-key-teach button").first.click()


def knowledge(page: Page, url: str) -> None:
    page.goto(f"{url}/knowledge")


def search(page: Page, url: str) -> None:
    page.goto(f"{url}/knowledge")
    page.get_by_role("tab", name=t("knowledge.search")).click()
    box = page.locator(".st-key-search-passages input")
    box.fill("How often must the rain funnel be cleaned?")
    box.press("Enter")


def passages_map(page: Page, url: str) -> None:
    page.goto(f"{url}/knowledge")
    page.get_by_role("tab", name=t("knowledge.map")).click()
    box = page.locator(".st-key-map-question input")
    box.fill("How often must the rain funnel be cleaned?")
    box.press("Enter")
    page.locator(".passage").first.wait_for()


def checkpoints(page: Page, url: str) -> None:
    page.goto(f"{url}/checkpoints")


def compare(page: Page, url: str) -> None:
    page.goto(f"{url}/compare")
    page.locator(".st-key-compare-question input").fill("What is the housing of the Skerrin made of?")
    page.get_by_role("button", name=t("compare.ask"), exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('.arm').length > 1")
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.arm')].some(arm => arm.querySelector('.caret'))"
    )


def visible_window(page: Page, url: str) -> None:
    page.goto(f"{url}/memory")
    page.locator(".st-key-guide button").click()
    page.locator(".st-key-stop-small-chat").wait_for()
    page.locator(".st-key-guide").wait_for()


def visible_next(page: Page, url: str) -> None:
    page.goto(f"{url}/memory")
    page.get_by_role("radio", name=t("visible.view.next")).click()
    page.locator(".st-key-word-base-0").wait_for()


def visible_answer(page: Page, url: str) -> None:
    """The checkpoint's answer, coloured."""
    visible_next(page, url)
    page.locator(".st-key-answer-ask button").click()
    page.locator(".tokens").first.wait_for()
    page.locator(".tokens").last.scroll_into_view_if_needed()


def visible_inside(page: Page, url: str) -> None:
    page.goto(f"{url}/memory")
    page.get_by_role("radio", name=t("visible.view.inside")).click()
    page.locator(".scale").wait_for()


def visible_rlhf(page: Page, url: str) -> None:
    page.goto(f"{url}/memory")
    page.get_by_role("radio", name=t("visible.view.rlhf")).click()
    page.locator(".rlhf").first.wait_for()


def preferences(page: Page, url: str) -> None:
    page.goto(f"{url}/preferences")
    page.locator(".st-key-vote-next").wait_for()


def methods(page: Page, url: str) -> None:
    page.goto(f"{url}/checkpoints")
    page.get_by_role("tab", name=t("tune.methods")).click()
    page.locator("[class*=st-key-method-]").first.wait_for()


def jobs(page: Page, url: str) -> None:
    page.goto(f"{url}/checkpoints")
    page.get_by_role("tab", name=t("tune.jobs")).click()


def blind_trial(page: Page, url: str) -> None:
    """The newest trial's result, or where one begins."""
    page.goto(f"{url}/compare?view=blind")
    open_newest(page, "result")


def evaluation(page: Page, url: str) -> None:
    """The newest evaluation, or where one begins."""
    page.goto(f"{url}/compare?view=evaluation")
    open_newest(page, "open")


def question_sets(page: Page, url: str) -> None:
    page.goto(f"{url}/compare?view=questions")


def open_newest(page: Page, key: str) -> None:
    """Press the first button of a list beside the sidebar, where there is one."""
    settle(page)
    button = page.locator(f"[data-testid=stMain] [class*=st-key-{key}-] button")
    if button.count():
        button.first.click()


def settings(page: Page, url: str) -> None:
    page.goto(f"{url}/settings")


PAGES = (
    welcome,
    chat,
    prompt,
    teach,
    knowledge,
    search,
    passages_map,
    checkpoints,
    jobs,
    methods,
    compare,
    blind_trial,
    evaluation,
    question_sets,
    visible_window,
    visible_next,
    visible_answer,
    visible_inside,
    visible_rlhf,
    preferences,
    settings,
)


def main(url: str, folder: Path, names: Sequence[str] = ()) -> None:
    """Write one PNG for each page (those named, or all) and size."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size, (width, height) in SIZES.items():
            for visit in PAGES if not names else [page for page in PAGES if page.__name__ in names]:
                page = browser.new_page(viewport={"width": width, "height": height})
                page.set_default_timeout(90_000)
                visit(page, url.rstrip("/"))
                settle(page)
                page.screenshot(path=folder / f"{visit.__name__.replace('_', '-')}-{size}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("Usage: python tests/browser/screenshots.py URL FOLDER [PAGE…]")
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
