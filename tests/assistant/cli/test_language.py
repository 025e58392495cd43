"""The command line in Chinese: help, refusals and wrong usage, where the terminal or IMPRINT_LANGUAGE asks for it."""

import re

import click
import pytest
from rich.cells import cell_len

from assistant.cli.help_pages import CLICK_WRITES, paragraphs_of
from assistant.cli.language import CLICK_SAYS, terminal_language
from assistant.cli.main import imprint
from assistant.i18n.texts import language, translated, use_language
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


def texts_of(command: click.Command) -> list[str]:
    """What the help of a command and of those below it says: paragraphs, examples, options."""
    options = [one.help or "" for one in command.params if isinstance(one, click.Option)]
    below = command.commands.values() if isinstance(command, click.Group) else ()
    own = [*paragraphs_of(command.help or ""), command.epilog or "", *options]
    return [*filter(None, own), *(text for one in below for text in texts_of(one))]


def test_the_whole_help_is_there_in_chinese() -> None:
    written = [*texts_of(imprint), *CLICK_WRITES]
    use_language("zh")
    try:
        english = [text for text in written if not re.search(r"[\u4e00-\u9fff]", translated(text))]
    finally:
        use_language("en")
    assert english == [] and len(written) > 200


@pytest.mark.parametrize("command", [(), ("tune",), ("chats", "list"), ("compare",)])
def test_a_chinese_help_page_has_no_english_frame_and_fits_the_terminal(
    command: tuple[str, ...], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_LANGUAGE", "zh")
    page = run(*command, "--help").stdout
    assert page.startswith("用法：imprint")
    assert not re.search("Usage|Options|Commands|default|required|Show |Example", page)
    assert max(map(cell_len, page.splitlines())) <= 100
    assert not any(line.strip()[:1] in set("，。；：）”") for line in page.splitlines() if line.strip())


def test_defaults_and_ranges_are_said_in_chinese(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRINT_LANGUAGE", "zh")
    said = run("chats", "list", "--help").stdout
    assert "[默认：200；x>=1]" in said and "--limit 整数" in said


def test_wrong_usage_is_said_in_chinese_as_a_whole(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPRINT_LANGUAGE", "zh")
    lines = run("chats", "list", "--limit", "0").stderr.splitlines()
    assert lines[0] == "用法：imprint chats list [选项]"
    assert lines[1] == "帮助请见 'imprint chats list --help'。"
    assert lines[-1].startswith("错误：") and "0" in lines[-1]


def test_what_click_says_is_translated() -> None:
    use_language("zh")
    try:
        said = [sentence.replace("{}", "x") for sentence in CLICK_SAYS]
        assert [one for one in said if translated(one) == one] == []
    finally:
        use_language("en")
