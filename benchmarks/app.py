"""How soon the app answers in a browser: from its start to the first token, warm, and while a job trains.

python -m benchmarks.app            # needs Chromium; the home of the environment should hold the converted model

The job tunes the sample conversation; it is cancelled and removed when the questions have been answered.
"""

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from assistant.settings import load_settings
from tuning.config import TuneConfig
from tuning.data.examples import read_examples
from tuning.jobs.jobs import Jobs

QUESTIONS = (
    "What is the capital of France?",
    "Name a colour.",
    "How many days has a week?",
    "What do cows drink?",
    "Which planet do we live on?",
)
SAMPLE = Path(__file__).resolve().parent.parent / "assistant" / "sample" / "examples.jsonl"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
)
_ANSWERS = """[...document.querySelectorAll('[class*=st-key-assistant-] [data-testid="stMarkdown"]')]
  .filter(one => one.innerText.replace('▍', '').trim().length > 0).length"""


@contextmanager
def app() -> Iterator[str]:
    """The app in a process group of its own, on the home of the environment; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "assistant.cli", "app", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env=dict(os.environ), start_new_session=True, **quiet)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def open_page(page: Page, url: str) -> None:
    """Wait for the server, then for the box to write in."""
    while True:
        try:
            page.goto(url)
            break
        except Exception:  # it is not listening yet
            time.sleep(0.1)
    page.get_by_role("radio", name="Model alone").click()


def first_token(page: Page, question: str) -> float:
    """Seconds from Enter until the answer's first words are on the screen."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    before = page.evaluate(_ANSWERS)
    began = time.monotonic()
    box.press("Enter")
    page.wait_for_function(f"() => ({_ANSWERS}) > {before}", polling=20)
    seconds = time.monotonic() - began
    page.wait_for_function("() => !document.querySelector('.st-key-stop')")
    page.wait_for_timeout(1_000)
    return seconds


@contextmanager
def a_job() -> Iterator[None]:
    """Inside, a job trains on this machine's cores."""
    jobs = Jobs(load_settings().home)
    job = jobs.submit(TuneConfig(device="cpu", early_stop=False), read_examples(SAMPLE))
    try:
        while jobs.get(job.id).step < 2:
            if jobs.get(job.id).has_ended:
                raise SystemExit(jobs.get(job.id).error)
            time.sleep(0.5)
        yield
        if jobs.get(job.id).has_ended:
            raise SystemExit("The job ended before the last question was answered: measure again.")
    finally:
        if not jobs.get(job.id).has_ended:
            jobs.cancel(job.id)
        jobs.remove(job.id)


def main() -> None:
    """Measure once from cold, then warm, then beside a job."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        began = time.monotonic()
        with app() as url:
            open_page(page, url)
            opened = time.monotonic() - began
            cold = first_token(page, QUESTIONS[0])
            print(f"start of the app to its page: {opened:.1f} s; to the first token: {opened + cold:.1f} s")
            warm = [first_token(page, question) for question in QUESTIONS]
            _tell("warm", warm)
            with a_job():
                beside = [first_token(page, question) for question in QUESTIONS]
            _tell("while a job trains", beside)
        browser.close()
    print(
        f"the median is {statistics.median(beside) / statistics.median(warm):.1f} times as long beside a job"
    )


def _tell(when: str, seconds: list[float]) -> None:
    print(
        f"{when}, first token on the screen: median {statistics.median(seconds):.2f} s, most {max(seconds):.2f} s"
    )


if __name__ == "__main__":
    main()
