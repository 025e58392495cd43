"""Questions from files and tables: what is read, what is refused, what stands or falls together."""

from pathlib import Path

import pytest

from assistant.compare.question_sets import QuestionSets
from assistant.compare.questions import Question, clusters_of, of_rows, parse, read_questions, to_jsonl
from assistant.errors import CompareError


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


def test_questions_keep_what_else_their_line_holds(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes('\ufeff{"question": "多重？", "answers": ["640 克"], "slice": "中文"}\n\n'.encode())
    (question,) = read_questions(file)
    assert (question.text, question.about) == ("多重？", {"slice": "中文"})


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
