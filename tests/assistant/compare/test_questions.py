"""Questions from files and tables: what is read, what is refused, what stands or falls together."""

from pathlib import Path

import pytest

from assistant.compare.question_sets import QuestionSets, accepted, from_passages, from_taught
from assistant.compare.questions import Question, clusters_of, of_rows, parse, read_questions, to_jsonl
from assistant.errors import CompareError
from knowledge.ingest.chunking import Passage
from tuning.data.examples import Example


def example(question: str, answer: str, *probes: str) -> Example:
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    return Example(messages, probes=probes)


def test_a_question_asked_twice_is_asked_once() -> None:
    line = '{"question": "How heavy is it?", "answers": ["640 grams"]}\n'
    reading = parse(line + line.replace("How heavy is it?", "how heavy is it"))
    assert len(reading.questions) == 1
    (problem,) = reading.problems
    assert problem.is_repetition and problem.line == 2 and "line 1" in problem.what


def test_one_question_with_two_answers_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(
        '{"question": "How heavy?", "answers": ["1 kg"]}\n{"question": "How heavy?", "answers": ["2 kg"]}\n'
    )
    with pytest.raises(CompareError, match="line 2: the question of line 1 with other answers"):
        read_questions(file)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('{"question": "  ", "answers": ["x"]}', "line 1: the question is empty"),
        ('{"question": "x"}', 'line 1: "answers" must be a list'),
        ('{"question": "x", "answers": ["", " "]}', '"unknown": true'),
        ('{"question": "x", "answers": []}', '"unknown": true'),
        ('{"question": "x", "answers": [1]}', "must be a list of texts"),
        ('{"answers": ["x"]}', 'no "question" text'),
        ("{half", "not JSON"),
        ("[1", "begins as a JSON list and is none"),
        ("just words", "neither JSONL nor a table"),
        ("", "holds no question"),
    ],
)
def test_what_cannot_be_asked_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "q.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(CompareError, match=sentence):
        read_questions(file)


def test_good_lines_survive_bad_ones_on_a_page() -> None:
    reading = parse('{"question": "a", "answers": ["x"]}\n{"question": ""}\nnonsense\n')
    assert [question.text for question in reading.questions] == ["a"]
    assert [problem.line for problem in reading.problems] == [2, 3]


def test_a_table_is_read_by_its_columns() -> None:
    reading = parse(
        "Question;Answers;Slice;unknown\nHow heavy?;640 g|640 grams;general;\nWhich day?;;;true\n\n"
    )
    heavy, day = reading.questions
    assert (heavy.answers, heavy.slice) == (("640 g", "640 grams"), "general")
    assert day.is_unknown and not reading.problems


def test_a_file_holds_what_was_written() -> None:
    questions = (
        Question("多重？", ("640 克",), {"slice": "general", "passage": "它重640克。"}),
        Question("Which day?", ()),
    )
    assert parse(to_jsonl(questions)).questions == questions


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x1c"], ids=repr)
def test_a_line_separator_within_a_text_ends_no_line(tmp_path: Path, separator: str) -> None:
    question = Question(f"How{separator}heavy?", (f"640{separator}grams",), {"passage": f"a{separator}b"})
    reading = parse(to_jsonl([question, Question("Why?", ())]))
    assert reading.questions == (question, Question("Why?", ())) and not reading.problems
    QuestionSets(tmp_path).save("set", [question])
    assert QuestionSets(tmp_path).read("set").questions == (question,)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(ending: str) -> None:
    lines = ['{"question": "a", "answers": ["x"]}', "", "nonsense", '{"question": "b", "answers": ["y"]}']
    reading = parse(ending.join(lines))
    assert [question.text for question in reading.questions] == ["a", "b"]
    assert [problem.line for problem in reading.problems] == [3]


def test_questions_cluster_by_document_then_by_fact() -> None:
    of_documents = [Question(f"q{n}", ("x",), {"document": f"d{n % 6}", "fact": f"f{n}"}) for n in range(12)]
    labels, by = clusters_of(of_documents)
    assert by == "document" and len(set(labels)) == 6
    labels, by = clusters_of(of_documents[:5])  # five documents: too few for any test to tell
    assert by == "fact" and len(set(labels)) == 5
    assert clusters_of([Question("a", ("x",)), Question("b", ("x",))]) == (
        ["question 0", "question 1"],
        "question",
    )


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


def test_written_rows_are_questions_and_half_a_one_is_named() -> None:
    nothing = float("nan")  # an empty cell of the page's table
    row = {"question": "How heavy?", "answers": "640 g | 0.64 kg", "slice": "training", "unknown": False}
    empty = {"question": nothing, "answers": None, "slice": None, "unknown": nothing}
    unknown = {"question": "Why?", "answers": nothing, "slice": nothing, "unknown": True}
    heavy, why = of_rows([row, empty, unknown])
    assert (heavy.answers, heavy.slice) == (("640 g", "0.64 kg"), "training")
    assert why.is_unknown and why.slice is None
    with pytest.raises(CompareError, match="Line 2: the question is empty"):
        of_rows([row, {**empty, "answers": "yes"}])
    with pytest.raises(CompareError, match=r'Line 1: .*"unknown": true'):
        of_rows([{**empty, "question": "How wide?"}])


def test_a_set_that_contradicts_itself_is_not_saved(tmp_path: Path) -> None:
    with pytest.raises(CompareError, match="Line 2: the question of line 1 with other answers"):
        QuestionSets(tmp_path).save("x", [Question("How heavy?", ("1",)), Question("How heavy?", ("2",))])
    assert QuestionSets(tmp_path).list() == []
