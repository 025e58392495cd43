"""Evaluations on disk: what is asked of whom, whether it ended, and what came of it. It runs nothing.

A folder each under `evaluations/`: `plan.json` from the start, `result.json` at the end; its presence means
complete. Answers are in one cache for all, so that an interrupted one goes on where it was.
"""

import json
import shutil
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from assistant.chat.turn import AnswerOptions
from assistant.compare.answer_cache import AnswerCache
from assistant.compare.questions import Question
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from assistant.storage import write_json

Plans = list["EvaluationPlan"]


@dataclass(frozen=True)
class EvaluationPlan:
    """What an evaluation asks, of whom, and how."""

    id: str
    name: str
    arms: tuple[Variant, ...]
    questions: tuple[Question, ...]
    common: AnswerOptions
    created: float = 0.0
    # Answers so far, and whether the result is there.
    done: int = 0
    is_complete: bool = False
    # The judge's choice as JSON; None where nobody judges.
    judge: dict[str, Any] | None = field(default=None)

    @property
    def total(self) -> int:
        """How many answers it takes."""
        return len(self.arms) * len(self.questions)


class Evaluations:
    """The evaluations of a home."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "evaluations"

    def cache(self) -> AnswerCache:
        """The answers that were given before."""
        return AnswerCache(self.folder / "answers.jsonl")

    def create(
        self,
        name: str,
        arms: Sequence[Variant],
        questions: Sequence[Question],
        common: AnswerOptions,
        judge: dict[str, Any] | None = None,
    ) -> EvaluationPlan:
        """Write down what will be asked. Raises CompareError."""
        if not arms or not questions:
            raise CompareError("An evaluation needs at least one arm and one question. Choose both.")
        stamp = time.strftime("%Y%m%d-%H%M%S")
        plan = EvaluationPlan(
            id=self._free(f"{stamp}-{_slug(name)}"),
            name=name.strip() or "Evaluation",
            arms=tuple(arms),
            questions=tuple(questions),
            common=common,
            created=time.time(),
            judge=judge,
        )
        self._write(plan)
        return plan

    def note(self, plan_id: str, done: int) -> None:
        """Write down how far it is; only for the eye, the cache knows better."""
        write_json(self.folder / plan_id / "progress.json", {"done": done}, CompareError)

    def finish(self, plan_id: str, result: dict[str, Any]) -> Path:
        """Keep the result. Returns its file."""
        path = self.folder / plan_id / "result.json"
        write_json(path, plain(result), CompareError)
        return path

    def list(self) -> Plans:
        """All evaluations, newest first; folders that cannot be read are left out."""
        found = []
        for path in self.folder.glob("*/plan.json"):
            try:
                found.append(self.get(path.parent.name))
            except CompareError:  # told where it is opened
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
                arms=tuple(Variant.from_dict(arm) for arm in record["arms"]),
                questions=tuple(Question.from_dict(question) for question in record["questions"]),
                common=AnswerOptions(
                    **{**record["common"], "few_shot": tuple(record["common"].get("few_shot", ()))}
                ),
                created=float(record["created"]),
                done=int(_read(progress)["done"]) if progress.exists() else 0,
                is_complete=(folder / "result.json").exists(),
                judge=record.get("judge"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CompareError(f"{folder} is damaged ({error!r}). Delete the folder.") from error

    def result(self, plan_id: str) -> dict[str, Any]:
        """What came of it. Raises CompareError where it has not ended."""
        return _read(self.folder / plan_id / "result.json")

    def delete(self, plan_id: str) -> None:
        """Remove an evaluation; the answers stay known."""
        self.get(plan_id)
        shutil.rmtree(self.folder / plan_id, ignore_errors=True)

    def _write(self, plan: EvaluationPlan) -> None:
        record = {
            "name": plan.name,
            "arms": [arm.to_dict() for arm in plan.arms],
            "questions": [question.to_dict() for question in plan.questions],
            "common": asdict(plan.common),
            "created": plan.created,
            "judge": plan.judge,
        }
        write_json(self.folder / plan.id / "plan.json", record, CompareError)

    def _free(self, wanted: str) -> str:
        number, name = 1, wanted
        while (self.folder / name).exists():
            number += 1
            name = f"{wanted}-{number}"
        return name


def plain(value: Any) -> Any:
    """What JSON holds everywhere: a number that is none becomes null."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value


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
    except (OSError, ValueError) as error:
        raise CompareError(f"{path} cannot be read ({error}). Delete the folder.") from error
    if not isinstance(record, dict):
        raise CompareError(f"{path} holds no object. Delete the folder.")
    return record
