"""A labelling model: what it writes is asked back, and each text is read once."""

from collections.abc import Sequence
from contextvars import copy_context

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from assistant.curation.candidates import UNJUDGED
from assistant.curation.chat_reading import DOUBTFUL
from assistant.curation.from_chat import curate
from assistant.curation.labeller import (
    CollectingLabeller,
    LabellersInTurn,
    ModelLabeller,
    RememberingLabeller,
)
from assistant.curation.stated_facts import stated_facts
from assistant.i18n.texts import translated, use_language
from assistant.language.text import has_chinese
from tests.assistant.curation.chats import chat

TEXT = "Watering the ferns in the hall shall from now on fall to Bo."
PAIRS = "Q: Who shall water the ferns of the hall?\nA: Bo\nQ: Where are the ferns?\nA: in the hall"


def test_what_the_model_answers_otherwise_when_asked_back_is_dropped() -> None:
    model = FakeListChatModel(responses=[PAIRS, "It falls to Bo.", "On the roof."])
    assert ModelLabeller(model)(TEXT) == [("Who shall water the ferns of the hall?", "Bo")]


def test_chinese_is_asked_back_in_chinese() -> None:
    model = FakeListChatModel(
        responses=["Q: 谁给大厅浇花？\nA: 小林\nQ: 花在哪里？\nA: 大厅", "小林。", "屋顶"]
    )
    assert ModelLabeller(model)("大厅的花今后由小林浇。") == [("谁给大厅浇花？", "小林")]


def test_a_reply_without_the_form_gives_nothing() -> None:
    assert ModelLabeller(FakeListChatModel(responses=["None."]))("Thanks!") == []


def test_reasoning_is_no_part_of_what_was_written() -> None:
    thought = "<think>Q: Who is it?\nA: Ada</think>\nQ: Who waters the ferns?\nA: Bo"
    assert ModelLabeller(FakeListChatModel(responses=[thought, "Bo"]))(TEXT) == [
        ("Who waters the ferns?", "Bo")
    ]


def test_each_text_is_read_once() -> None:
    read: list[str] = []

    def labeller(text: str) -> Sequence[tuple[str, str]]:
        read.append(text)
        return [("Who?", "Bo")]

    remembering = RememberingLabeller(labeller)
    assert not remembering.knows(TEXT) and remembering.knows_nothing
    assert remembering(TEXT) == remembering(TEXT) == [("Who?", "Bo")]
    assert read == [TEXT] and remembering.knows(TEXT) and not remembering.knows_nothing


def test_statements_alone_are_given_to_the_model() -> None:
    collecting = CollectingLabeller()
    said = chat("The Tern weighs 3 kg.", "Noted.", TEXT, "Noted.", "Who is Bo?", "A gardener.")
    curate([said], labeller=collecting)
    assert collecting.texts == ["The Tern weighs 3 kg.", TEXT]


def test_a_model_adds_what_no_rule_found_in_a_message_and_nothing_twice() -> None:
    def labeller(text: str) -> Sequence[tuple[str, str]]:
        return [
            ("What does the Tern weigh?", "3 kg"),
            ("In which colour is the Tern painted?", "moss green"),
            ("What colour is the Tern painted?", "Moss green."),
            ("Who painted the Tern?", "Ada"),
        ]

    message = "The Tern weighs 3 kg. Painted moss green, as ever."
    assert [(one.answer, one.by_model) for one in stated_facts(message)] == [("3 kg.", False)]
    found = stated_facts(message, labeller)
    assert [(one.answer, one.by_model) for one in found] == [("3 kg.", False), ("moss green", True)]
    assert [one.answer for one in stated_facts(message, labeller, by_rules=False)] == ["3 kg", "moss green"]


def test_what_a_model_wrote_is_offered_and_not_ticked() -> None:
    model = FakeListChatModel(responses=[PAIRS, "Bo", "In the hall"])
    found = curate([chat(TEXT, "Noted.")], labeller=ModelLabeller(model))
    assert {one.kind for one in found.candidates} == {"written"} <= set(UNJUDGED)
    assert found.candidates and not found.examples


class FoundInTexts:
    """A reader of English that finds these pairs."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self.pairs = pairs

    def __call__(self, text: str) -> Sequence[tuple[str, str]]:
        return self.pairs if self.reads(text) else []

    def reads(self, text: str) -> bool:
        return text.isascii()


SAID = "The north hall opens at 7:45."


@pytest.mark.parametrize(
    ("said", "pairs", "ticked"),
    [
        (SAID, [("When does the hall open?", "at 7:45")], True),
        (SAID, [("Which hall opens?", "north")], False),
        (SAID, [], False),
        ("北厅早上7:45开门。", [], True),  # it does not read Chinese: nothing speaks against the rule
    ],
)
def test_what_a_rule_found_is_ticked_unless_the_reader_finds_no_such_answer(
    said: str, pairs: list[tuple[str, str]], ticked: bool
) -> None:
    labeller = RememberingLabeller(LabellersInTurn(FoundInTexts(*pairs)))
    by_rule = next(
        one for one in curate([chat(said, "Noted.")], labeller=labeller).candidates if one.kind == "said"
    )
    assert by_rule.ticked == ticked
    assert (by_rule.note == DOUBTFUL) != ticked


def test_a_model_that_writes_pairs_is_no_check() -> None:
    (by_rule,) = curate([chat(SAID, "Noted.")], labeller=RememberingLabeller(lambda text: [])).candidates
    assert by_rule.ticked and not by_rule.note


def test_the_doubt_is_said_in_chinese_as_well() -> None:
    def in_chinese() -> str:
        use_language("zh")
        return translated(DOUBTFUL)

    assert has_chinese(copy_context().run(in_chinese))
