"""What votes say: who wins against whom, how surely, a ranking, and whether the place on the page decided.

Every vote is on two answers to the same question.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from scipy import stats

from assistant.compare.stats import Interval, bootstrap_mean, expanded_tail, holm, wilson

Outcome = Literal["first", "second", "tie", "bad"]
OUTCOMES: tuple[Outcome, ...] = ("first", "second", "tie", "bad")
_PRIOR_GAMES = 1.0  # split evenly: an arm that never lost is strong, not infinitely strong
_RESAMPLES = 1_000
_MAX_STEPS = 100
_CLOSE = 1e-10


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
        """The arm that was preferred; None for a tie and where both were bad."""
        return {"first": self.first, "second": self.second}.get(self.outcome)


@dataclass(frozen=True)
class Duel:
    """Two arms that were voted between."""

    first: str
    second: str
    first_wins: int
    second_wins: int
    # Votes that call them equally good, and equally bad.
    ties: int
    both_bad: int
    # The first arm's win rate: an undecided vote is half a win.
    share: float
    interval: Interval
    # Exact sign test over questions: each question once, by the majority of its votes.
    p_value: float
    p_value_holm: float

    @property
    def votes(self) -> int:
        """All votes between the two."""
        return self.first_wins + self.second_wins + self.ties + self.both_bad


@dataclass(frozen=True)
class Rank:
    """An arm's place among all: its chance to be preferred to the average arm."""

    arm: str
    strength: float
    interval: Interval
    votes: int
    win_rate: float


@dataclass(frozen=True)
class Position:
    """How often the answer on the left was preferred, among the votes that preferred one."""

    left: int
    right: int
    interval: Interval
    p_value: float

    @property
    def share(self) -> float:
        """The share of the left."""
        return self.left / (self.left + self.right) if self.left + self.right else math.nan


@dataclass(frozen=True)
class Tally:
    """All votes, counted."""

    duels: tuple[Duel, ...]
    ranking: tuple[Rank, ...]
    position: Position
    votes: int
    questions: int
    voters: int


def tally(votes: Sequence[Vote], *, level: float = 0.95, seed: int = 0) -> Tally:
    """Count votes: a sign test for each two arms, adjusted by Holm, and a Bradley-Terry ranking."""
    votes = [vote for vote in votes if vote.first != vote.second]
    arms = list(dict.fromkeys(arm for vote in votes for arm in (vote.first, vote.second)))
    between = [
        (first, second, [vote for vote in votes if {vote.first, vote.second} == {first, second}])
        for first, second in combinations(arms, 2)
    ]
    fought = [(first, second, own) for first, second, own in between if own]
    p_values = [sign_test_of_questions(first, own) for first, _, own in fought]
    duels = tuple(
        _duel(first, second, own, p_value, p_holm, level, seed)
        for (first, second, own), p_value, p_holm in zip(fought, p_values, holm(p_values), strict=True)
    )
    return Tally(
        duels=duels,
        ranking=_ranking(votes, arms, level, seed),
        position=_position(votes, level),
        votes=len(votes),
        questions=len({vote.question for vote in votes}),
        voters=len({vote.voter for vote in votes}),
    )


def _duel(
    first: str, second: str, votes: Sequence[Vote], p_value: float, p_holm: float, level: float, seed: int
) -> Duel:
    points = [_points(first, vote) for vote in votes]
    wins, losses = points.count(1.0), points.count(0.0)
    return Duel(
        first=first,
        second=second,
        first_wins=wins,
        second_wins=losses,
        ties=sum(vote.outcome == "tie" for vote in votes),
        both_bad=sum(vote.outcome == "bad" for vote in votes),
        share=float(np.mean(points)),
        interval=bootstrap_mean(points, [vote.question for vote in votes], level=level, seed=seed),
        p_value=p_value,
        p_value_holm=p_holm,
    )


def _points(arm: str, vote: Vote) -> float:
    return 0.5 if vote.winner is None else float(vote.winner == arm)


def sign_test_of_questions(first: str, votes: Sequence[Vote]) -> float:
    """P-value of an exact sign test of `first` against the other.

    Two people who vote on the same two answers are not two observations: a question counts once, by majority.
    """
    leaning: dict[str, float] = {}
    for vote in votes:
        leaning[vote.question] = leaning.get(vote.question, 0.0) + _points(first, vote) - 0.5
    decided = [lean for lean in leaning.values() if lean]
    return float(stats.binomtest(sum(lean > 0 for lean in decided), len(decided)).pvalue) if decided else 1.0


def _position(votes: Sequence[Vote], level: float) -> Position:
    left = sum(vote.outcome == "first" for vote in votes)
    right = sum(vote.outcome == "second" for vote in votes)
    p_value = float(stats.binomtest(left, left + right).pvalue) if left + right else 1.0
    return Position(left, right, wilson(left, left + right, level), p_value)


def bradley_terry(votes: Sequence[Vote], arms: Sequence[str]) -> dict[str, float]:
    """Each arm's chance to be preferred to the average arm (Bradley and Terry 1952).

    An undecided vote is half a win for each. There is one imagined game between every two arms that ends in a
    draw, so that a solution exists where an arm never lost.
    """
    wins = _wins_by_question(votes, arms).sum(axis=0, keepdims=True)
    return dict(zip(arms, _sigmoid(_fit(wins + _prior(len(arms))))[0].tolist(), strict=True))


def _wins_by_question(votes: Sequence[Vote], arms: Sequence[str]) -> np.ndarray:
    """(questions, arms, arms): points of the row's arm against the column's."""
    place = {arm: number for number, arm in enumerate(arms)}
    questions = {text: number for number, text in enumerate(dict.fromkeys(vote.question for vote in votes))}
    wins = np.zeros((max(1, len(questions)), len(arms), len(arms)))
    for vote in votes:
        first, second = place[vote.first], place[vote.second]
        points = _points(vote.first, vote)
        wins[questions[vote.question], first, second] += points
        wins[questions[vote.question], second, first] += 1 - points
    return wins


def _prior(count: int) -> np.ndarray:
    return (np.ones((count, count)) - np.eye(count)) * (_PRIOR_GAMES / 2)


def _fit(wins: np.ndarray) -> np.ndarray:
    """The most likely log strengths, summing to zero, of each (arms, arms) matrix; Newton's method."""
    count = wins.shape[-1]
    games = wins + wins.transpose(0, 2, 1)
    strengths = np.zeros(wins.shape[:2])
    for _ in range(_MAX_STEPS):
        prob = _sigmoid(strengths[:, :, None] - strengths[:, None, :])
        slope = (wins - games * prob).sum(axis=2)
        bend = games * prob * (1 - prob)
        curve = np.eye(count) * bend.sum(axis=2)[:, :, None] - bend
        step = np.linalg.solve(curve + 1 / count, slope[:, :, None])[:, :, 0]  # 1/count holds the sum at zero
        step *= np.minimum(1.0, 1.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
        strengths = strengths + step
        if np.max(np.abs(step)) < _CLOSE:
            break
    return strengths


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    probs: np.ndarray = 1 / (1 + np.exp(-logits))
    return probs


def _ranking(votes: Sequence[Vote], arms: Sequence[str], level: float, seed: int) -> tuple[Rank, ...]:
    if len(arms) < 2:
        return ()
    by_question = _wins_by_question(votes, arms)
    strengths = _sigmoid(_fit(by_question.sum(axis=0, keepdims=True) + _prior(len(arms))))[0]
    count = len(by_question)
    drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=_RESAMPLES)
    resampled = np.tensordot(drawn, by_question, axes=1) + _prior(len(arms))
    tail = expanded_tail(np.ones(count), level)
    low, high = np.quantile(_sigmoid(_fit(resampled)), [tail, 1 - tail], axis=0)
    ranks = []
    for number in sorted(range(len(arms)), key=lambda number: -strengths[number]):
        points = [_points(arms[number], vote) for vote in votes if arms[number] in (vote.first, vote.second)]
        ranks.append(
            Rank(
                arm=arms[number],
                strength=float(strengths[number]),
                interval=Interval(float(low[number]), float(high[number])),
                votes=len(points),
                win_rate=float(np.mean(points)),
            )
        )
    return tuple(ranks)
