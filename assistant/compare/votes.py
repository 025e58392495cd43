"""Votes between two answers to one question, and what they amount to: the types that are stored, reported and drawn."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from assistant.compare.stats import Interval

Outcome = Literal["first", "second", "tie", "bad"]
OUTCOMES: tuple[Outcome, ...] = ("first", "second", "tie", "bad")


@dataclass(frozen=True)
class Vote:
    """Two answers to one question: `first` stood on the left."""

    question: str
    first: str
    second: str
    outcome: Outcome
    voter: str = ""

    @property
    def winner(self) -> str | None:
        """The variant that was preferred; None for a tie and where both were bad."""
        return {"first": self.first, "second": self.second}.get(self.outcome)


@dataclass(frozen=True)
class HeadToHead:
    """The votes between two variants."""

    first: str
    second: str
    first_wins: int
    second_wins: int
    # Votes that call them equally good, and equally bad.
    ties: int
    both_bad: int
    # The first variant's win rate: an undecided vote is half a win.
    share: float
    interval: Interval
    # Exact sign test over questions: each question once, by the majority of its votes.
    p_value: float
    p_value_holm: float

    @property
    def votes(self) -> int:
        """All votes between the two."""
        return self.first_wins + self.second_wins + self.ties + self.both_bad

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        return {**asdict(self), "interval": self.interval.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "HeadToHead":
        """Read the JSON form."""
        return cls(**{**record, "interval": Interval.of(**record["interval"])})


@dataclass(frozen=True)
class RankedVariant:
    """A variant in the ranking: the probability that it is preferred to the average variant."""

    variant: str
    strength: float
    interval: Interval
    votes: int
    win_rate: float

    def to_dict(self) -> dict[str, Any]:
        """JSON form, where the variant is called "arm"; `from_dict` reads it."""
        return {
            "arm": self.variant,
            "strength": self.strength,
            "interval": self.interval.to_dict(),
            "votes": self.votes,
            "win_rate": self.win_rate,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "RankedVariant":
        """Read the JSON form."""
        interval = Interval.of(**record["interval"])
        return cls(record["arm"], record["strength"], interval, record["votes"], record["win_rate"])


@dataclass(frozen=True)
class PositionBias:
    """How often the answer on the left was preferred, among the votes that preferred one."""

    left: int
    right: int
    interval: Interval
    p_value: float

    @property
    def share(self) -> float:
        """The share of the left."""
        return self.left / (self.left + self.right) if self.left + self.right else math.nan

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        return {**asdict(self), "interval": self.interval.to_dict()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "PositionBias":
        """Read the JSON form."""
        return cls(**{**record, "interval": Interval.of(**record["interval"])})


@dataclass(frozen=True)
class Tally:
    """All votes, counted."""

    pairs: tuple[HeadToHead, ...]
    # The strongest first.
    ranking: tuple[RankedVariant, ...]
    position: PositionBias
    votes: int
    questions: int
    voters: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form, where the pairs are called "duels"; `from_dict` reads it."""
        return {
            "duels": [pair.to_dict() for pair in self.pairs],
            "ranking": [ranked.to_dict() for ranked in self.ranking],
            "position": self.position.to_dict(),
            "votes": self.votes,
            "questions": self.questions,
            "voters": self.voters,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Tally":
        """Read the JSON form."""
        return cls(
            pairs=tuple(HeadToHead.from_dict(one) for one in record["duels"]),
            ranking=tuple(RankedVariant.from_dict(one) for one in record["ranking"]),
            position=PositionBias.from_dict(record["position"]),
            votes=record["votes"],
            questions=record["questions"],
            voters=record["voters"],
        )

    def renamed(self, names: Mapping[str, str]) -> "Tally":
        """The same votes with variants called by other names; a name that is not in `names` stays."""
        return replace(
            self,
            pairs=tuple(
                replace(
                    pair,
                    first=names.get(pair.first, pair.first),
                    second=names.get(pair.second, pair.second),
                )
                for pair in self.pairs
            ),
            ranking=tuple(
                replace(ranked, variant=names.get(ranked.variant, ranked.variant)) for ranked in self.ranking
            ),
        )
