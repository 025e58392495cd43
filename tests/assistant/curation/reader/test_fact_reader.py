"""Facts that tuned models find in messages, on the shipped weights."""

from pathlib import Path

import pytest

from assistant.curation.labeller import LabellersInTurn
from assistant.curation.reader.fact_reader import FactReader
from assistant.curation.stated_facts import stated_facts


@pytest.fixture(scope="module")
def reader(imprint_home: Path) -> FactReader:
    return FactReader(imprint_home)


def test_a_message_becomes_questions_with_answers_from_it(reader: FactReader) -> None:
    message = "btw the night bus leaves from gate 14, and Teodora drives it on Fridays"
    found = reader(message)
    assert {"gate 14", "Teodora"} & {answer for _, answer in found}
    for question, answer in found:
        assert question.endswith("?") and answer in message and answer.casefold() not in question.casefold()


def test_small_talk_states_nothing(reader: FactReader) -> None:
    assert reader("Thanks, that was exactly what I needed!") == []


def test_other_languages_are_left_alone(reader: FactReader) -> None:
    assert reader("Der Nachtbus fährt seit gestern an Steig 14 ab, und freitags fährt ihn Theodora.") == []


def test_chinese_is_left_to_the_rules_without_the_multilingual_model(tmp_path: Path) -> None:
    assert FactReader(tmp_path)("夜班车从十四号门出发。") == []


def test_what_is_found_adds_to_the_rules_and_says_that_a_model_wrote_it(reader: FactReader) -> None:
    message = "My sister Ines lives in Porto. meds for dad: 20 mg ramipril in the morning"
    found = stated_facts(message, reader)
    assert any(one.by_model for one in found)
    assert len({one.answer for one in found}) == len(found)


def test_labellers_in_turn_add_what_none_before_found() -> None:
    asked = LabellersInTurn(
        lambda text: [("When is it?", "at 9:40")], lambda text: [("When?", "9:40"), ("Who runs it?", "Ida")]
    )
    assert asked("It is at 9:40, and Ida runs it.") == [("When is it?", "at 9:40"), ("Who runs it?", "Ida")]
