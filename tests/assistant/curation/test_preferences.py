"""Preferences: votes and corrections become pairs of a better and a worse answer."""

from pathlib import Path

from assistant.curation.preferences import preferences_of
from assistant.history.preferences import PreferenceStore
from assistant.history.records import NewPreference
from tests.assistant.curation.test_from_chat import chat


def test_corrections_and_votes_become_preferences(tmp_path: Path) -> None:
    store = PreferenceStore(tmp_path / "c.sqlite3")
    store.add(NewPreference(prompt=[{"role": "user", "content": "Q"}], chosen="good", rejected="bad"))
    found = preferences_of([chat("How heavy?", ("2 kg.", {"correction": "3 kg."}))], store.list())
    assert [(pair.chosen, pair.rejected) for pair in found] == [("good", "bad"), ("3 kg.", "2 kg.")]
    store.close()


def test_a_correction_that_changes_nothing_is_no_preference() -> None:
    assert preferences_of([chat("How heavy?", ("2 kg.", {"correction": "2 kg"}))]) == []
    asked = chat("Who?", "Bo.", "How heavy?", ("2 kg.", {"correction": "3 kg."}))
    (pair,) = preferences_of([asked])
    assert [message["content"] for message in pair.prompt] == ["Who?", "Bo.", "How heavy?"]
