"""Question sets: a person's own, imported ones, those built from documents or from what was taught."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.compare.questions import Question, QuestionFile, parse, to_jsonl, without_repetitions
from assistant.curation.from_documents import PassageLike, curate_passages
from assistant.errors import CompareError, NothingToLearnError
from assistant.language.paraphrase import rephrase
from assistant.language.text import normal
from assistant.storage import write_whole
from tuning.data.examples import Example
from tuning.evaluation.retention_questions import RETENTION

TRAINING, REPHRASED, NOT_TAUGHT, GENERAL, UNKNOWN = (
    "training",
    "rephrased",
    "not taught",
    "general",
    "unknown",
)
SLICES = (TRAINING, REPHRASED, NOT_TAUGHT, GENERAL, UNKNOWN)
_FEW_WORDS = 12


class QuestionSets:
    """The sets of a home, one JSONL file each under `questions/`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "questions"

    def list(self) -> "list[str]":
        """Their names."""
        return sorted(path.stem for path in self.folder.glob("*.jsonl"))

    def read(self, name: str) -> QuestionFile:
        """A set, with what is wrong in it. Raises CompareError where it is gone."""
        try:
            return parse(self._path(name).read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(self.list()) or "none"
            raise CompareError(
                f"The question set {name!r} cannot be read ({error}). There are: {known}."
            ) from error

    def save(self, name: str, questions: Sequence[Question]) -> QuestionFile:
        """Keep a set; repetitions are dropped and told. Raises CompareError, where two contradict too."""
        reading = without_repetitions(iter(enumerate((one.to_dict() for one in questions), 1)))
        wrong = next((problem for problem in reading.problems if not problem.is_repetition), None)
        if wrong is not None:
            raise CompareError(f"Line {wrong.line}: {wrong.what}")
        if not reading.questions:
            raise CompareError(f"The set {name!r} would hold no question. Add one first.")
        write_whole(self._path(name), to_jsonl(reading.questions))
        return reading

    def delete(self, name: str) -> None:
        """Remove a set; evaluations that used it hold their own copy."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        plain = unicodedata.normalize("NFC", " ".join(name.split()))
        if (
            not plain
            or len(plain) > 80
            or re.search(r'[/\\:*?"<>|\x00-\x1f]', plain)
            or plain.startswith(".")
        ):
            raise CompareError(
                f"A question set cannot be named {name!r}. Letters, digits, spaces, '-' and '_' can name it."
            )
        return self.folder / f"{plain}.jsonl"


def from_passages(passages: Sequence[PassageLike], taught: Iterable[Example] = ()) -> list[Question]:
    """What the passages state, as questions with their passage; in the wording of the text and in others.

    `taught` are the examples of the checkpoints under test: what they hold is "training", its other wordings
    "rephrased", all else "not taught". Raises CompareError where no statement is found.
    """
    by_place = {passage.text: passage for passage in passages}
    learned = {normal(example.question) for example in taught}
    questions: list[Question] = []
    for text, passage in by_place.items():
        try:
            candidates = curate_passages([passage]).candidates
        except NothingToLearnError:
            continue
        for candidate in candidates:
            example = candidate.example
            is_taught = normal(example.question) in learned
            about = {
                "fact": example.question,
                "document": Path(passage.source).name or passage.title,
                "passage": text,
            }
            questions.append(
                _question(example, example.question, about, TRAINING if is_taught else NOT_TAUGHT)
            )
            questions += [
                _question(example, wording, about, REPHRASED if is_taught else NOT_TAUGHT)
                for wording in example.probes[:2]
            ]
    if not questions:
        raise CompareError(
            "No statement that could be asked about was found in these documents. Write questions "
            "by hand, or "
            "import a file."
        )
    return _each_once(questions)


def from_taught(taught: Sequence[Example], *, general: bool = True) -> list[Question]:
    """What a checkpoint was taught, as it was taught and in other words; and general questions beside it."""
    questions: list[Question] = []
    for example in taught:
        about = {"fact": example.question}
        questions.append(_question(example, example.question, about, TRAINING))
        wordings = example.probes or rephrase(example.question, example.answer)
        questions += [_question(example, wording, about, REPHRASED) for wording in wordings[:2]]
    if general:
        questions += general_questions()
    return _each_once(questions)


def general_questions() -> list[Question]:
    """What any model should still know."""
    return [Question(text, tuple(answers), {"slice": GENERAL}) for text, answers in RETENTION]


def _question(example: Example, text: str, about: dict[str, str], part: str) -> Question:
    return Question(text, accepted(example.answer), {**about, "slice": part})


def accepted(answer: str) -> tuple[str, ...]:
    """What counts for an answer that was taught: itself without its full stop, where it is short.

    Of a long one the sentence before the first comma would be a guess; it stays whole.
    """
    text = answer.strip().rstrip(".。!！")
    short = re.sub(r"^(?:it is|it's|they are|in|at|on|by|about|the)\s+", "", text, flags=re.IGNORECASE)
    return (text, short) if short != text and len(text.split()) <= _FEW_WORDS else (text,)


def _each_once(questions: Sequence[Question]) -> list[Question]:
    """The first of each wording; its slice counts."""
    known: dict[str, Question] = {}
    for question in questions:
        known.setdefault(normal(question.text), question)
    return list(known.values())
