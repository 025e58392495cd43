"""Question sets: written, imported, built from documents or from training examples."""

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
        """A set, with the problems in it. Raises CompareError where it is gone."""
        try:
            return parse(self._path(name).read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(self.list()) or "none"
            raise CompareError(
                f"The question set {name!r} cannot be read ({error}). There are: {known}."
            ) from error

    def save(self, name: str, questions: Sequence[Question]) -> QuestionFile:
        """Write a set without its repetitions, which are reported.

        Raises CompareError, also where two questions contradict each other.
        """
        kept = without_repetitions(iter(enumerate((one.to_dict() for one in questions), 1)))
        wrong = next((problem for problem in kept.problems if not problem.is_repetition), None)
        if wrong is not None:
            raise CompareError(f"Line {wrong.line}: {wrong.what}")
        if not kept.questions:
            raise CompareError(f"The set {name!r} would hold no question. Add one first.")
        write_whole(self._path(name), to_jsonl(kept.questions))
        return kept

    def delete(self, name: str) -> None:
        """Remove a set; evaluations that used it have a copy of their own."""
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
    """Questions about the statements of the passages, each with its passage, in the text's wording and in others.

    `taught` are the training examples of the checkpoints under test: their questions are the slice "training",
    rephrasings of these "rephrased", all others "not taught". Raises CompareError where no statement is found.
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
            "No statement that could be asked about was found in these documents. Write questions by hand, or "
            "import a file."
        )
    return _each_once(questions)


def from_taught(taught: Sequence[Example], *, general: bool = True) -> list[Question]:
    """The questions of training examples, as they were taught and rephrased; with `general` questions beside them."""
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
    """General knowledge that a model should keep through fine-tuning."""
    return [Question(text, tuple(answers), {"slice": GENERAL}) for text, answers in RETENTION]


def _question(example: Example, text: str, about: dict[str, str], part: str) -> Question:
    return Question(text, accepted(example.answer), {**about, "slice": part})


def accepted(answer: str) -> tuple[str, ...]:
    """The accepted answers for an answer that was taught: without its full stop, and, if short, without its lead-in.

    A long answer stays whole: which part of it matters would be a guess.
    """
    text = answer.strip().rstrip(".。!！")
    short = re.sub(r"^(?:it is|it's|they are|in|at|on|by|about|the)\s+", "", text, flags=re.IGNORECASE)
    return (text, short) if short != text and len(text.split()) <= _FEW_WORDS else (text,)


def _each_once(questions: Sequence[Question]) -> list[Question]:
    """The first question of each wording, with its slice."""
    known: dict[str, Question] = {}
    for question in questions:
        known.setdefault(normal(question.text), question)
    return list(known.values())
