"""Transcripts: chats as text, with the name of who speaks before each turn."""

import json
from pathlib import Path

import pytest

from tests.tuning.data.test_importers import put
from tuning.data.importers import import_file
from tuning.errors import ExampleError

TURNS = ["How heavy is it?", "It weighs\n\n640 grams: a lot.", "And the cable?", "Two metres."]


def said(text: str, tmp_path: Path) -> list[list[str]]:
    result = import_file(put(tmp_path, text))
    assert result.format == "transcript"
    return [[message["content"] for message in one.messages] for one in result.conversations]


@pytest.mark.parametrize(
    "names",
    [
        ("User: ", "Assistant: "), ("Human:\n", "AI:\n"), ("**You:** ", "**ChatGPT:** "), ("Q: ", "A: "),
        ("## User\n\n", "## Assistant\n\n"), ("### Human: ", "### Assistant: "), ("用户：", "助手："),
        ("USER : ", "GPT-4o : "), ("> **User**: ", "> **Bot**: "),
    ],
)  # fmt: skip
def test_names_before_turns_divide_a_chat(names: tuple[str, str], tmp_path: Path) -> None:
    text = "\n\n".join(names[at % 2] + turn for at, turn in enumerate(TURNS))
    assert said(text, tmp_path) == [TURNS]


def test_a_column_of_transcripts_is_read(tmp_path: Path) -> None:
    rows = [
        {"text": f"### Human: {TURNS[0]}### Assistant: {TURNS[1]}</s>"},
        {"text": "\n\nHuman: a\n\nAssistant: b"},
    ]
    assert said("\n".join(json.dumps(row) for row in rows), tmp_path) == [TURNS[:2], ["a", "b"]]


def test_lines_of_dashes_divide_chats_and_not_an_answer(tmp_path: Path) -> None:
    text = "System: Be brief.\nUser: a\nAssistant: b\n---\nmore of b\n---\nUser: c\nAssistant: d\nUser: unanswered"
    assert said(text, tmp_path) == [["Be brief.", "a", "b\n---\nmore of b"], ["c", "d"]]


def test_other_names_within_a_turn_are_text(tmp_path: Path) -> None:
    answer = "In the play:\nBot: Hello.\nAnswer: Anna did."
    text = f"User: Who said it?\nAssistant: {answer}\nUser: Thanks\nAssistant: You are welcome."
    assert said(text, tmp_path)[0][1] == answer


@pytest.mark.parametrize(
    "text", ["User: a question\n", "Note: a text\nwith a colon\n", "Assistant: hi\nUser: hi\n"]
)
def test_a_text_without_question_and_answer_is_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="in no known format"):
        import_file(put(tmp_path, text))
