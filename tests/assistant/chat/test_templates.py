"""Saved questions: their blanks, and the file that keeps them."""

from pathlib import Path

import pytest

from assistant.chat.templates import FILE, PromptTemplate, PromptTemplates
from assistant.errors import PresetError


def test_a_blank_is_asked_for_once_and_filled_in_everywhere() -> None:
    template = PromptTemplate("Letter", "Write to {{ who }}: {{what}}. Greet {{who}}.")
    assert template.blanks == ("who", "what")
    assert template.filled({"who": "Ada", "what": "thanks"}) == "Write to Ada: thanks. Greet Ada."
    assert template.filled({"what": " "}) == "Write to {{ who }}: {{what}}. Greet {{who}}."


def test_saving_replaces_one_of_the_same_name(tmp_path: Path) -> None:
    saved = PromptTemplates(tmp_path)
    for text in ("one", "two"):
        saved.save(PromptTemplate("Name", text))
    assert [one.text for one in saved.list()] == ["two"]
    saved.delete("Name")
    assert saved.list() == []


def test_an_empty_one_and_a_damaged_file_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PresetError, match="needs a name and a text"):
        PromptTemplate(" ", "text")
    (tmp_path / FILE).write_text('{"no": "list"}', "utf-8")
    with pytest.raises(PresetError, match="Repair or delete it"):
        PromptTemplates(tmp_path).list()
