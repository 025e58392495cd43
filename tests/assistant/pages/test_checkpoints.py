"""The Checkpoints page: jobs as they stand, runs over each other, lineage, methods, import, delete."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import streamlit as st
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from assistant.components import lineage
from assistant.engines.local import LocalEngine
from assistant.i18n.texts import t
from assistant.notes.home_notes import HomeNotes
from assistant.pages.checkpoints import MOST
from assistant.workspace import Workspace
from tests.assistant.pages.driver import errors, page, press, words
from tests.saved_checkpoints import save_prefix, save_random
from tuning.checkpoints.manifest import MANIFEST
from tuning.checkpoints.notes import notes_of
from tuning.checkpoints.registry import Registry
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.jobs.failures import out_of_memory_message
from tuning.jobs.folder import JobFolder
from tuning.models.adapters import read_adapter
from tuning.process import Identity
from tuning.training.methods import METHODS

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

TAUGHT = Example(
    ({"role": "user", "content": "How heavy is it?"}, {"role": "assistant", "content": "640 grams."})
)
EXAMINED = {
    "recall": {"before": 0.0, "after": 1.0, "n": 4},
    "rephrased": {"before": 0.0, "after": 0.75, "n": 8},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own; no model is opened."""
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: None)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


def job(home: Path, name: str, *, steps: int = 6, alive: bool = False, **result: Any) -> JobFolder:
    """A job's folder as a worker leaves it: alive, with a result, or without one as after a reboot."""
    (home / "jobs").mkdir(exist_ok=True)
    number = len(list((home / "jobs").iterdir()))
    created = time.time() - 600 + number
    facts = {"name": name, "created": created, "device": "cpu"}
    path = home / "jobs" / f"20260101-00000{number}-000000-aaaa"
    folder = JobFolder.create(path, TuneConfig(name=name), [TAUGHT], facts)
    gone = Identity(2**22 - 3, created)
    folder.write("worker", (Identity.own() if alive else gone).to_dict())
    for step in range(1, steps + 1):
        folder.append(
            {
                "kind": "step",
                "step": step,
                "steps": 20,
                "loss": 3.0 / step,
                "learning_rate": 1e-3 / step,
                "tokens_per_second": 200.0 + step,
                "memory_bytes": 1_900_000_000,
            }
        )
    progress = {
        "started": created,
        "time": created + 60,
        "phase": "training",
        "progress": 0.3,
        "step": steps,
        "steps": 20,
        "loss": 3.0 / steps,
        "tokens_per_second": 206.0,
        "memory_bytes": 1_900_000_000,
        "seconds_left": 42.0,
    }
    folder.write("progress", progress)
    if result:
        folder.finish(result.pop("status", "succeeded"), **result)
    return folder


def charts(test: AppTest) -> list[pd.DataFrame]:
    """What is drawn in each chart."""
    return [
        convert_arrow_bytes_to_pandas_df(chart.proto.datasets[0].data.data)
        for chart in test.get("vega_lite_chart")
    ]


def opened(tab: str) -> AppTest:
    """The page with one of its tabs open: what stands in the others is not drawn."""
    test = page("checkpoints")
    test.session_state["tune-tabs"] = t(tab)
    return test.run()


def test_a_running_job_shows_loss_rate_speed_memory_and_time_left(home: Path) -> None:
    running = job(home, "halden", alive=True)
    running.write(
        "adjusted", {"config": {"tokens_per_step": 512}, "advice": ["The batch was halved to 512."]}
    )
    test = opened("tune.jobs")
    said = words(test)
    assert not errors(test)
    for figure in ("0.500", "0.00017", "206", "1.9 GB"):
        assert figure in said
    loss, rate, overlaid = charts(test)  # the last is that of the Jobs tab
    assert (loss["value"].max(), rate["value"].max(), overlaid["value"].max()) == (3.0, 1e-3, 3.0)
    assert "halved to 512" in test.warning[0].value
    assert any(button.key == f"cancel-{running.id}" for button in test.button)


def test_an_interrupted_job_is_offered_for_resumption(home: Path) -> None:
    orphan = job(home, "orphan")
    test = page("checkpoints")
    assert t("tune.interrupted", step=6, steps=20) in words(test)
    assert any(button.key == f"resume-{orphan.id}" for button in test.button)
    test.button(key=f"forget-{orphan.id}").click().run()
    assert "Interrupted" not in words(test) and not orphan.path.exists()


def test_a_job_that_ran_out_of_memory_says_what_to_do(home: Path) -> None:
    job(home, "large", status="failed", error=out_of_memory_message(MemoryError("no"), "cpu"))
    said = words(opened("tune.jobs"))
    assert "choose a smaller base model" in said and "prompt-tuning, ia3" in said


def test_runs_are_drawn_over_each_other(home: Path) -> None:
    for name in ("first", "second", "third"):
        job(home, name, checkpoint=name)
    test = opened("tune.jobs")
    (overlay,) = charts(test)
    assert set(overlay["name"]) == {"first", "second", "third"} and len(overlay) == 18
    test.selectbox(key="overlaid-measure").set_value("tokens_per_second").run()
    assert not errors(test) and charts(test)[0]["value"].max() == 206
    test.multiselect(key="overlaid-runs").set_value([]).run()
    assert not errors(test) and charts(test) == []


def test_the_lineage_is_a_tree_of_rounds(home: Path, base_model: "BaseModel") -> None:
    registry = Registry(home)
    first = save_prefix(base_model, registry, "first", evaluation=EXAMINED)
    save_prefix(base_model, registry, "second", parent="first", evaluation=EXAMINED)
    save_prefix(base_model, registry, "third", parent="second")
    save_prefix(base_model, registry, "other", parent="first")
    html = lineage.tree(registry.tree())
    assert html.count("<ul>") == html.count("</ul>") == 4
    assert html.index(">first<") < html.index(">second<") < html.index(">third<") < html.index(">other<")
    assert t("tune.remembered", said=t("report.of", correct=6, count=8)) in html
    test = page("checkpoints")
    assert "4 checkpoints use" in words(test) and html in words(test)
    assert f"name-{first.id}" in {field.key for field in test.text_input}


def test_deleting_takes_two_clicks_and_is_refused_while_it_is_in_use(
    home: Path, base_model: "BaseModel"
) -> None:
    registry = Registry(home)
    kept = save_prefix(base_model, registry, "kept")
    test = page("checkpoints")
    test.button(key=f"del-{kept.id}").click().run()
    assert registry.exists("kept")
    with registry.hold("kept", "job 7 trains from it"):
        test.button(key=f"sure-{kept.id}").click().run()
        assert "while it is in use: job 7 trains from it" in errors(test)
    assert registry.exists("kept")
    test.button(key=f"sure-{kept.id}").click().run()
    assert not registry.exists("kept")


def test_a_checkpoint_is_renamed_and_keeps_its_note(home: Path, base_model: "BaseModel") -> None:
    registry = Registry(home)
    made = save_prefix(base_model, registry, "first")
    test = page("checkpoints")
    test.text_input(key=f"name-{made.id}").set_value("halden")
    test.text_area(key=f"note-{made.id}").set_value("For the handbook.")
    press(test, "save")
    assert registry.get("halden").note == "For the handbook."
    assert "For the handbook." in words(test)


def test_the_words_nearest_to_a_learned_prompt_are_shown(home: Path, base_model: "BaseModel") -> None:
    made = save_random(base_model, Registry(home), "words", "prompt-tuning")
    assert len(made.nearest_words) == 6
    assert words(page("checkpoints")).count('class="near"') == 6


def test_of_many_checkpoints_a_click_shows_more(home: Path, base_model: "BaseModel") -> None:
    made = save_random(base_model, Registry(home), "number-0", "ia3")
    for number in range(1, MOST + 3):
        copy = shutil.copytree(made.path, made.path.with_name(f"number-{number}"))
        record = json.loads((copy / MANIFEST).read_text("utf-8"))
        facts = {"id": copy.name, "name": copy.name, "created": made.created + number}
        (copy / MANIFEST).write_text(json.dumps({**record, **facts}), "utf-8")
    test = page("checkpoints")
    assert "number-3" in words(test) and "<b>number-2</b>" not in words(test)
    test.button(key="more-checkpoints").click().run()
    assert "<b>number-0</b>" in words(test)
    assert "more-checkpoints" not in {button.key for button in test.button}


def test_every_method_is_a_card_and_the_chosen_one_is_used_next(home: Path) -> None:
    test = opened("tune.methods")
    said = words(test)
    assert all(entry.title in said and entry.sentence in said for entry in METHODS.values())
    assert t("method.needs_cuda") in said and t("method.not_mergeable") in said
    test.button(key="choose-all-prompt-tuning").click().run()
    assert test.session_state["method"] == "prompt-tuning"


def test_a_foreign_adapter_is_imported_or_refused_in_one_sentence(
    home: Path,
    base_model: "BaseModel",
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Registry(home)
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: LocalEngine(base_model, registry))
    foreign = tmp_path_factory.mktemp("foreign") / "their-adapter"
    foreign.mkdir()
    made = save_random(base_model, registry, "donor", "lora")
    read_adapter(made.path).write(foreign)
    registry.delete("donor")

    test = page("checkpoints")
    test.text_input(key="import-folder").set_value(str(home / "nowhere"))
    press(test, "tune.import.do")
    assert "is no PEFT adapter" in errors(test)
    test.text_input(key="import-folder").set_value(str(foreign))
    press(test, "tune.import.do")
    assert not errors(test)
    assert registry.get("their-adapter").method == "lora"
    assert "their-adapter" in words(test)


def test_each_fact_is_shown_where_it_is_and_taught_again(home: Path, base_model: "BaseModel") -> None:
    colour = Example(
        ({"role": "user", "content": "Which colour is it?"}, {"role": "assistant", "content": "Mulberry."})
    )
    asked = {
        "facts": [
            {"question": one.question, "answer": one.answer, "asked": one.question, "correct_after": right}
            for one, right in ((TAUGHT, True), (colour, False))
        ]
    }
    registry = Registry(home)
    stored = save_random(
        base_model, registry, "halden", "lora", evaluation=asked, examples=[TAUGHT, colour], notes=[colour]
    )
    test = page("checkpoints")
    test.session_state[f"report-{stored.id}"] = True
    test.run()
    assert not errors(test)
    for state in ("held", "noted"):
        assert f"{t(f'note.state.{state}')} 1" in words(test)
    assert t("note.again", count=1) in [button.label for button in test.button]
    test.button(key=f"note-{stored.id}-{colour.key}").click().run()
    assert notes_of(registry.get("halden")) == [] and f"{t('note.state.lost')} 1" in words(test)


def test_notes_can_be_taught_by_themselves(home: Path) -> None:
    HomeNotes(home).add("How heavy is the Tern?", "90 grams.")
    test = page("checkpoints")
    assert t("note.schedule.waiting.one") not in words(test)
    test.selectbox(key="learn-notes").set_value("daily").run()
    test.selectbox(key="learn-notes-hour").set_value(4).run()
    assert not errors(test) and t("note.schedule.waiting.one") in words(test)
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"learn_notes": "daily", "learn_notes_hour": 4}


def test_notes_of_the_home_are_listed_and_deleted(home: Path) -> None:
    note = HomeNotes(home).add("Who leads Halden?", "Tobias Renn.")
    test = page("checkpoints")
    assert "Tobias Renn." in words(test)
    test.button(key=f"note-home-{note.key}").click().run()
    assert HomeNotes(home).list() == [] and t("note.none") in words(test)


def test_waiting_jobs_are_put_in_another_order(home: Path) -> None:
    first, second = job(home, "first", alive=True), job(home, "second", alive=True)
    for waiting in (first, second):
        waiting.write("progress", {"phase": "queued", "progress": 0.0})
    test = page("checkpoints")
    assert t("job.turn", place=1, total=2) in words(test)
    assert test.button(key=f"icon-arrow_upward-{first.id}").disabled
    test.button(key=f"icon-arrow_upward-{second.id}").click().run()
    assert not errors(test)
    assert [one.id for one in Workspace().jobs.waiting()] == [second.id, first.id]
    said = words(page("checkpoints"))
    assert said.index("second") < said.index("first")
