"""Kill -9 of `imprint app` while it answers in a browser, and of `imprint restore` beside a running app.

The app is the real one, with the default model. The first start converts it, which takes half a minute.
"""

import contextlib
import json
import random
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
from playwright.sync_api import Error, Page, sync_playwright

from assistant.history.conversations import ConversationStore
from assistant.home.layout import BEFORE_RESTORE, JOURNAL, STAGING
from benchmarks.app import FLAGS
from benchmarks.killing import PATIENCE_SECONDS, Tally, Victim, examine, fill, imprint_process, seconds_of
from tuning.storage import file_sha256

_MOST_SECONDS = 20.0  # from the first question to the kill: some answers on a busy machine
_STEP_MILLISECONDS = 20_000
_ANSWER = "[class*=st-key-assistant-] [data-testid=stMarkdown]"
_IDLE = "() => !document.querySelector('.st-key-stop') && !document.querySelector('.st-key-assistant-live')"
_SETTINGS = {"max_new_tokens": 8, "memory": "nothing"}


def app(folder: Path, times: int, chance: random.Random) -> Tally:
    """Answers that the page showed as ended are there after the kill, whole; so is everything before them."""
    tally, home = Tally(), folder / "home"
    shown: dict[str, str] = {}
    _new_home(home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        while tally.kills < times:
            with _running(home) as (victim, address):
                page = browser.new_page()
                page.set_default_timeout(_STEP_MILLISECONDS)
                page.goto(address, timeout=PATIENCE_SECONDS * 1000)
                box = page.get_by_test_id("stChatInputTextArea")
                box.wait_for(timeout=PATIENCE_SECONDS * 1000)
                if not shown:  # not while the model is converted
                    _ask(page, "Say yes.", shown, patient=True)
                elif tally.kills % 2:
                    # Every second time once it answers, else while it may still be opening the model.
                    _ask(page, f"Say the number {len(shown)}.", shown, patient=True)
                killer = threading.Timer(chance.uniform(0.1, _MOST_SECONDS), victim.kill, [0])
                killer.start()
                with contextlib.suppress(Error):
                    while killer.is_alive():
                        _ask(page, f"Say the number {len(shown)}-{tally.kills}.", shown)
                killer.join()
                page.close()
            tally.kills += 1
            _check_answers(home, shown, tally)
            examine(home, tally, "app")
        browser.close()
    return tally


def _ask(page: Page, question: str, shown: dict[str, str], *, patient: bool = False) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    answers = page.locator(_ANSWER).count()
    box.fill(question)
    box.press("Enter")
    timeout = PATIENCE_SECONDS * 1000 if patient else _STEP_MILLISECONDS
    page.locator(_ANSWER).nth(answers).wait_for(timeout=timeout)
    page.wait_for_function(_IDLE, timeout=timeout)
    page.locator("[class*=st-key-icon-again-]").last.wait_for(timeout=timeout)
    shown[question] = page.locator(_ANSWER).last.inner_text().strip()


def _check_answers(home: Path, shown: dict[str, str], tally: Tally) -> None:
    tally.acknowledged += len(shown)
    with closing(ConversationStore(home / "conversations.sqlite3")) as store:
        messages = [m for one in store.list(limit=10**6) for m in store.get(one.id).messages]
    asked = {message.content for message in messages if message.role == "user"}
    said = [_letters(m.content) for m in messages if m.role == "assistant" and m.status == "complete"]
    for question, answer in shown.items():
        if question not in asked or _letters(answer) not in said:
            tally.lost.append(f"the answer to {question!r}, which was shown as {answer!r}")
    tally.damaged += [f"message {m.id} streams for ever" for m in messages if m.status == "streaming"]


def _letters(text: str) -> str:
    """Letters and digits alone: a page draws what the text only marks."""
    return "".join(filter(str.isalnum, text))


def restore(folder: Path, times: int, chance: random.Random) -> Tally:
    """While the app runs, the killed restore leaves one content whole, and the app goes on with it by itself."""
    tally, home = Tally(), folder / "home"
    archives = [_archive(folder, chance, number) for number in range(2)]
    _new_home(home)
    with _running(home) as (victim, address):
        contents = []
        for archive in archives:
            whole = seconds_of(home, "restore", archive)
            _await_app(address, home)
            contents.append(_content(home))
        while tally.kills < times:
            restoring = imprint_process(home, "restore", chance.choice(archives))
            tally.kills += restoring.kill(chance.uniform(0.3, 1.1) * whole)
            tally.acknowledged += 1
            _await_app(address, home)
            if _content(home) not in contents:
                tally.lost.append("neither the old content nor the new one, or some of both")
            left = [one.name for one in home.iterdir() if one.name == JOURNAL]
            if left or not victim.is_running:
                tally.damaged.append(f"left over: {left}; the app {'runs' if victim.is_running else 'ended'}")
            examine(home, tally, "restore-app")
            _forget(home)
    return tally


def _forget(home: Path) -> None:
    for kept in [*home.glob(f"{BEFORE_RESTORE}*"), *home.glob(f"{STAGING}*")]:
        shutil.rmtree(kept)


def _content(home: Path) -> tuple[str, str, str]:
    """What tells whose content it is, of each of three parts."""
    with closing(ConversationStore(home / "conversations.sqlite3")) as store:
        title = store.list(limit=1)[0].title
    weights = home / "checkpoints" / "halden" / "adapter_model.safetensors"
    return title, file_sha256(weights), (home / "prompts.json").read_text(encoding="utf-8")


def _archive(folder: Path, chance: random.Random, number: int) -> Path:
    source, archive = folder / f"source-{number}", folder / f"{number}.zip"
    fill(source, chance)
    (source / "settings.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")
    seconds_of(source, "backup", archive)
    return archive


def _new_home(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "settings.json").write_text(json.dumps(_SETTINGS), encoding="utf-8")


@contextlib.contextmanager
def _running(home: Path) -> Iterator[tuple[Victim, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    victim = Victim([sys.executable, "-m", "assistant.cli", "app", "--port", str(port)], home)
    try:
        _await_app(f"http://127.0.0.1:{port}", home)
        yield victim, f"http://127.0.0.1:{port}"
    finally:
        victim.kill(0)


def _await_app(address: str, home: Path) -> None:
    """Wait until the app answers, and no restore is half done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _answers(address) or (home / JOURNAL).exists():
        if time.monotonic() > deadline:
            raise SystemExit("The app does not answer any more.")
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/_stcore/health", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
