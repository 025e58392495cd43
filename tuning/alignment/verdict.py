"""Whether what learned from preferences is offered: did it learn them, and is everything else still there?

The limits on forgetting are those of `tuning.evaluation.verdict`; it words nothing for a person.
"""

from collections.abc import Mapping
from typing import Any

from tuning.evaluation.verdict import MAX_READING_LOST, MIN_KEPT, MIN_LEARNED, Problem, TuningVerdict

MIN_FACTS_KEPT = 0.85  # of what the parent knew of earlier rounds


def judge_policy(evaluation: Mapping[str, Any], *, strength: str) -> TuningVerdict:
    """The verdict on a checkpoint that answers, by its report on preferences and on memory."""
    problems: list[Problem] = []
    found = evaluation["preferences"]
    accuracy = found["implicit"] if found["implicit"]["n"] else found["judged"]
    if accuracy["n"] and accuracy["after"] < MIN_LEARNED:
        problems.append("learned little")
    earlier = evaluation.get("earlier")
    forgot = earlier is not None and earlier["after"] < MIN_FACTS_KEPT * earlier["before"]
    if forgot or evaluation["retention"]["kept"] < MIN_KEPT:
        problems.append("forgot much")
    reading = evaluation["reading"]
    if reading["before"] - reading["after"] > MAX_READING_LOST:
        problems.append("reads worse")
    if not problems:
        return TuningVerdict((), None)
    if problems == ["learned little"]:
        return TuningVerdict(tuple(problems), "more examples" if strength == "strong" else "stronger")
    return TuningVerdict(tuple(problems), "gentler")


def judge_reward(report: Mapping[str, Any]) -> TuningVerdict:
    """The verdict on a reward model, by its accuracy on the pairs that were kept aside."""
    if report["pairs"]["after"] < MIN_LEARNED:
        return TuningVerdict(("learned little",), "more examples")
    return TuningVerdict((), None)
