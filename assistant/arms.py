"""Arms: the ways to answer that are compared, and the questions file that they answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assistant.chat import How
from assistant.errors import CompareError

BASE, RAG = "base", "rag"


@dataclass(frozen=True)
class Arm:
    """One way to answer: with documents or without, by a checkpoint or the base."""

    name: str
    documents: bool = False
    checkpoint: str | None = None

    def how(self, common: How) -> How:
        """The arm's way to answer, everything else as in `common`."""
        if self.checkpoint is None:
            memory = "documents" if self.documents else "nothing"
        else:
            memory = "both" if self.documents else "checkpoint"
        return replace(common, memory=memory, checkpoint=self.checkpoint)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Question:
    """A question, the answers that count, and whatever else its line holds (a fact, a slice…)."""

    text: str
    answers: tuple[str, ...]
    about: dict[str, Any] = field(default_factory=dict)


def parse_arms(text: str, checkpoints: Sequence[str]) -> tuple[Arm, ...]:
    """The arms of `base,rag,NAME,NAME+rag`. Raises CompareError for a name that is no checkpoint."""
    names = [" ".join(name.split()) for name in text.split(",") if name.strip()]
    arms = tuple(_arm(name, checkpoints) for name in names)
    if not arms:
        raise CompareError(f"No arm in {text!r}. Give some of base, rag, NAME, NAME+rag.")
    if len(set(arms)) < len(arms):
        raise CompareError(f"An arm is named twice in {text!r}. Name each once.")
    return arms


def _arm(name: str, checkpoints: Sequence[str]) -> Arm:
    if name in (BASE, RAG):
        return Arm(name, documents=name == RAG)
    checkpoint, plus, memory = name.rpartition("+")
    documents = bool(plus) and memory.strip() == RAG
    checkpoint = checkpoint.strip() if documents else name
    if checkpoint == BASE and documents:
        return Arm(name, documents=True)
    if checkpoint not in checkpoints:
        known = ", ".join(checkpoints) or "none yet"
        raise CompareError(
            f"Arm {name!r} names no checkpoint of the open model. There are: {known}. "
            "An arm is base, rag, NAME or NAME+rag."
        )
    return Arm(f"{checkpoint}+{RAG}" if documents else checkpoint, documents, checkpoint)


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSONL file. Raises CompareError naming the line that is wrong."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CompareError(
            f"The questions file {path} cannot be read ({error}). Give a UTF-8 JSONL file."
        ) from error
    questions = [
        _question(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    ]
    if not questions:
        raise CompareError(f'{path} holds no question. Each line is {{"question": …, "answers": […]}}.')
    return questions


def _question(line: str, place: str) -> Question:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise CompareError(f"{place}: not JSON ({error.msg}). Each line is one object.") from error
    if not isinstance(record, dict) or not isinstance(record.get("question"), str):
        raise CompareError(f'{place}: no "question" text in it.')
    answers = record.get("answers", record.get("answer"))
    answers = [answers] if isinstance(answers, str) else answers
    if not isinstance(answers, list) or not answers or not all(isinstance(one, str) for one in answers):
        raise CompareError(f'{place}: "answers" must be a list of texts, and is {answers!r}.')
    text = record["question"].strip()
    if not text:
        raise CompareError(f"{place}: the question is empty.")
    about = {key: value for key, value in record.items() if key not in ("question", "answers", "answer")}
    return Question(text, tuple(answers), about)
