"""What people's votes between answers say: who wins against whom, how surely, and a ranking of all."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy import stats

from assistant.records import StoredPreference
from assistant.statistics import Interval, holm, wilson

_MOST_ROUNDS = 10_000
_CLOSE = 1e-10
_PRIOR_GAMES = 1.0  # split evenly: an arm that never lost is strong, not infinitely strong
_RESAMPLES = 1_000

Vote = tuple[str, str]  # (the arm that was preferred, the other one)


@dataclass(frozen=True)
class Duel:
    """Two arms that were voted between."""

    first: str
    second: str
    first_wins: int
    second_wins: int
    # The first arm's share of the votes.
    share: float
    interval: Interval
    p_value: float
    p_value_holm: float


@dataclass(frozen=True)
class Rank:
    """An arm's place among all: its chance to be preferred to the average arm."""

    arm: str
    strength: float
    interval: Interval
    votes: int


@dataclass(frozen=True)
class Tally:
    """All votes, counted."""

    duels: tuple[Duel, ...]
    ranking: tuple[Rank, ...]
    votes: int


def votes_of(preferences: Iterable[StoredPreference]) -> list[Vote]:
    """The votes among kept preferences; those that name no arms, or one arm twice, say nothing here."""
    return [
        (kept.chosen_arm, kept.rejected_arm)
        for kept in preferences
        if kept.chosen_arm and kept.rejected_arm and kept.chosen_arm != kept.rejected_arm
    ]


def tally(votes: Sequence[Vote], *, level: float = 0.95, seed: int = 0) -> Tally:
    """Count votes: an exact sign test for each two arms, adjusted by Holm, and a Bradley-Terry ranking."""
    counts = Counter(votes)
    arms = list(dict.fromkeys(arm for vote in votes for arm in vote))
    fought = [
        (first, second, counts[first, second], counts[second, first])
        for first, second in combinations(arms, 2)
        if counts[first, second] + counts[second, first]
    ]
    p_values = [float(stats.binomtest(wins, wins + losses).pvalue) for _, _, wins, losses in fought]
    duels = tuple(
        Duel(
            first=first,
            second=second,
            first_wins=wins,
            second_wins=losses,
            share=wins / (wins + losses),
            interval=wilson(wins, wins + losses, level),
            p_value=p_value,
            p_value_holm=p_holm,
        )
        for (first, second, wins, losses), p_value, p_holm in zip(
            fought, p_values, holm(p_values), strict=True
        )
    )
    return Tally(duels, _ranking(votes, arms, level, seed), len(votes))


def bradley_terry(votes: Sequence[Vote], arms: Sequence[str]) -> dict[str, float]:
    """Each arm's chance to be preferred to the average arm (Bradley and Terry 1952).

    Fitted by Hunter's minorisation (Annals of Statistics 2004), with one imagined game between every two arms
    that ends in a draw, so that it has a solution where an arm never lost.
    """
    place = {arm: number for number, arm in enumerate(arms)}
    wins = np.full((len(arms), len(arms)), _PRIOR_GAMES / 2)
    np.fill_diagonal(wins, 0.0)
    for winner, loser in votes:
        wins[place[winner], place[loser]] += 1
    strengths = _fit(wins)
    return {arm: float(strengths[number] / (strengths[number] + 1)) for arm, number in place.items()}


def _fit(wins: np.ndarray) -> np.ndarray:
    """Strengths whose logarithms sum to zero."""
    games = wins + wins.T
    strengths = np.ones(len(wins))
    for _ in range(_MOST_ROUNDS):
        shared = games / (strengths[:, None] + strengths[None, :])
        renewed = wins.sum(axis=1) / shared.sum(axis=1)
        renewed /= math.exp(float(np.mean(np.log(renewed))))
        if np.max(np.abs(np.log(renewed / strengths))) < _CLOSE:
            return renewed
        strengths = renewed
    return strengths


def _ranking(votes: Sequence[Vote], arms: Sequence[str], level: float, seed: int) -> tuple[Rank, ...]:
    if len(arms) < 2:
        return ()
    strengths = bradley_terry(votes, arms)
    generator = np.random.default_rng(seed)
    drawn = [
        bradley_terry([votes[place] for place in generator.integers(0, len(votes), len(votes))], arms)
        for _ in range(_RESAMPLES)
    ]
    tail = (1 - level) / 2
    ranks = []
    for arm in sorted(arms, key=lambda arm: -strengths[arm]):
        low, high = np.quantile([one[arm] for one in drawn], [tail, 1 - tail])
        taken = sum(arm in vote for vote in votes)
        ranks.append(Rank(arm, strengths[arm], Interval(float(low), float(high)), taken))
    return tuple(ranks)
