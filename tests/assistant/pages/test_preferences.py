"""The Preferences page: what there is, what to vote on next, a run, what came of it; and RLHF in three steps."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from assistant.components import preference_report
from assistant.history.conversations import ConversationStore
from assistant.history.records import NewPreference
from assistant.i18n.texts import t
from assistant.session import resources
from tests.assistant.pages.driver import errors, page, words
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.jobs.jobs import Jobs
from tuning.training.methods import PREFERENCE_METHODS  # here: torch takes longer to import than a page may

PRETEND = (sys.executable, str(Path(__file__).parents[2] / "tuning" / "jobs" / "worker_that_sleeps.py"))
REPORT: dict[str, Any] = {
    "preferences": {
        "pairs": {"before": 0.25, "after": 0.75, "n": 8, "interval": [0.41, 0.93]},
        "implicit": {"after": 1.0, "n": 8, "interval": [0.7, 1.0]},
        "answers": [
            {"prompt": "How heavy?", "before": "That depends.", "after": "640 grams."},
            {"prompt": "Who?", "before": "Ada.", "after": "Ada."},
        ],
    },
    "retention": {"before": 0.6, "after": 0.6, "kept": 0.95, "n": 200},
    "earlier": {"before": 1.0, "after": 0.9, "n": 10},
}
SCORES = {
    "pairs": {"before": 0.5, "after": 0.8, "n": 10, "interval": [0.5, 0.94]},
    "temperature": 1.2,
    "log_loss": {"before": 0.6, "after": 0.5},
}


@pytest.fixture
def jobs(home: Path) -> Iterator[Jobs]:
    """The jobs of the page, whose worker sleeps."""
    found = Jobs(home, worker=PRETEND)
    resources.workspace().__dict__["jobs"] = found
    yield found
    for job in found.list():
        if not job.has_ended:
            found.cancel(job.id)


def vote(home: Path, count: int) -> None:
    """So many votes side by side, each on a question of its own."""
    votes = resources.workspace().preferences
    for number in range(2, 2 + count):
        votes.add(
            NewPreference(
                prompt=[{"role": "user", "content": str(number)}],
                chosen="yes",
                rejected="no",
                chosen_arm="rag",
                rejected_arm="base",
            )
        )


def checkpoint(home: Path, name: str, method: str, evaluation: dict[str, Any]) -> None:
    manifest = Manifest(name, method, DEFAULT_BASE, "0" * 64, evaluation=evaluation)
    Registry(home).save(manifest, lambda folder: (folder / "adapter.safetensors").write_bytes(b"w") and None)


def test_every_method_has_its_card(home: Path, jobs: Jobs) -> None:
    vote(home, 2)
    said = words(page("preferences"))
    assert [one.title for one in PREFERENCE_METHODS.values() if one.title not in said] == []


def test_an_empty_home_leads_to_a_first_vote(home: Path, jobs: Jobs) -> None:
    shown = page("preferences")
    assert errors(shown) == ""
    assert t("preferences.next.none") in words(shown) and t("preferences.learn.later") in words(shown)
    assert [button.label for button in shown.button] == [t("preferences.to_blind"), t("tune.empty.chat")]


def test_the_page_counts_what_there_is_and_says_what_is_left_out(
    home: Path, jobs: Jobs, store: ConversationStore
) -> None:
    vote(home, 5)
    asked = store.add_message(store.create(), "user", "What is the password?")
    store.correct(store.add_message(asked.conversation_id, "assistant", "No idea.").id, "hunter2")
    shown = page("preferences")
    said = words(shown)
    assert errors(shown) == ""
    assert t("preferences.from.side_by_side") in said and t("preferences.thumbs.note", good=0, bad=0) in said
    assert t("preferences.next.few") in said and "a password or key" in said
    assert "hunter2" not in said


def test_too_few_are_refused_before_the_start(home: Path, jobs: Jobs) -> None:
    vote(home, 2)
    shown = page("preferences")
    assert "needs at least 4 pairs" in words(shown)
    assert shown.button(key="preferences-start").disabled


def test_a_run_is_set_up_and_followed(home: Path, jobs: Jobs) -> None:
    vote(home, 6)
    shown = page("preferences")
    shown.number_input(key="preference-dpo-beta").set_value(0.3).run()
    shown.selectbox(key="preference-loss").set_value("ipo").run()
    shown.text_input(key="preference-name").set_value("terse").run()
    shown.button(key="preferences-start").click().run()
    assert errors(shown) == ""
    (job,) = jobs.list()
    assert (job.method, job.name, job.examples_count) == ("dpo", "terse", 6)
    assert (job.config["beta"], job.config["loss"]) == (0.3, "ipo")
    jobs.wait(job.id)
    shown.run()
    assert t("preferences.runs") in [one.value for one in shown.subheader]


def test_what_is_not_chosen_is_not_learned(home: Path, jobs: Jobs) -> None:
    vote(home, 6)
    shown = page("preferences")
    shown.button_group(key="preference-sources-side_by_side").set_value([]).run()
    assert "there are 0 to 0" in words(shown) and shown.button(key="preferences-start").disabled


def test_a_method_that_needs_a_reward_model_says_so_and_takes_it(home: Path, jobs: Jobs) -> None:
    vote(home, 6)
    shown = page("preferences")
    assert t("preferences.needs_reward") in words(shown)
    shown.button(key="choose-preferences-grpo").click().run()
    assert "needs a reward model" in words(shown)
    checkpoint(home, "taste", "reward", {"preferences": SCORES})
    shown.run()
    assert t("preferences.needs_reward") not in words(shown)
    assert shown.selectbox(key="preference-reward-True-1").value == "taste"
    assert not shown.button(key="preferences-start").disabled


def test_a_question_of_a_chat_is_suggested(home: Path, jobs: Jobs, store: ConversationStore) -> None:
    asked = store.add_message(store.create(), "user", "How heavy is the Skerrin?")
    store.add_message(asked.conversation_id, "assistant", "2 kg.")
    shown = page("preferences")
    assert "How heavy is the Skerrin?" in words(shown) and t("preferences.sampled") in words(shown)
    assert shown.button(key="vote-on-0").label == t("preferences.vote")


def report_of(evaluation: dict[str, Any]) -> AppTest:
    def script(evaluation) -> None:  # type: ignore[no-untyped-def]
        from assistant.components import checkpoint_report

        checkpoint_report.draw(evaluation)

    return AppTest.from_function(script, kwargs={"evaluation": evaluation}).run()


def test_the_report_begins_with_four_figures(home: Path) -> None:
    said = words(report_of(REPORT))
    assert "25% → 75%" in said and "95%" in said and "100% → 90%" in said
    assert t("preferences.report.wins.none") in said
    assert t("preferences.report.changed", count=1, asked=2) in said
    assert "640 grams." in said and "Ada." not in said


def test_a_reward_model_is_no_chat_model(home: Path, jobs: Jobs) -> None:
    checkpoint(home, "taste", "reward", {"preferences": SCORES})
    said = words(report_of({"preferences": SCORES}))
    assert "80%" in said and t("preferences.report.reward") in said
    assert preference_report.is_one({"preferences": SCORES})
    registry = resources.workspace().registry
    assert [one.name for one in registry.list()] == ["taste"] and registry.answering() == []
    listed = page("checkpoints")
    assert errors(listed) == ""
    assert t("job.use") not in [button.label for button in listed.button]


def test_rlhf_is_shown_on_a_persons_own_data(home: Path, jobs: Jobs) -> None:
    shown = page("memory")
    shown.segmented_control(key="visible-view").set_value("rlhf").run()
    assert errors(shown) == "" and words(shown).count(t("rlhf.nothing_yet")) == 3
    vote(home, 3)
    checkpoint(home, "taste", "reward", {"preferences": SCORES})
    checkpoint(home, "terse", "dpo", REPORT)
    shown.run()
    said = words(shown)
    assert t("rlhf.duels", count=3) in said and t("rlhf.nothing_yet") in said
    assert t("rlhf.reward.said", name="taste", before="50%", after="80%") in said
    assert "width:75%" in said
