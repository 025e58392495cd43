"""The command line: help, exit status, and one line for whatever goes wrong."""

import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from assistant.cli.main import imprint
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run


@pytest.mark.parametrize("name", list(imprint.commands))
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(imprint, [name, "--help"])
    assert result.exit_code == 0
    assert f"Example: imprint {name}" in result.output
    command = imprint.commands[name]
    assert command.help and all(p.help for p in command.params if isinstance(p, click.Option))


@pytest.mark.parametrize("group", ["chats", "checkpoints", "preferences"])
def test_every_command_of_a_group_has_help_with_an_example(group: str) -> None:
    commands = imprint.commands[group].commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        result = CliRunner().invoke(imprint, [group, name, "--help"])
        assert result.exit_code == 0 and f"Example: imprint {group} {name}" in result.output
        assert command.help and all(p.help for p in command.params if isinstance(p, click.Option))


def test_the_list_of_commands_is_whole_sentences() -> None:
    listed = CliRunner().invoke(imprint, ["--help"]).output
    assert "..." not in listed.partition("Commands:")[2]
    assert all(name in listed for name in imprint.commands)


def test_help_imports_nothing_heavy() -> None:
    heavy = "'torch', 'langchain_core', 'chromadb', 'pydantic', 'rich'"
    code = (
        "import sys; from assistant.cli.main import imprint; imprint(['--help'], standalone_mode=False);"
        f"print([name for name in ({heavy}) if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout and done.stdout.endswith("[]\n")


def test_the_command_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "assistant.cli", "--help"], capture_output=True, check=True)
    assert b"Commands:" in done.stdout


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("ask", " "), "The question is empty"),
        (("ask", "word " * 400), "window of 200"),
        (("ask", "Hello?", "--memory", "rag"), "There is no knowledge base 'default'. There are: none yet."),
        (("search", "Hello?", "--kb", "typo"), "There is no knowledge base 'typo'"),
        (("ask", "Hello?", "--conversation", "99"), "There is no conversation 99"),
        (("ask", "Hello?", "--preset", "Pirate"), "There is no preset 'Pirate'"),
        (("cancel", "20990101"), "20990101"),
        (("resume", "20990101"), "20990101"),
        (("tune", "--conversation", "99"), "There is no conversation 99"),
        (("chats", "show", "99"), "There is no conversation 99"),
        (("chats", "show", "9" * 30), "number larger than any conversation"),
        (("chats", "export", "99"), "There is no conversation 99"),
        (("chats", "delete", "99", "--yes"), "There is no conversation 99"),
        (("chats", "restore", "99"), "There is no conversation 99"),
        (("checkpoints", "delete", "gone", "--yes"), "There is no checkpoint 'gone'"),
        (("checkpoints", "rename", "gone", "new"), "There is no checkpoint 'gone'"),
    ],
)
def test_a_failure_is_one_line_on_standard_error(run: Run, args: tuple[str, ...], sentence: str) -> None:
    for json_flag in ((), ("--json",)):
        result = run(*args, *json_flag)
        assert result.exit_code == 1
        assert result.stdout == ""
        last = result.stderr.strip().splitlines()[-1]
        assert last.startswith("imprint: ") and sentence in last


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("asks", "x"),
        ("ask",),
        ("ask", "x", "--memory", "telepathy"),
        ("index",),
        ("search", "x", "-k", "0"),
        ("tune",),
        ("tune", "--examples", "there-is-no-such-file.jsonl"),
        ("tune", "--strength", "brutal"),
        ("compare",),
        ("export", "halden", "--format", "zip", "--output", "x"),
        ("app", "--port", "99999"),
    ],
)
def test_wrong_usage_ends_with_two(run: Run, args: tuple[str, ...]) -> None:
    assert run(*args).exit_code == 2


def test_a_setting_that_cannot_be_used_is_one_line(home: Path) -> None:
    result = CliRunner().invoke(imprint, ["jobs"], env={"IMPRINT_HOME": str(home), "IMPRINT_PORT": "many"})
    assert result.exit_code == 1
    assert "IMPRINT_PORT is 'many'" in result.stderr


def test_a_bug_is_one_line_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_it(*_: object) -> None:
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr(Workspace, "registry", property(break_it))
    result = run("checkpoints", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "something unexpected went wrong: a wheel came off." in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[]",
        "5",
        '"text"',
        "\x00",
        '{"port": ' + "[" * 500 + "]" * 500 + "}",
        '{"port": 1e999}',
        "",
    ],
)
def test_settings_that_are_none_are_one_sentence(home: Path, text: str) -> None:
    home.mkdir()
    (home / "settings.json").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(imprint, ["jobs"], env={"IMPRINT_HOME": str(home)})
    assert result.exit_code == 1 and "settings.json" in result.stderr
    assert len(result.stderr.splitlines()) == 1 and len(result.stderr) < 1000
    assert "unexpected" not in result.stderr and "Error" not in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("chats", "list"),
        ("ask", "Hello?", "--conversation", "1"),
        ("tune", "--conversation", "1"),
        ("import", "chat.json"),
    ],
)
def test_damaged_conversations_are_one_sentence_from_every_command(
    run: Run, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chat.json").write_text('{"question": "q", "answer": "a"}', encoding="utf-8")
    home.mkdir(exist_ok=True)
    (home / "conversations.sqlite3").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    result = run(*args)
    assert result.exit_code == 1 and "`imprint doctor --mend`" in result.stderr
    assert "unexpected" not in result.stderr and "Error" not in result.stderr


@pytest.mark.parametrize("name", ["prompts.json", "arms.json"])
@pytest.mark.parametrize("text", ["[" * 100_000, "[5]", "[{}]", "[[]]", "{}", "null", '[{"name": [1]}]'])
def test_damaged_choices_are_one_sentence(run: Run, home: Path, tmp_path: Path, name: str, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / name).write_text(text, encoding="utf-8")
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"question": "q", "answers": ["a"]}', encoding="utf-8")
    for args in (
        ("ask", "Hello?", "--preset", "Pirate"),
        ("compare", "--questions", questions, "--arms", "odd"),
    ):
        result = run(*args)
        assert result.exit_code == 1
        assert "unexpected" not in result.stderr and "Error" not in result.stderr


def test_a_full_disk_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/home/checkpoints/new")

    monkeypatch.setattr("tuning.checkpoints.registry.Registry.list", fill)
    result = run("checkpoints")
    assert result.exit_code == 1
    assert "/home/checkpoints/new: the disk is full. Free some space and try again" in result.stderr
