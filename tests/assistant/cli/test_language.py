"""The command line in Chinese: help, refusals and wrong usage, where the terminal or IMPRINT_LANGUAGE asks for it."""

import click
import pytest

from assistant.cli.language import CLICK_SAYS, terminal_language
from assistant.cli.main import imprint
from assistant.i18n.texts import SENTENCES, language, translated, use_language
from tests.assistant.cli.invoke import Run


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_GB.UTF-8", "IMPRINT_LANGUAGE": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "IMPRINT_LANGUAGE": "en"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "IMPRINT_LANGUAGE": "auto"}, "zh"),
        ({}, "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_terminals(
    variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "IMPRINT_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert terminal_language() == expected


def test_help_and_refusals_are_chinese_and_the_exit_status_stays(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_LANGUAGE", "zh")
    assert "列出微调任务" in run("--help").stdout
    assert "列出、查看、导出和删除对话" in run("chats", "--help").stdout
    refused = run("chats", "show", 99)
    assert refused.exit_code == 1 and "没有对话 99" in refused.stderr
    wrong = run("jobs", "--frob")
    assert wrong.exit_code == 2 and "没有选项 '--frob'" in wrong.stderr
    assert "没有命令 'frob'" in run("chats", "frob").stderr
    assert language() == "en"  # of the program that called it
    monkeypatch.setenv("IMPRINT_LANGUAGE", "en")
    assert "List the tuning jobs" in run("--help").stdout


def first_lines(command: click.Command) -> list[str]:
    own = " ".join((command.help or "").partition("\n\n")[0].split())
    below = command.commands.values() if isinstance(command, click.Group) else ()
    return [own, *(line for one in below for line in first_lines(one))]


def test_every_command_says_what_it_does_in_chinese() -> None:
    assert [line for line in first_lines(imprint) if line not in SENTENCES["zh"]] == []


def test_what_click_says_is_translated() -> None:
    use_language("zh")
    try:
        said = [sentence.replace("{}", "x") for sentence in CLICK_SAYS]
        assert [one for one in said if translated(one) == one] == []
    finally:
        use_language("en")
