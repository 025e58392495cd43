"""English questions for answers in a message, written by the default model with an adapter that was tuned for it."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import EngineError
from tuning.config import DEFAULT_BASE
from tuning.errors import TuningError

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

ADAPTER = Path(__file__).with_name("questions")
_PROMPT = "Write a question for an answer in a message.\n\nMessage: {text}\n\nAnswer: {answer}"
_NAME = "questions"
_LONGEST = 32  # tokens


def writing_prompt(text: str, answer: str) -> str:
    """What the model is asked; it was tuned on nothing else."""
    return _PROMPT.format(text=text, answer=answer)


class QuestionWriter:
    """The default model with the adapter. Loaded at the first answer; safe between threads."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._base: BaseModel | None = None
        self._lock = threading.Lock()

    def write(self, text: str, answers: Sequence[str]) -> list[str]:
        """A question for each answer. Raises EngineError."""
        if not answers:
            return []
        prompts = [[{"role": "user", "content": writing_prompt(text, one)}] for one in answers]
        try:
            with self._lock:
                written = self._opened().complete(prompts, adapter=_NAME, max_new_tokens=_LONGEST)
        except TuningError as error:
            raise EngineError(str(error)) from error
        return [one.strip().partition("\n")[0] for one in written]

    def _opened(self) -> "BaseModel":
        if self._base is None:
            from tuning.models.adapters import read_adapter  # heavy: torch
            from tuning.models.base_model import BaseModel

            base = BaseModel.open(DEFAULT_BASE, self._home, "cpu")
            base.add_adapter(_NAME, read_adapter(ADAPTER))
            self._base = base
        return self._base
