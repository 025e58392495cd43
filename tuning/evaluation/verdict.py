"""Whether a checkpoint learned enough and forgot little enough to be offered, and what to try otherwise.

It judges an evaluation; it neither measures nor words anything for a person.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Problem = Literal["learned little", "forgot much", "reads worse"]
Suggestion = Literal["more examples", "stronger", "gentler", "documents"]

MIN_LEARNED = 0.6  # of what was taught, asked in other words
MIN_KEPT = 0.85  # of the general questions that the base answered rightly
MAX_READING_LOST = 0.15  # share of all questions with a context that may be lost
FEW_EXAMPLES = 4


@dataclass(frozen=True)
class TuningVerdict:
    """What is wrong with a checkpoint (nothing, where it passed), and the one thing to try."""

    problems: tuple[Problem, ...]
    suggestion: Suggestion | None

    @property
    def passed(self) -> bool:
        """Whether it is offered without a warning."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """JSON types, with `passed`."""
        return {"passed": self.passed, **asdict(self), "problems": list(self.problems)}


def judge(evaluation: Mapping[str, Any], *, examples: int, strength: str) -> TuningVerdict:
    """The verdict on an evaluation (`evaluation.evaluate`) of so many examples, tuned at this strength."""
    problems: list[Problem] = []
    asked = evaluation["rephrased"] if evaluation["rephrased"]["n"] else evaluation["recall"]
    if asked["n"] and asked["after"] < MIN_LEARNED:
        problems.append("learned little")
    if evaluation["retention"]["kept"] < MIN_KEPT:
        problems.append("forgot much")
    reading = evaluation.get("reading")
    if reading and reading["before"] - reading["after"] > MAX_READING_LOST:
        problems.append("reads worse")
    return TuningVerdict(tuple(problems), _suggestion(problems, examples, strength) if problems else None)


def _suggestion(problems: list[Problem], examples: int, strength: str) -> Suggestion:
    if problems == ["learned little"]:
        if strength != "strong":
            return "stronger"
        return "more examples" if examples < FEW_EXAMPLES else "documents"
    if "learned little" in problems or strength == "gentle":
        return "documents"
    return "gentler"
