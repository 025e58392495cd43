"""`imprint tune`, with a worker that sleeps instead of training."""

from dataclasses import replace
from pathlib import Path

import pytest

from assistant.cli.tune_examples import stated_in
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
    examples = stated_in(opened, ("harbour.md",), "docs", None)
    assert [(one.question, one.answer) for one in examples] == [
        ("Who is the harbour master of Tolm?", "Inga Reyes.")
    ]
    with pytest.raises(AssistantError, match=r"holds no document 'gone\.md'.*harbour\.md"):
        stated_in(opened, ("gone.md",), "docs", None)
    opened.close()


def test_what_leaves_the_machine_is_shown_and_asked_for(tuning: Run, tmp_path: Path) -> None:
    file, nobody = examples_file(tmp_path, "How heavy is it?"), "http://127.0.0.1:9/v1"
    asked = ("tune", "--examples", file, "--method", "openai", "--send-to", nobody, "--base", "gpt-4.1-nano")
    told = tuning(*asked, given="n\n")
    assert told.exit_code == 1
    assert (
        f"This leaves the machine, to {nobody}:" in told.stderr and "such as: How heavy is it?" in told.stderr
    )
    assert "1 examples, 108 bytes, about 27 tokens" in told.stderr and "'gpt-4.1-nano'" in told.stderr
    assert "Nothing was sent" in told.stderr.splitlines()[-1]
    assert document(tuning("jobs", "--json")) == {"jobs": []}
    assert document(tuning(*asked, "--yes", "--no-wait", "--json"))["method"] == "openai"


@pytest.mark.parametrize(
    "options, says",
    [
        (("--method", "openai"), "A fine-tuning service is needed"),
        (("--method", "openai", "--send-to", "http://127.0.0.1:9/v1"), "is not said. Give --base"),
        (
            ("--method", "openai", "--send-to", "https://api.openai.com/v1", "--base", "gpt-4.1-nano"),
            "needs a key, and none is set",
        ),
        (("--send-to", "http://127.0.0.1:9/v1"), "--send-to is for --method openai"),
    ],
)
def test_a_service_that_is_not_wholly_named_is_sent_nothing(
    tuning: Run, tmp_path: Path, options: tuple[str, ...], says: str
) -> None:
    told = tuning("tune", "--examples", examples_file(tmp_path, "3"), *options, "--yes")
    assert told.exit_code in (1, 2) and says in told.stderr
    assert document(tuning("jobs", "--json")) == {"jobs": []}
