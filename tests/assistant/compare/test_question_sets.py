"""Question sets: kept by name, built from documents and from what was taught."""

from pathlib import Path

import pytest

from assistant.compare.question_sets import QuestionSets, accepted, from_passages, from_taught
from assistant.compare.questions import Question
from assistant.errors import CompareError
from knowledge.ingest.chunking import Passage
from tuning.data.examples import Example


def example(question: str, answer: str, *probes: str) -> Example:
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return Example(messages, probes=probes)


def test_sets_are_kept_by_name_and_refuse_what_is_none(tmp_path: Path) -> None:
    sets = QuestionSets(tmp_path)
    reading = sets.save(
        "  our   set ", [Question("a", ("x",)), Question("A?", ("x",)), Question("b", ("y",))]
    )
    assert (len(reading.questions), len(reading.problems)) == (2, 1)
    assert sets.list() == ["our set"]
    assert sets.read("our set").questions == reading.questions
    with pytest.raises(CompareError, match="cannot be named"):
        sets.save("../x", [Question("a", ("x",))])
    with pytest.raises(CompareError, match="no question"):
        sets.save("empty", [])
    sets.delete("our set")
    with pytest.raises(CompareError, match="There are: none"):
        sets.read("our set")


def passage(text: str, source: str = "sheet.md") -> Passage:
    return Passage("1", text, source, "Sheet", None, (), 0, len(text), "d")


def test_documents_become_questions_with_their_passage_and_kind() -> None:
    text = "The Skerrin weighs 640 grams. The Skerrin is made in Norvik."
    taught = [example("How much does the Skerrin weigh?", "640 grams.")]
    questions = from_passages([passage(text)], taught)
    by_text = {question.text: question for question in questions}
    weight = by_text["How much does the Skerrin weigh?"]
    assert weight.slice == "training" and weight.passage == text and weight.about["document"] == "sheet.md"
    others = [question for question in questions if question.about["fact"] == weight.text]
    assert {question.slice for question in others} == {"training", "rephrased"}
    assert any(question.slice == "not taught" and "Norvik" in question.answers[0] for question in questions)
    with pytest.raises(CompareError, match="No statement"):
        from_passages([passage("Hello there!")])


def test_what_was_taught_becomes_a_set_with_general_questions() -> None:
    questions = from_taught([example("What is it called?", "It is Whisker.", "Which name has it?")])
    slices = [question.slice for question in questions]
    assert slices[:2] == ["training", "rephrased"] and slices.count("general") > 20
    assert questions[0].answers == ("It is Whisker", "Whisker")
    assert {question.slice for question in from_taught([example("Why?", "So.")], general=False)} == {
        "training"
    }


@pytest.mark.parametrize(
    ("said", "counted"),
    [("640 grams.", ("640 grams",)), ("In Norvik.", ("In Norvik", "Norvik")), ("640 克。", ("640 克",))],
)
def test_the_full_stop_of_an_answer_is_not_asked_for(said: str, counted: tuple[str, ...]) -> None:
    assert accepted(said) == counted


def test_a_set_that_contradicts_itself_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="Line 2: the question of line 1 with other answers"):
        QuestionSets(tmp_path).save("x", [Question("How heavy?", ("1",)), Question("How heavy?", ("2",))])
    assert QuestionSets(tmp_path).list() == []
