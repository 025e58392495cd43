"""Watches PPO and GRPO for reward hacking: reward that rises while the answers get worse by what else is measured."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tuning.alignment.rollouts import Rollout
from tuning.storage import read_json, write_json

WATCHED = ("reward", "kl", "length", "repetition", "distinct", "ended")
MAX_KL = 0.5  # nats a token to the reference: above, small models lose what they could (arXiv 2606.27634)
MAX_REPETITION = 0.25  # share of three-token sequences that were there before in the same answer
MIN_DISTINCT = 0.5  # share of the answers, of those at the beginning
MIN_ENDED = 0.5  # share of the answers that come to an end
_WINDOW = 3  # steps that are averaged
_FILE = "watched.json"


class HackingWatch:
    """Keeps what was measured in the run's folder, so that a resumed run judges as an undisturbed one."""

    def __init__(self, folder: Path, is_resumed: bool) -> None:
        self._path = folder / _FILE
        held = read_json(self._path).get("steps", []) if is_resumed else []
        self._steps: list[dict[str, float]] = [dict(one) for one in held]

    def note(self, step: int, measures: Mapping[str, float]) -> str:
        """Keep a step's measures; why the run should end, in a sentence, or nothing."""
        self._steps = [*self._steps[:step], {name: measures[name] for name in WATCHED}]
        write_json(self._path, {"steps": self._steps})
        return hacking(self._steps) if len(self._steps) >= 2 * _WINDOW else ""

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with the last step alone."""
        return not hacking(self._steps, window=1)


def hacking(steps: Sequence[Mapping[str, float]], window: int = _WINDOW) -> str:
    """What is wrong with the last steps against the first, if their reward rose: a sentence, or nothing."""
    first, last = _mean(steps[:_WINDOW]), _mean(steps[-window:])
    if last["reward"] <= first["reward"]:
        return ""
    found = ""
    if last["repetition"] > max(MAX_REPETITION, 2 * first["repetition"]):
        found = f"its answers repeat themselves (from {first['repetition']:.0%} to {last['repetition']:.0%})"
    elif last["ended"] < MIN_ENDED < first["ended"]:
        found = f"its answers no longer end ({last['ended']:.0%} do, from {first['ended']:.0%})"
    elif last["distinct"] < MIN_DISTINCT * first["distinct"]:
        found = f"it gives the same answers to everything ({last['distinct']:.0%} differ)"
    elif last["kl"] > MAX_KL:
        found = f"it has left the model that it began as ({last['kl']:.2f} nats a token)"
    if not found:
        return ""
    return (
        f"The reward rose from {first['reward']:.2f} to {last['reward']:.2f} while {found}: the model pleases the "
        "reward model and not you. Training was ended, and the last good state is kept."
    )


def measured(rollouts: Sequence[Rollout]) -> dict[str, float]:
    """What a step's answers are like."""
    count, tokens = len(rollouts), sum(len(one.old) for one in rollouts)
    total = sum(float((one.old - one.reference).sum()) for one in rollouts)
    return {
        "reward": sum(one.score for one in rollouts) / count,
        "kl": total / max(1, tokens),
        "length": tokens / count,
        "repetition": sum(repetition(one.tokens) for one in rollouts) / count,
        "distinct": len({json.dumps(one.tokens) for one in rollouts}) / count,
        "ended": sum(one.ended for one in rollouts) / count,
        "entropy": -sum(float(one.old.sum()) for one in rollouts) / max(1, tokens),
    }


def repetition(tokens: Sequence[int], length: int = 3) -> float:
    """The share of sequences of three tokens that are in the answer before."""
    found = [tuple(tokens[place : place + length]) for place in range(len(tokens) - length + 1)]
    return 1 - len(set(found)) / len(found) if found else 0.0


def _mean(steps: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(one[name] for one in steps) / len(steps) for name in WATCHED}
