"""`imprint preferences`: votes and corrections listed, exported in five formats and read back."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.cli.preferences import _FORMS, _TITLES
from assistant.history.conversations import ConversationStore
from assistant.history.records import NewPreference
from assistant.preferences.collect import SOURCES
from assistant.preferences.files import FORMATS
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document
from tuning.data.preferences import read_preferences

PROMPT = [
    {"role": "user", "content": "Who founded Halden?"},
    {"role": "assistant", "content": "Ilse Varga."},
    {"role": "user", "content": "And when?"},
]


@pytest.fixture
def voted(home: Path, run: Run) -> Run:
    """A home with a vote, a correction and a thumb."""
    workspace = Workspace(Settings(home=home))
    workspace.preferences.add(
        NewPreference(
            prompt=PROMPT, chosen="In 1974.", rejected="I forgot.", chosen_arm="rag", rejected_arm="base"
        )
    )
    store = ConversationStore(workspace.settings.conversations_path)
    asked = store.add_message(store.create(), "user", "How heavy?")
    answer = store.add_message(asked.conversation_id, "assistant", "2 kg.")
    store.correct(answer.id, "640 grams.")
    store.rate(answer.id, -1)
    workspace.close()
    return run


@pytest.fixture
def enough(tmp_path: Path) -> Path:
    """Six pairs; what the pretended worker does is in the first question: so many steps."""
    file = tmp_path / "enough.jsonl"
    rows = [{"prompt": str(number), "chosen": "yes", "rejected": "no"} for number in range(2, 8)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_tables_of_the_command_are_whole() -> None:
    assert set(_TITLES) == set(SOURCES)
    assert tuple(FORMATS) == _FORMS


def test_an_empty_home_says_what_to_do(run: Run, tmp_path: Path) -> None:
    assert "Vote in a blind trial" in run("preferences", "list").stderr
    assert document(run("preferences", "list", "--json"))["counts"] == {}
    result = run("preferences", "export", tmp_path / "votes.jsonl")
    assert result.exit_code == 1 and "There is nothing to export" in result.stderr


def test_preferences_are_counted_by_where_they_come_from(voted: Run) -> None:
    found = document(voted("preferences", "list", "--json"))
    assert found["counts"] == {"side_by_side": 1, "correction": 1, "thumb": 1}
    assert found["enough"] is False and found["left_out"] == []
    assert found["pairs"][0]["from"] == "side_by_side" and found["pairs"][0]["prompt"] == PROMPT
    assert "votes side by side" in voted("preferences", "list").stdout


@pytest.mark.parametrize("form", _FORMS)
def test_every_format_is_read_back(voted: Run, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"{form}.jsonl"
    made = document(voted("preferences", "export", file, "--format", form, "--json"))
    found = read_preferences(file)
    assert found.complaints == () and len(found) == made["preferences"]
    pairs = {(one.prompt[-1]["content"], one.chosen, one.rejected, len(one.prompt)) for one in found.pairs}
    judged = {(one.completion, one.good) for one in found.judgements}
    if form == "kto":
        assert judged == {("In 1974.", True), ("I forgot.", False), ("640 grams.", True), ("2 kg.", False)}
    else:
        assert pairs == {("And when?", "In 1974.", "I forgot.", 3), ("How heavy?", "640 grams.", "2 kg.", 1)}
        assert judged == ({("2 kg.", False)} if form == "trl" else set())


def test_an_export_replaces_no_file(voted: Run, tmp_path: Path) -> None:
    file = tmp_path / "votes.jsonl"
    file.write_text("mine")
    result = voted("preferences", "export", file)
    assert result.exit_code == 1 and "exists already" in result.stderr and file.read_text() == "mine"


def test_a_file_is_imported_once_and_broken_records_are_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "votes.jsonl"
    records: list[Any] = [
        {"prompt": "Q", "chosen": "yes", "rejected": "no"},
        {"prompt": "Q", "chosen": "same", "rejected": "same"},
        {"prompt": "Q", "completion": "yes", "label": True},
    ]
    file.write_text("".join(json.dumps(one) + "\n" for one in records))
    read = document(run("preferences", "import", file, "--json"))
    assert (read["pairs"], read["judgements"], read["new"]) == (1, 1, 2)
    assert [one["place"] for one in read["left_out"]] == ["votes.jsonl, line 2"]
    assert document(run("preferences", "import", file, "--json"))["new"] == 0
    assert document(run("preferences", "list", "--json"))["counts"] == {"imported": 2}


def test_votes_are_learned_by_dpo_and_a_file_by_the_method_that_is_named(
    tuning: Run, voted: Run, tmp_path: Path, enough: Path
) -> None:
    told = document(tuning("tune", "--preferences", enough, "--method", "kto", "--beta", 0.2, "--json"))
    assert (told["status"], told["method"]) == ("succeeded", "kto")
    assert document(tuning("preferences", "import", enough, "--json"))["new"] == 6
    done = tuning("tune", "--votes", "--loss", "ipo", "--label-smoothing", 0.1, "--json")
    assert "preferences, dpo;" in done.stderr
    assert document(done)["method"] == "dpo"
    newest = Workspace(Settings(home=tmp_path / "home")).jobs.list()[0]
    assert (newest.config["loss"], newest.config["label_smoothing"], newest.examples_count) == ("ipo", 0.1, 9)


@pytest.mark.parametrize(
    ("asked", "said", "status"),
    [
        (("--votes",), "nobody has voted, corrected or rated", 1),
        (("--preferences", "FILE", "--notes"), "give one of the two", 2),
        (("--preferences", "FILE", "--method", "ppo"), "needs a reward model", 1),
        (
            ("--preferences", "FILE", "--method", "lora"),
            "learns from examples, and preferences were given",
            1,
        ),
        (("--preferences", "FEW"), "needs at least 4 pairs", 1),
        (("--preferences", "FILE", "--beta", "0"), "not in the range", 2),
    ],
)
def test_what_cannot_be_learned_is_one_sentence(
    tuning: Run, tmp_path: Path, enough: Path, asked: tuple[str, ...], said: str, status: int
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text(enough.read_text().splitlines()[0])
    files = {"FILE": enough, "FEW": few}
    result = tuning("tune", *(files.get(one, one) for one in asked))
    assert result.exit_code == status and said in result.stderr
    assert document(tuning("jobs", "--json")) == {"jobs": []}


def test_a_file_without_preferences_is_one_sentence(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text('{"messages": []}\n')
    result = run("preferences", "import", file)
    assert result.exit_code == 1 and "holds no preference" in result.stderr
