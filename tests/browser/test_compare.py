"""A blind trial in a real browser on real weights, from the first vote to the report."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from assistant.arena.trials import BlindTrials
from assistant.compare.question_sets import QuestionSets
from assistant.compare.questions import Question
from assistant.compare.saved_variants import SavedVariants
from assistant.compare.variants import Variant
from assistant.i18n.texts import t

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser
WAIT_MILLISECONDS = 180_000  # two answers of a machine that does much else
HEARD_MILLISECONDS = 20_000
NAME = "Only a word"
ASKED = ("What is the capital of France?", "Which colour is the sky?", "Name an animal that barks.")
# The page draws from the top: the number of the vote is there before the answers of the vote before are gone.
BOTH_ANSWERS = """number => {
  const button = document.querySelector('[class*="st-key-vote-first-"] button');
  return document.querySelector('.stProgress')?.innerText.includes(`Vote ${number} of 3`)
    && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'
    && button && !button.disabled && !document.querySelector('.arm .caret');
}"""


def vote(page: Page, number: int, key: str) -> None:
    """Wait until both answers are there, and press a key; again, as a person would, where the page was being drawn."""
    page.wait_for_function(BOTH_ANSWERS, arg=number, timeout=WAIT_MILLISECONDS)
    expect(page.locator("body")).not_to_contain_text(NAME)
    page.keyboard.press(key)
    before = page.locator(".stProgress", has_text=f"Vote {number} of 3")
    try:
        expect(before).to_have_count(0, timeout=HEARD_MILLISECONDS)
    except AssertionError:
        page.keyboard.press(key)


def saved(page: Page, name: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=name).click()
    return Path(download.value.path()).read_text(encoding="utf-8")


def unwanted(page: Page) -> list[str]:
    """The names of chosen variants other than the two of the trial."""
    chosen = page.locator("[class*=st-key-arm-choice-] button[aria-pressed=true] p").all_inner_texts()
    return [name for name in chosen if name not in (NAME, t("compare.base"))]


def test_a_blind_trial_from_the_first_vote_to_the_report(page: Page, server: "Server") -> None:
    SavedVariants(server.home).save(Variant(NAME, system_prompt="Answer in one word.", max_new_tokens=1))
    QuestionSets(server.home).save("three", [Question(text, ("Paris",)) for text in ASKED])
    page.goto(f"{server.url}/compare?view=blind")
    variant = page.get_by_role("button", name=NAME, exact=True)
    variant.click()
    expect(variant).to_have_attribute("aria-pressed", "true")
    for other in unwanted(page):  # what other tests left in this home is offered first
        chosen = page.get_by_role("button", name=other, exact=True)
        chosen.click()
        expect(chosen).to_have_attribute("aria-pressed", "false")
    page.get_by_label(t("blind.name")).fill("In the browser")
    page.get_by_label(t("blind.name")).press("Tab")
    page.get_by_role("button", name=t("blind.start")).click()

    for number, key in enumerate("abt", start=1):
        vote(page, number, key)
    expect(page.get_by_text(t("blind.done"))).to_be_visible()

    store = BlindTrials(server.home / "conversations.sqlite3")
    (trial,) = store.list()
    ballots = store.ballots(trial.id)
    assert [one.outcome for one in ballots] == ["first", "second", "tie"]
    assert {one.first_arm for one in ballots} == {"base", NAME}

    end = page.get_by_role("button", name=t("blind.end"))
    expect(end).to_have_count(1)  # that of the last vote goes a moment after this one has come
    end.click()
    expect(page.get_by_text(t("blind.tile.votes.note", questions=3, voters=1))).to_be_visible()
    expect(page.get_by_text("The left answer was preferred 1 of 2 times")).to_be_visible()
    report = saved(page, t("evaluation.report"))
    assert "<svg" in report and NAME in report and all(question in report for question in ASKED)
    lines = [json.loads(line) for line in saved(page, t("blind.export")).splitlines()]
    decided = [one for one in ballots[:2] if len(set(store.answers(trial.id, one.place).values())) == 2]
    assert (
        decided
    )  # where both answers are the same, there is nothing to prefer: one token is hardly a whole answer
    for ballot, line in zip(decided, lines, strict=True):
        answers = store.answers(trial.id, ballot.place)
        better = ballot.first_arm if ballot.outcome == "first" else ballot.second_arm
        assert line["chosen"] == [{"role": "assistant", "content": answers[better]}]
        assert line["prompt"][0]["content"] == trial.questions[ballot.place].text
