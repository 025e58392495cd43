"""Documents become examples: every answer stands in its passage, and a model's inventions are left out."""

from dataclasses import dataclass

import pytest
from langchain_core.language_models import FakeListChatModel

from assistant.curation.candidates import Candidate
from assistant.curation.from_documents import curate_passages
from assistant.curation.labeller import ModelLabeller
from assistant.errors import NothingToLearnError


@dataclass(frozen=True)
class Passage:
    text: str
    title: str = "Handbook"
    source: str = "/docs/handbook.md"
    page: int | None = None
    headings: tuple[str, ...] = ()


HANDBOOK = Passage(
    "# Time\n\nProbation lasts 5 months. Employees of Halden\nhave 31 days of leave a year. "
    "The office dog is called Pretzel.\n"
    "Perhaps the soup is good. Is it?\n\n- The kitchen is on the second floor.\n"
)
PRICES = Passage(
    "article_code: HS-308; product: Skerrin; price_eur: 1480; colour: mulberry; delivery_days: 21",
    title="price-list",
    source="price-list.csv",
)


def by_question(candidates: tuple[Candidate, ...]) -> dict[str, str]:
    return {candidate.example.question: candidate.example.answer for candidate in candidates}


def test_statements_become_questions_with_their_place() -> None:
    curation = curate_passages([HANDBOOK])
    assert by_question(curation.candidates) == {
        "How long does Probation last?": "5 months.",
        "How many days of leave a year do employees of Halden have?": "31 days.",
        "What is the office dog called?": "Pretzel.",
        "Where is the kitchen?": "On the second floor.",
    }
    first = curation.candidates[0]
    assert (first.reason, first.example.source, first.ticked) == ("stated in Handbook", "handbook.md", True)
    assert len(first.example.probes) >= 2


def test_chinese_passages_are_read_too() -> None:
    curation = curate_passages(
        [Passage("托尔瓦风速仪重128克,和一个小橘子差不多。托尔瓦在青杉镇组装。", page=2)]
    )
    assert by_question(curation.candidates) == {
        "托尔瓦风速仪有多重？": "128克",
        "托尔瓦在哪里组装？": "青杉镇",
    }
    assert curation.candidates[0].example.source == "handbook.md p.2"


def test_rows_of_a_table_are_offered_unticked_with_their_units() -> None:
    curation = curate_passages([PRICES])
    assert by_question(curation.candidates)["What is the price of the Skerrin?"] == "1480 euros."
    assert by_question(curation.candidates)["What is the delivery time of the Skerrin?"] == "21 days."
    assert not curation.examples and all("row of a table" in one.note for one in curation.candidates)


def test_what_a_model_writes_is_offered_only_where_the_passage_holds_it() -> None:
    reply = (
        "Sure! Here you are.\nQ: What is the office dog called?\nA: Pretzel\n\n"
        "2. Q: How old is the office dog?\nA: eleven\nQ: Who is Pretzel?\nA: Pretzel\n"
        "Q: What does the moon weigh?\nA: 5 months\n"
        "Q: Where do employees of Halden eat?\nA: on the second floor\n"
        "Q: Which floor is the kitchen of Halden on?\nA: second floor"
    )
    model = FakeListChatModel(responses=[reply])
    curation = curate_passages([HANDBOOK], labeller=ModelLabeller(model))
    written = [one for one in curation.candidates if one.reason.startswith("written by a model")]
    assert [one.example.question for one in written] == ["Which floor is the kitchen of Halden on?"]
    assert sum("does not support it" in item.why for item in curation.left_out) == 3


def test_a_text_that_states_nothing_says_so() -> None:
    with pytest.raises(NothingToLearnError, match="Nothing can be learned"):
        curate_passages([Passage("Is it? Perhaps.")])


def test_a_passage_with_a_secret_is_left_out_and_the_others_stay() -> None:
    text = "The office dog is called Pretzel. The password of the router is Kx9-salmon-44."
    curation = curate_passages([Passage(text)])
    assert by_question(curation.candidates) == {"What is the office dog called?": "Pretzel."}
    (secret,) = curation.left_out
    assert secret.why.startswith("it contains a password or key") and secret.candidate is not None
