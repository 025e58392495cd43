"""What a training run made, and how it went."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TrainResult:
    """What a run made: the adapter's folder, and how it went."""

    adapter: Path  # a folder with the adapter's files and nothing else
    stopped: bool  # asked to stop before its end
    early: bool  # ended early because everything was known
    steps: int
    tokens: int  # computed on
    seconds: float
    loss: float  # over the last pass
    learned: float  # share of the examples that are known in wordings kept out of training
    examples: int
    shortened: int  # examples that lost their oldest turns to the window
    dropped: int  # examples that did not fit the window at all
    memory_bytes: int  # at most, while training
    probe: dict[str, Any]  # a question, and what the checkpoint must answer to it
    validated: int = 0  # examples kept out of training to choose the best state by
    validation_loss: float | None = None  # a token of their answers, in the state that is kept
    best_step: int | None = None  # where that state was reached

    @property
    def tokens_per_second(self) -> float:
        """Tokens computed on, a second."""
        return self.tokens / max(self.seconds, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """How it went, as JSON types."""
        return asdict(self) | {"adapter": str(self.adapter), "tokens_per_second": self.tokens_per_second}

    def save(self, folder: Path) -> None:
        """Copy the adapter's files into a folder that exists."""
        for file in sorted(self.adapter.iterdir()):
            shutil.copy2(file, folder / file.name)
