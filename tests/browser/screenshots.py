"""Pictures of every page, wide and narrow, of a running app: screenshots.py URL FOLDER [--dark] [--zh] [PAGE…].

With the sample documents, a conversation and a checkpoint there is the most to see; what is not there is pictured as
the page that says so.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

from assistant.i18n.texts import language, t, use_language

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


QUESTIONS = {
    "en": ("How often must the rain funnel be cleaned?", "What is the housing of the Skerrin made of?"),
    "zh": ("链条每隔多久上一次油？", "云雀的车架是用什么材料做的？"),
}


def question(number: int = 0) -> str:
    """About the sample domain of this language."""
    return QUESTIONS[language()][number]


def press(page: Page, button: Locator) -> bool:
    """Press what opens a view; whether it is there: a new home has neither conversations nor documents."""
    settle(page)
    if not button.count():
        return False
    button.first.click()
    return True


def welcome(page: Page, url: str) -> None:
    page.goto(url)


def chat(page: Page, url: str) -> None:
    """The newest conversation, or what stands there before the first."""
    page.goto(url)
    settle(page)
    opened = page.locator(".st-key-conversations [class*=st-key-open-]")
    names = (opened.first.get_attribute("class") or "").split() if opened.count() else []
    found = [name.removeprefix("st-key-open-") for name in names if name.startswith("st-key-open-")]
    if found:
        page.goto(f"{url}/?c={found[0]}")


def prompt(page: Page, url: str) -> None:
    page.goto(url)
    press(page, page.locator(".st-key-edit-prompt button >> visible=true"))
    page.get_by_role("dialog").locator("textarea").first.wait_for()


def library(page: Page, url: str) -> None:
    """The saved questions."""
    page.goto(url)
    press(page, page.locator(".st-key-prompt-library button >> visible=true"))
    page.get_by_test_id("stPopoverBody").wait_for()


def teach(page: Page, url: str) -> None:
    chat(page, url)
    if press(page, page.locator(".st-key-teach button:not(:disabled)")):
        page.locator(".st-key-teach-start").wait_for()


def knowledge(page: Page, url: str) -> None:
    page.goto(f"{url}/knowledge")


def search(page: Page, url: str) -> None:
    page.goto(f"{url}/knowledge")
    if press(page, page.get_by_role("tab", name=t("knowledge.search"))):
        box = page.locator(".st-key-search-passages input")
        box.fill(question())
        box.press("Enter")
        page.locator(".passage").first.wait_for()


def passages_map(page: Page, url: str) -> None:
    page.goto(f"{url}/knowledge")
    if press(page, page.get_by_role("tab", name=t("knowledge.map"))):
        box = page.locator(".st-key-map-question input")
        box.fill(question())
        box.press("Enter")
        page.locator(".passage").first.wait_for()


def checkpoints(page: Page, url: str) -> None:
    page.goto(f"{url}/checkpoints")


def compare(page: Page, url: str) -> None:
    page.goto(f"{url}/compare")
    page.locator(".st-key-compare-question input").fill(question(1))
    page.get_by_role("button", name=t("compare.ask"), exact=True).click()
    page.locator(".arm, [data-testid=stAlert]").first.wait_for()  # a new home has one variant, and says so
    page.wait_for_function(
        "() => ![...document.querySelectorAll('.arm')].some(arm => arm.querySelector('.caret'))"
    )


def memory(page: Page, url: str) -> None:
    """The Memory page as it opens."""
    page.goto(f"{url}/memory")


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
    page.locator(".scale, .st-key-empty-inside").first.wait_for()


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
    library,
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
    memory,
    visible_window,
    visible_next,
    visible_answer,
    visible_inside,
    visible_rlhf,
    preferences,
    settings,
)


def main(
    url: str, folder: Path, names: Sequence[str] = (), *, dark: bool = False, chinese: bool = False
) -> None:
    """Write one PNG for each page (those named, or all) and size."""
    folder.mkdir(parents=True, exist_ok=True)
    use_language("zh" if chinese else "en")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                locale="zh-CN" if chinese else "en-GB",
            )
            for visit in PAGES if not names else [page for page in PAGES if page.__name__ in names]:
                page = context.new_page()
                page.set_default_timeout(90_000)
                visit(page, url.rstrip("/"))
                settle(page)
                page.screenshot(path=folder / f"{visit.__name__.replace('_', '-')}-{size}.png")
                page.close()
            context.close()
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="names of functions above")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--zh", action="store_true", help="in Chinese")
    given = parser.parse_args()
    main(given.url, given.folder, given.pages, dark=given.dark, chinese=given.zh)
