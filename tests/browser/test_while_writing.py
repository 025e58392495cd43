"""What a person presses while an answer is being written, and what they press twice."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from peft import LoraConfig
from playwright.sync_api import Browser, Page, expect

from assistant.history.conversations import ConversationStore
from assistant.history.transfer import import_json
from assistant.i18n.texts import t
from tests.browser.conftest import running_app
from tests.browser.test_app import TAUGHT, TEXT_OF_LIVE, answered, ask, choose_memory, skerrin
from tests.browser.waiting import wait_until
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry
from tuning.models.adapters import PeftAdapter

if TYPE_CHECKING:
    from tests.browser.conftest import Server
    from tuning.models.base_model import BaseModel

pytestmark = pytest.mark.browser
SLOW = "Write a long story about a lighthouse."
FACT = "How much does the Skerrin weigh?"
# The page has drawn its field for an answer under way, or the answer has ended: what is written into a field that it
# has yet to close is refused and given back.
WHOLE = """() => document.querySelector('[data-testid=stChatInputTextArea]').disabled
  || !document.querySelector('.st-key-assistant-live')"""
PRESS_TWICE = """async () => {
  for (let pressed = 0; pressed < 2; pressed++) {
    document.querySelector('.st-key-teach-start button')?.click();
    await new Promise(resolve => setTimeout(resolve, 1400));
  }
}"""


def imprint(server: "Server", *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.cli", *arguments],
        env={**os.environ, "IMPRINT_HOME": str(server.home)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


@pytest.fixture(scope="module")
def drifted(server: "Server", base_model: "BaseModel") -> str:
    """A checkpoint that changes the answers a little, without a training."""
    torch.manual_seed(0)
    state = {}
    for name, module in base_model.model.named_modules():
        if name.endswith("down_proj"):
            rows, columns = module.weight.shape
            state[f"{name}.lora_A.weight"] = torch.randn(2, columns) * 0.02
            state[f"{name}.lora_B.weight"] = torch.randn(rows, 2) * 0.02
    config = LoraConfig(r=2, lora_alpha=4, target_modules=["down_proj"], task_type="CAUSAL_LM")
    manifest = Manifest(
        "drifted", "lora", base_model.name, base_model.sha256,
        template_fingerprint=base_model.template_fingerprint, stop_ids=base_model.stop_ids,
    )  # fmt: skip
    return Registry(server.home).save(manifest, PeftAdapter(config, state).write).name


@pytest.mark.parametrize(("before", "after"), [("nothing", "documents"), ("checkpoint", "nothing")])
def test_a_switch_of_the_memory_takes_nothing_from_an_answer_under_way(
    page: Page, server: "Server", drifted: str, tmp_path: Path, before: str, after: str
) -> None:
    imprint(server, "index", str(skerrin(tmp_path)))
    page.goto(server.url)
    choose_memory(page, before)
    ask(page, SLOW)
    page.wait_for_url(re.compile(r"[?&]c=\d+"))
    number = int(re.findall(r"[?&]c=(\d+)", page.url)[0])
    page.wait_for_function(TEXT_OF_LIVE)
    page.wait_for_function(WHOLE)
    choose_memory(page, after)
    ask(page, FACT)
    store = ConversationStore(server.home / "conversations.sqlite3")
    assert wait_until(lambda: len(store.get(number).messages) == 4, 90)
    assert wait_until(lambda: store.get(number).messages[-1].status != "streaming", 90)
    answered(page)
    asked, story, again, answer = store.get(number).messages
    assert (asked.content, again.content) == (SLOW, FACT)
    assert [(m.memory, m.status) for m in (story, answer)] == [(before, "complete"), (after, "complete")]
    said = page.locator("[class*=st-key-assistant-]")
    expect(said.filter(has_text=story.content.split(".")[0])).to_have_count(1)


def test_a_start_that_is_pressed_twice_is_one_job(
    browser: Browser, base_model: "BaseModel", imprint_home: Path, tmp_path: Path
) -> None:
    (tmp_path / "models").symlink_to(imprint_home / "models")
    with running_app(tmp_path, SUBMIT_SECONDS="1.5") as server:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-US")
        jobs = pressed_twice(context.new_page(), server)
        context.close()
    assert len(jobs) == 1


def pressed_twice(page: Page, server: "Server") -> list[str]:
    """The jobs that came of it; they are cancelled."""
    number = import_json(ConversationStore(server.home / "conversations.sqlite3"), TAUGHT)
    page.goto(f"{server.url}/?c={number}")
    page.get_by_role("button", name=t("teach.button")).dblclick()
    start = page.get_by_role("button", name=t("teach.start"))
    expect(start).to_be_enabled(timeout=90_000)
    page.evaluate(PRESS_TWICE)
    expect(page.locator(".job-head").first).to_be_visible(timeout=90_000)
    page.wait_for_timeout(4000)
    jobs = [job["id"] for job in json.loads(imprint(server, "jobs", "--json"))["jobs"]]
    for job in jobs:
        imprint(server, "cancel", job)
    return jobs
