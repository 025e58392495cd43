"""`imprint tune`, with a worker that sleeps instead of training."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.cli.tune import _stated_in
from assistant.errors import AssistantError
from assistant.settings import Settings, load_settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Impatient, Run, document, examples_file
from tuning.jobs.folder import Job


def test_tune_follows_its_job_to_the_end(tuning: Run, tmp_path: Path) -> None:
    tuned = document(tuning("tune", "--examples", examples_file(tmp_path, "3"), "--json"))
    assert (tuned["status"], tuned["steps"]) == ("succeeded", 3)
    assert {"checkpoint", "seconds", "tokens_per_second", "evaluation"} <= tuned.keys()
    assert tuned["evaluation"] == {"recall": {"after": 1.0}}


def test_the_outcome_is_told_in_words(tuning: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"before": 0.0, "after": 0.95, "n": 40}
    whole = Impatient.get

    def get(self: Impatient, id: str) -> Job:
        return replace(whole(self, id), evaluation={"rephrased": figures})

    monkeypatch.setattr(Impatient, "get", get)
    told = tuning("tune", "--examples", examples_file(tmp_path, "2")).stdout
    assert "asked in other words: 0% → 95% of 40 right" in told


def test_tune_takes_several_files(tuning: Run, tmp_path: Path) -> None:
    files = [examples_file(tmp_path, "2", name) for name in ("a.jsonl", "b.jsonl")]
    result = tuning("tune", "--examples", *files, "--method", "lora", "--json")
    assert "2 examples" in result.stderr
    assert document(result)["status"] == "succeeded"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_failed_job_ends_with_one_and_says_why(tuning: Run, tmp_path: Path, form: tuple[str, ...]) -> None:
    result = tuning("tune", "--examples", examples_file(tmp_path, "refuse"), *form)
    assert result.exit_code == 1
    if form:
        told = document(result, status=1)
        assert told["status"] == "failed" and "This cannot be done" in told["error"]
    else:
        assert "This cannot be done: 'x'. Choose 'y'." in result.stderr.splitlines()[-1]


def test_a_chat_without_an_answer_teaches_nothing_and_is_told_before_the_job(tuning: Run, home: Path) -> None:
    store = Workspace(Settings(home=home)).store
    conversation = store.create()
    store.add_message(conversation, "user", "Hello?")
    result = tuning("tune", "--conversation", conversation)
    assert result.exit_code == 1 and result.stderr.startswith("imprint: ")
    assert document(tuning("jobs", "--json")) == {"jobs": []}


def test_what_a_document_states_is_learned_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path / "home"))
    document = tmp_path / "harbour.md"
    document.write_text("# Harbour\n\nThe harbour master of Tolm is Inga Reyes.\n", encoding="utf-8")
    opened = Workspace(load_settings())
    opened.knowledge("docs").add([document])
    examples = _stated_in(opened, ("harbour.md",), "docs", None)
    assert [(one.question, one.answer) for one in examples] == [
        ("Who is the harbour master of Tolm?", "Inga Reyes.")
    ]
    with pytest.raises(AssistantError, match=r"holds no document 'gone\.md'.*harbour\.md"):
        _stated_in(opened, ("gone.md",), "docs", None)
    opened.close()
