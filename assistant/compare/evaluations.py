"""Evaluations on disk: their plans, their progress and their results. It runs nothing.

Each has a folder under `evaluations/`: `plan.json` from the start, `result.json` at the end; its presence means
complete. All share one cache of answers, so that an interrupted evaluation goes on where it was.
"""

import json
import shutil
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from assistant.chat.turn import AnswerOptions
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.judge import JudgeChoice
from assistant.compare.questions import Question
from assistant.compare.results import EvaluationResult
from assistant.compare.variants import Variant, options_from_dict
from assistant.errors import CompareError
from assistant.storage import write_json

Plans = list["EvaluationPlan"]


@dataclass(frozen=True)
class EvaluationPlan:
    """Which questions are asked, which variants answer them, and with which defaults."""

    id: str
    name: str
    variants: tuple[Variant, ...]
    questions: tuple[Question, ...]
    defaults: AnswerOptions
    created: float = 0.0
    # Answers so far, and whether the result is there.
    done: int = 0
    is_complete: bool = False
    # None where no model judges.
    judge: JudgeChoice | None = None

    @property
    def total(self) -> int:
        """How many answers it takes."""
        return len(self.variants) * len(self.questions)


class Evaluations:
    """The evaluations of a home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "evaluations"

    @property
    def verdicts_path(self) -> Path:
        """The file of all judges' verdicts."""
        return self.folder / "verdicts.jsonl"

    def answer_cache(self) -> AnswerCache:
        """The answers that were given before."""
        return AnswerCache(self.folder / "answers.jsonl")

    def create(
        self,
        name: str,
        variants: Sequence[Variant],
        questions: Sequence[Question],
        defaults: AnswerOptions,
        judge: JudgeChoice | None = None,
    ) -> EvaluationPlan:
        """Write the plan of a new evaluation. Raises CompareError."""
        if not variants or not questions:
            raise CompareError("An evaluation needs at least one variant and one question. Choose both.")
        stamp = time.strftime("%Y%m%d-%H%M%S")
        plan = EvaluationPlan(
            id=self._free(f"{stamp}-{_slug(name)}"),
            name=name.strip() or "Evaluation",
            variants=tuple(variants),
            questions=tuple(questions),
            defaults=defaults,
            created=time.time(),
            judge=judge,
        )
        self._write(plan)
        return plan

    def record_progress(self, plan_id: str, done: int) -> None:
        """Write how many answers there are; for display only, since the cache decides what is asked again."""
        write_json(self.folder / plan_id / "progress.json", {"done": done}, CompareError)

    def finish(self, plan_id: str, result: EvaluationResult) -> Path:
        """Keep the result. Returns its file."""
        path = self.folder / plan_id / "result.json"
        write_json(path, result.to_dict(), CompareError)
        return path

    def list(self) -> Plans:
        """All evaluations, newest first; folders that cannot be read are left out."""
        found = []
        for path in self.folder.glob("*/plan.json"):
            try:
                found.append(self.get(path.parent.name))
            except CompareError:  # reported where it is opened
                continue
        return sorted(found, key=lambda plan: plan.created, reverse=True)

    def get(self, plan_id: str) -> EvaluationPlan:
        """One evaluation. Raises CompareError."""
        folder = self.folder / plan_id
        record = _read(folder / "plan.json")
        progress = folder / "progress.json"
        try:
            return EvaluationPlan(
                id=plan_id,
                name=str(record["name"]),
                variants=tuple(Variant.from_dict(variant) for variant in record["arms"]),
                questions=tuple(Question.from_dict(question) for question in record["questions"]),
                defaults=options_from_dict(record["common"]),
                created=float(record["created"]),
                done=int(_read(progress)["done"]) if progress.exists() else 0,
                is_complete=(folder / "result.json").exists(),
                judge=JudgeChoice(**record["judge"]) if record.get("judge") else None,
            )
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CompareError(
                f"{folder} is damaged: a value in it is missing or of another kind. Delete the folder."
            ) from error

    def result(self, plan_id: str) -> EvaluationResult:
        """The result of an evaluation. Raises CompareError where it has not ended or is damaged."""
        folder = self.folder / plan_id
        record = _read(folder / "result.json")
        try:
            return EvaluationResult.from_dict(record)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise CompareError(
                f"{folder} is damaged: a value in it is missing or of another kind. Delete the folder."
            ) from error

    def delete(self, plan_id: str) -> None:
        """Remove an evaluation; its answers stay in the cache."""
        self.get(plan_id)
        shutil.rmtree(self.folder / plan_id, ignore_errors=True)

    def _write(self, plan: EvaluationPlan) -> None:
        record = {
            "name": plan.name,
            "arms": [variant.to_dict() for variant in plan.variants],
            "questions": [question.to_dict() for question in plan.questions],
            "common": asdict(plan.defaults),
            "created": plan.created,
            "judge": None if plan.judge is None else plan.judge.to_dict(),
        }
        write_json(self.folder / plan.id / "plan.json", record, CompareError)

    def _free(self, wanted: str) -> str:
        number, name = 1, wanted
        while (self.folder / name).exists():
            number += 1
            name = f"{wanted}-{number}"
        return name


def _slug(name: str) -> str:
    text = unicodedata.normalize("NFC", name).strip().casefold()
    return "".join(letter if letter.isalnum() else "-" for letter in text)[:40].strip("-") or "evaluation"


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CompareError(
            f"There is no {path.name} in {path.parent}; the evaluation was deleted, or has not ended."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise CompareError(f"{path} cannot be read ({error}). Delete the folder.") from error
    if not isinstance(record, dict):
        raise CompareError(f"{path} holds no object. Delete the folder.")
    return record
