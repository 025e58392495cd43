"""Questions with their accepted answers, read from JSONL, JSON or CSV; mistakes are reported by their line."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assistant.errors import CompareError
from assistant.language.text import normal

FORM = '{"question": …, "answers": […]}'
_OWN = ("question", "answers", "answer", "unknown")
_LINE_END = re.compile(r"\r\n|\r|\n")
_MIN_DOCUMENTS = 6  # with fewer, the sign-flip test cannot reach a p-value below 5 %


@dataclass(frozen=True)
class Question:
    """A question, its accepted answers, and the other fields of its line (fact, slice, passage, document…)."""

    text: str
    # Empty for an unanswerable question, where only a refusal is right.
    answers: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def is_unknown(self) -> bool:
        """Whether the question is unanswerable, so that only a refusal is right."""
        return not self.answers

    @property
    def passage(self) -> str:
        """The passage that holds the answer, where the set names it."""
        return str(self.about.get("passage") or "")

    @property
    def slice(self) -> str | None:
        """The kind of question, by which figures are also shown: training, rephrased, not taught, general…"""
        found = self.about.get("slice")
        return None if found is None else str(found)

    def to_dict(self) -> dict[str, Any]:
        """One line of a questions file."""
        answers = {"unknown": True} if self.is_unknown else {"answers": list(self.answers)}
        return {"question": self.text, **answers, **self.about}

    @classmethod
    def from_dict(cls, record: Any) -> "Question":
        """Read the JSON form. Raises CompareError saying what it lacks."""
        if not isinstance(record, dict) or not isinstance(record.get("question"), str):
            raise CompareError(f'no "question" text in it. Each line is {FORM}.')
        text = record["question"].strip()
        if not text:
            raise CompareError("the question is empty.")
        about = {key: value for key, value in record.items() if key not in _OWN}
        if record.get("unknown") is True:
            return cls(text, (), about)
        answers = record.get("answers", record.get("answer"))
        answers = [answers] if isinstance(answers, str) else answers
        if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
            raise CompareError(f'"answers" must be a list of texts, and is {answers!r}.')
        kept = tuple(one.strip() for one in answers if one.strip())
        if not kept:
            raise CompareError(
                f'"answers" holds none that counts ({answers!r}). Give one; where nobody can know, say so: '
                '"unknown": true.'
            )
        return cls(text, kept, about)


@dataclass(frozen=True)
class QuestionProblem:
    """A line that was left out, and why."""

    line: int
    what: str
    # The same question with the same answers again is harmless; anything else is a mistake.
    is_repetition: bool = False


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a text, and the lines that hold none."""

    questions: tuple[Question, ...]
    problems: tuple[QuestionProblem, ...] = ()


def read_questions(path: Path) -> list[Question]:
    """The questions of a file, each once. Raises CompareError naming the line that is wrong."""
    reading = read_file(path)
    wrong = next((problem for problem in reading.problems if not problem.is_repetition), None)
    if wrong is not None:
        raise CompareError(f"{path}, line {wrong.line}: {wrong.what}")
    if not reading.questions:
        raise CompareError(f"{path} holds no question. Each line is {FORM}.")
    return list(reading.questions)


def read_file(path: Path) -> QuestionFile:
    """The questions and the problems of a file. Raises CompareError where it is no UTF-8 text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CompareError(
            f"The questions file {path} cannot be read ({error}). Give a UTF-8 JSONL or CSV file."
        ) from error
    return parse(text)


def parse(text: str) -> QuestionFile:
    """The questions of JSONL, a JSON list, or CSV with a header; which it is, the first character decides."""
    start = text.lstrip()[:1]
    records = _json_list(text) if start == "[" else _json_lines(text) if start in ("{", "") else _table(text)
    return without_repetitions(records)


def without_repetitions(records: Iterator[tuple[int, Any]]) -> QuestionFile:
    """Drop repeated questions; the same question with other answers is a mistake."""
    kept: dict[str, tuple[int, Question]] = {}
    problems: list[QuestionProblem] = []
    for line, record in records:
        try:
            question = Question.from_dict(record) if not isinstance(record, CompareError) else None
            if question is None:
                raise record
        except CompareError as error:
            problems.append(QuestionProblem(line, str(error)))
            continue
        key = normal(question.text)
        first, known = kept.setdefault(key, (line, question))
        if known is question:
            continue
        if set(map(normal, known.answers)) == set(map(normal, question.answers)):
            problems.append(QuestionProblem(line, f"the question of line {first} again; asked once.", True))
        else:
            problems.append(
                QuestionProblem(line, f"the question of line {first} with other answers. Keep one.")
            )
    return QuestionFile(tuple(question for _, question in kept.values()), tuple(problems))


def of_rows(rows: Iterable[Mapping[Any, Any]]) -> list[Question]:
    """Questions from the rows of an editable table; empty rows are skipped. Raises CompareError for incomplete ones."""
    questions = []
    for number, row in enumerate(rows, 1):
        values = {name: "" if _is_empty(value) else value for name, value in row.items()}
        if not str(values["question"]).strip() and not str(values["answers"]).strip():
            continue
        record: dict[str, Any] = {
            "question": str(values["question"]),
            "answers": [part for part in str(values["answers"]).split("|") if part.strip()],
            "unknown": values["unknown"] is True,
        }
        if values["slice"]:
            record["slice"] = values["slice"]
        try:
            questions.append(Question.from_dict(record))
        except CompareError as error:
            raise CompareError(f"Line {number}: {error}") from error
    return questions


def _is_empty(value: object) -> bool:
    return value is None or value != value


def to_jsonl(questions: Sequence[Question]) -> str:
    """The questions as a file."""
    return "".join(json.dumps(question.to_dict(), ensure_ascii=False) + "\n" for question in questions)


def spread(questions: Sequence[Question], count: int) -> list[Question]:
    """`count` of the questions, evenly spaced over the set, since the questions of a slice are adjacent."""
    count = min(count, len(questions))
    return [questions[place * len(questions) // count] for place in range(count)]


def clusters_of(questions: Sequence[Question]) -> tuple[list[str], str]:
    """The cluster of each question, and what clusters them: "document", "fact" or "question".

    Questions about one document are not independent, those about one fact even less. Where there are too few
    documents for a test, facts are taken.
    """
    for key, fewest in (("document", _MIN_DOCUMENTS), ("fact", 1)):
        named = {str(question.about[key]) for question in questions if question.about.get(key)}
        if len(named) >= fewest:
            return [
                str(question.about.get(key) or f"question {place}")
                for place, question in enumerate(questions)
            ], key
    return [f"question {place}" for place in range(len(questions))], "question"


def _json_lines(text: str) -> Iterator[tuple[int, Any]]:
    # Not `splitlines`, which also cuts at U+2028, U+0085 and others that JSON leaves as they are.
    for number, line in enumerate(_LINE_END.split(text), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            yield number, CompareError(f"not JSON ({reason}). Each line is one object.")


def _json_list(text: str) -> Iterator[tuple[int, Any]]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CompareError(f"This begins as a JSON list and is none ({error}). Repair it.") from error
    yield from enumerate(records, 1)


def _table(text: str) -> Iterator[tuple[int, Any]]:
    """CSV: a column "question", a column "answers" (several by |), and any others."""
    delimiter = max((",", "\t", ";"), key=text.split("\n", 1)[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip().casefold() for name in next(reader, [])]
    if "question" not in names:
        raise CompareError(
            f"This is neither JSONL nor a table with a column “question” (its first line is "
            f"{_LINE_END.split(text)[0][:80]!r}). A table has the columns question and answers."
        )
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        row: dict[str, Any] = {
            name: cell.strip() for name, cell in zip(names, cells, strict=False) if cell.strip()
        }
        answers = str(row.pop("answers", row.pop("answer", "")))
        row["unknown"] = str(row.get("unknown", "")).casefold() in ("true", "1", "yes")
        yield reader.line_num, {"question": "", **row, "answers": answers.split("|")}
