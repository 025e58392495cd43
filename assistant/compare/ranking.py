"""Votes counted: win rates, sign tests, a Bradley–Terry ranking, and the position bias.

Every vote is on two answers to the same question.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from assistant.compare.stats import Interval, bootstrap_mean, expanded_tail, holm, scipy_stats, wilson
from assistant.compare.votes import HeadToHead, PositionBias, RankedVariant, Tally, Vote

_PRIOR_GAMES = 1.0  # split evenly: a variant that never lost is strong, not infinitely strong
_RESAMPLES = 1_000
_MAX_STEPS = 100
_TOLERANCE = 1e-10


def tally(votes: Sequence[Vote], *, level: float = 0.95, seed: int = 0) -> Tally:
    """Count votes: a sign test for every two variants, adjusted by Holm, and a Bradley-Terry ranking."""
    votes = [vote for vote in votes if vote.first != vote.second]
    variants = list(dict.fromkeys(variant for vote in votes for variant in (vote.first, vote.second)))
    between = [
        (first, second, [vote for vote in votes if {vote.first, vote.second} == {first, second}])
        for first, second in combinations(variants, 2)
    ]
    voted = [(first, second, own) for first, second, own in between if own]
    p_values = [sign_test_of_questions(first, own) for first, _, own in voted]
    pairs = tuple(
        _head_to_head(first, second, own, p_value, p_holm, level, seed)
        for (first, second, own), p_value, p_holm in zip(voted, p_values, holm(p_values), strict=True)
    )
    return Tally(
        pairs=pairs,
        ranking=_ranking(votes, variants, level, seed),
        position=_position(votes, level),
        votes=len(votes),
        questions=len({vote.question for vote in votes}),
        voters=len({vote.voter for vote in votes}),
    )


def _head_to_head(
    first: str, second: str, votes: Sequence[Vote], p_value: float, p_holm: float, level: float, seed: int
) -> HeadToHead:
    points = [_points(first, vote) for vote in votes]
    wins, losses = points.count(1.0), points.count(0.0)
    return HeadToHead(
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


def _points(variant: str, vote: Vote) -> float:
    return 0.5 if vote.winner is None else float(vote.winner == variant)


def sign_test_of_questions(first: str, votes: Sequence[Vote]) -> float:
    """P-value of an exact sign test of `first` against the other.

    Two voters on the same two answers are not two independent observations: a question counts once, by majority.
    """
    leaning: dict[str, float] = {}
    for vote in votes:
        leaning[vote.question] = leaning.get(vote.question, 0.0) + _points(first, vote) - 0.5
    decided = [lean for lean in leaning.values() if lean]
    if not decided:
        return 1.0
    return float(scipy_stats().binomtest(sum(lean > 0 for lean in decided), len(decided)).pvalue)


def _position(votes: Sequence[Vote], level: float) -> PositionBias:
    left = sum(vote.outcome == "first" for vote in votes)
    right = sum(vote.outcome == "second" for vote in votes)
    p_value = float(scipy_stats().binomtest(left, left + right).pvalue) if left + right else 1.0
    return PositionBias(left, right, wilson(left, left + right, level), p_value)


def bradley_terry(votes: Sequence[Vote], variants: Sequence[str]) -> dict[str, float]:
    """Each variant's probability of being preferred to the average variant (Bradley and Terry 1952).

    An undecided vote is half a win for each. One draw is added between every two variants, so that a solution
    exists where a variant never lost.
    """
    wins = _wins_by_question(votes, variants).sum(axis=0, keepdims=True)
    return dict(zip(variants, _sigmoid(_fit(wins + _prior(len(variants))))[0].tolist(), strict=True))


def _wins_by_question(votes: Sequence[Vote], variants: Sequence[str]) -> np.ndarray:
    """(questions, variants, variants): points of the row's variant against the column's."""
    place = {variant: number for number, variant in enumerate(variants)}
    questions = {text: number for number, text in enumerate(dict.fromkeys(vote.question for vote in votes))}
    wins = np.zeros((max(1, len(questions)), len(variants), len(variants)))
    for vote in votes:
        first, second = place[vote.first], place[vote.second]
        points = _points(vote.first, vote)
        wins[questions[vote.question], first, second] += points
        wins[questions[vote.question], second, first] += 1 - points
    return wins


def _prior(count: int) -> np.ndarray:
    return (np.ones((count, count)) - np.eye(count)) * (_PRIOR_GAMES / 2)


def _fit(wins: np.ndarray) -> np.ndarray:
    """The most likely log strengths, summing to zero, of each (variants, variants) matrix; Newton's method."""
    count = wins.shape[-1]
    games = wins + wins.transpose(0, 2, 1)
    strengths = np.zeros(wins.shape[:2])
    for _ in range(_MAX_STEPS):
        prob = _sigmoid(strengths[:, :, None] - strengths[:, None, :])
        gradient = (wins - games * prob).sum(axis=2)
        information = games * prob * (1 - prob)
        hessian = np.eye(count) * information.sum(axis=2)[:, :, None] - information
        step = np.linalg.solve(hessian + 1 / count, gradient[:, :, None])[
            :, :, 0
        ]  # 1/count holds the sum at zero
        step *= np.minimum(1.0, 1.0 / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))
        strengths = strengths + step
        if np.max(np.abs(step)) < _TOLERANCE:
            break
    return strengths


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    probs: np.ndarray = 1 / (1 + np.exp(-logits))
    return probs


def _ranking(
    votes: Sequence[Vote], variants: Sequence[str], level: float, seed: int
) -> tuple[RankedVariant, ...]:
    if len(variants) < 2:
        return ()
    by_question = _wins_by_question(votes, variants)
    strengths = _sigmoid(_fit(by_question.sum(axis=0, keepdims=True) + _prior(len(variants))))[0]
    count = len(by_question)
    drawn = np.random.default_rng(seed).multinomial(count, [1 / count] * count, size=_RESAMPLES)
    resampled = np.tensordot(drawn, by_question, axes=1) + _prior(len(variants))
    tail = expanded_tail(np.ones(count), level)
    low, high = np.quantile(_sigmoid(_fit(resampled)), [tail, 1 - tail], axis=0)
    ranks = []
    for number in sorted(range(len(variants)), key=lambda number: -strengths[number]):
        points = [
            _points(variants[number], vote) for vote in votes if variants[number] in (vote.first, vote.second)
        ]
        ranks.append(
            RankedVariant(
                variant=variants[number],
                strength=float(strengths[number]),
                interval=Interval(float(low[number]), float(high[number])),
                votes=len(points),
                win_rate=float(np.mean(points)),
            )
        )
    return tuple(ranks)
