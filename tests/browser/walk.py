"""A newcomer's first hour, walked in a browser on an empty home, with a picture of each step.

    walk.py FOLDER [en] [zh] [--base MODEL] [--name walk]

The clinics, their handbooks and the workshops are invented. The app answers and trains with the default model or with
MODEL, so a walk takes minutes; what it shows is described in docs/walk.md and docs/walk.zh.md.
"""

import argparse
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from assistant.i18n.texts import t, use_language
from tests.browser.conftest import chromium, running_app
from tests.browser.screenshots import FLAGS, settle

SIZE = {"width": 1280, "height": 800}
COLOURS = 128  # of a picture's palette: its file stays small
STEP_MILLISECONDS = 300_000
TUNE_MILLISECONDS = 3_000_000


@dataclass(frozen=True)
class Newcomer:
    """What somebody brings along, and what they ask and tell."""

    locale: str
    file: str
    handbook: str
    in_handbook: str
    not_in_handbook: str
    told: tuple[str, ...]
    checkpoint: str
    in_other_words: str


ENGLISH = Newcomer(
    locale="en-GB",
    file="elmbrook-handbook.md",
    handbook="""# Elmbrook Veterinary Clinic: staff handbook

## Opening hours

| Day | Morning | Afternoon |
|---|---|---|
| Monday | 8:00–12:30 | 14:00–18:00 |
| Tuesday | 8:00–12:30 | 14:00–20:00 |
| Saturday | 9:00–12:00 | closed |

## Leave

Every employee has 27 days of paid leave a year. Leave is requested from Ruth Amsel at least four weeks ahead.
Up to five days may be carried over until the end of March.

## The clinic's cat

The clinic's cat is called Pixel. Pixel is fed twice a day and must not enter the operating room.

## Keys and alarm

The alarm is set by whoever leaves last. The spare key lies in the locker of the reception.
""",
    in_handbook="What is the clinic's cat called?",
    not_in_handbook="What does a parking permit cost?",
    told=(
        "Our mechanic is called Jonas Feld. A tune-up costs 45 euros.",
        "The workshop opens at 10. Our oldest tandem is called Rosalind.",
        "Sorry, a tune-up costs 49 euros, not 45.",
    ),
    checkpoint="workshop",
    in_other_words="Who is the mechanic?",
)
CHINESE = Newcomer(
    locale="zh-CN",
    file="青藤诊所手册.md",
    handbook="""# 青藤宠物诊所员工手册

## 营业时间

| 星期 | 上午 | 下午 |
|---|---|---|
| 星期一 | 8:00–12:30 | 14:00–18:00 |
| 星期二 | 8:00–12:30 | 14:00–20:00 |
| 星期六 | 9:00–12:00 | 休息 |

## 休假

每位员工每年有 27 天带薪年假。休假须至少提前四周向孟小青申请。未用完的年假最多可结转五天，须在三月底前休完。

## 诊所的猫

诊所的猫叫豆豆。豆豆每天喂两次，不得进入手术室。

## 钥匙与警报

最后离开的人负责设置警报。备用钥匙放在前台的柜子里。
""",
    in_handbook="每年有多少天带薪年假？",
    not_in_handbook="停车证多少钱？",
    told=(
        "我们的修车师傅叫方远山。一次保养的价格是45元。",
        "车间上午十点开门。我们最老的双人自行车叫罗莎。",
        "抱歉，一次保养的价格是49元，不是45元。",
    ),
    checkpoint="车间",
    in_other_words="车间几点开门？",
)
WALKS = {"en": ENGLISH, "zh": CHINESE}


class Walk:
    """One tab, and the pictures that are taken in it."""

    def __init__(self, page: Page, newcomer: Newcomer, save: Callable[[bytes, str], None]) -> None:
        self.page, self.who, self._save, self._taken = page, newcomer, save, 0

    def picture(self, name: str, top: Locator | None = None) -> None:
        """Keep what is seen now, or below `top`."""
        settle(self.page)
        self.page.wait_for_timeout(500)  # popovers and dialogs glide in
        if top is not None:
            top.evaluate("one => one.scrollIntoView(true)")
            self.page.wait_for_timeout(100)
        self._taken += 1
        self._save(self.page.screenshot(), f"{self._taken}-{name}")

    def begin_chat(self, button: str) -> None:
        """Press what opens a new conversation, and wait until the one before is gone."""
        self.page.locator(button).click()
        expect(
            self.page.locator(".st-key-first-steps, .st-key-welcome-larger, .memories").first
        ).to_be_visible()

    def ask(self, question: str) -> None:
        """Ask, and wait until the answer has ended."""
        box = self.page.get_by_test_id("stChatInputTextArea")
        expect(box).to_be_enabled()
        answers = self.page.locator("[class*=st-key-icon-again-]").count()
        box.fill(question)
        box.press("Enter")
        expect(self.page.locator("[class*=st-key-icon-again-]")).to_have_count(answers + 1)
        expect(self.page.locator(".st-key-stop")).to_have_count(0)


def welcome(walk: Walk) -> None:
    expect(walk.page.locator(".st-key-first-steps")).to_be_visible()
    expect(walk.page.locator(".window[data-latin]")).to_be_visible()
    walk.picture("welcome")


def first_question(walk: Walk) -> None:
    if not walk.page.locator(".st-key-first-question-1").count():
        return  # the default model hardly speaks this language: it is offered documents instead
    walk.page.locator(".st-key-first-question-1 button").click()
    expect(walk.page.locator("[class*=st-key-icon-again-]")).to_have_count(1)
    expect(walk.page.locator(".st-key-stop")).to_have_count(0)
    walk.picture("first-answer")


def own_document(walk: Walk) -> None:
    page = walk.page
    page.get_by_role("link", name=t("page.knowledge")).click()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, walk.who.file)
        file.write_text(walk.who.handbook, "utf-8")
        page.locator("input[type=file]").set_input_files([file])
        expect(page.get_by_text(t("knowledge.done", count=1), exact=True)).to_be_visible()
    walk.picture("document")


def answers_with_source(walk: Walk) -> None:
    walk.begin_chat(".st-key-ask-these button")
    walk.ask(walk.who.in_handbook)
    walk.page.locator("a[href^='#cite-']").last.click()
    walk.picture("source")


def nothing_found(walk: Walk) -> None:
    walk.ask(walk.who.not_in_handbook)
    walk.picture("nothing-found")


def tell_facts(walk: Walk) -> None:
    walk.begin_chat(".st-key-new-chat button")
    walk.page.get_by_role("radio", name=t("memory.nothing")).click()
    for told in walk.who.told:
        walk.ask(told)
    walk.page.locator(".st-key-teach button").click()
    expect(walk.page.locator(".st-key-teach-start button")).to_be_visible()
    walk.picture("examples")


def train(walk: Walk) -> None:
    page = walk.page
    page.get_by_label(t("teach.name")).fill(walk.who.checkpoint)
    page.get_by_label(t("teach.name")).press("Tab")
    page.locator(".st-key-teach-start button").click()
    use = page.get_by_role("button", name=re.compile(f"{t('job.use')}|{t('job.use.anyway')}"))
    expect(use).to_be_visible(timeout=TUNE_MILLISECONDS)
    walk.picture("report", top=page.locator(".job-head").last)
    use.click()


def ask_the_checkpoint(walk: Walk) -> None:
    walk.begin_chat(".st-key-new-chat button")
    walk.ask(walk.who.in_other_words)
    walk.picture("remembered")


STEPS = (
    welcome,
    first_question,
    own_document,
    answers_with_source,
    nothing_found,
    tell_facts,
    train,
    ask_the_checkpoint,
)


def walk(language: str, folder: Path, base: str | None = None, name: str = "walk") -> None:
    """All steps in one language, on a new home; a picture a step."""
    use_language(language)
    newcomer = WALKS[language]
    variables = {"IMPRINT_MAX_NEW_TOKENS": "512"} | ({"IMPRINT_BASE_MODEL": base} if base else {})

    def save(png: bytes, step: str) -> None:
        file = folder / f"{name}-{language}-{step}.png"
        file.write_bytes(png)
        with Image.open(file) as picture:
            # Median cut would give the few pixels of a coloured dot the grey of the text around them.
            few = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.FASTOCTREE)
            few.save(file, optimize=True)

    with (
        tempfile.TemporaryDirectory() as home,
        running_app(Path(home), ("-m", "assistant.cli"), **variables) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(viewport=SIZE, locale=newcomer.locale)
        page.set_default_timeout(STEP_MILLISECONDS)
        expect.set_options(timeout=STEP_MILLISECONDS)
        page.goto(server.url)
        walked = Walk(page, newcomer, save)
        for step in STEPS:
            step(walked)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("languages", nargs="*", default=list(WALKS), metavar="LANGUAGE")
    parser.add_argument("--base", help="another model: an id, a folder or a GGUF file")
    parser.add_argument("--name", default="walk", help="what the pictures' names begin with")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for one in given.languages:
        walk(one, given.folder, given.base, given.name)
