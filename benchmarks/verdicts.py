"""How often the verdicts of a comparison are wrong where the truth is known: python -m benchmarks.verdicts.

Answers and votes are simulated; nothing is asked of a model.
"""

import argparse
import itertools
import math
from collections.abc import Iterator

import numpy as np
from scipy import stats

from assistant.compare.ranking import sign_test_of_questions, tally
from assistant.compare.stats import bootstrap_mean, holm, paired
from assistant.compare.votes import OUTCOMES, Vote

LEVEL = 0.05


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    trials = parser.parse_args().trials
    print(f"{trials} simulated comparisons a line; wanted: at most 5 % of false alarms, 95 % of coverage\n")
    print("| what is simulated | what is counted | share |\n|---|---|---|")
    for line in (*_two_arms(trials), *_four_arms(trials), *_intervals(trials), *_votes(trials)):
        print(f"| {line[0]} | {line[1]} | {line[2]:.1%} |", flush=True)


def _two_arms(trials: int) -> Iterator[tuple[str, str, float]]:
    """Two equal arms over 20 documents of 10 questions: independent, and where documents suit one of them."""
    generator = np.random.default_rng(1)
    clusters = np.repeat(np.arange(20), 10).tolist()
    for lean, said in ((0.0, "questions independent"), (0.25, "each document suits one arm")):
        alone = together = 0
        for trial in range(trials):
            shift = np.repeat(generator.normal(0, lean, 20), 10) / 2
            first, second = (generator.random(200) < 0.5 + sign * shift for sign in (1, -1))
            test = paired(first.tolist(), second.tolist(), clusters, seed=trial)
            alone += test.p_value < LEVEL
            together += test.p_value_clustered < LEVEL
        yield f"2 equal arms, 20 documents × 10 questions, {said}", "McNemar, p < 0.05", alone / trials
        yield "the same", "sign of whole documents, p < 0.05", together / trials


def _four_arms(trials: int) -> Iterator[tuple[str, str, float]]:
    """Four equal arms, six pairs: any difference is a false alarm."""
    generator, plain, adjusted = np.random.default_rng(2), 0, 0
    for _ in range(trials):
        right = generator.random((4, 120)) < 0.5
        p_values = [paired_p(a, b) for a, b in itertools.combinations(right, 2)]
        plain += min(p_values) < LEVEL
        adjusted += min(holm(p_values)) < LEVEL
    yield "4 equal arms, 120 questions", "any of 6 pairs, uncorrected", plain / trials
    yield "the same", "any of 6 pairs, after Holm", adjusted / trials


def paired_p(first: np.ndarray, second: np.ndarray) -> float:
    """McNemar's exact test without the interval."""
    wins, losses = int((first & ~second).sum()), int((second & ~first).sum())
    return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def _intervals(trials: int) -> Iterator[tuple[str, str, float]]:
    """Accuracy 50 %, documents of different difficulty; the last line has the sizes of the sample domain."""
    halden = [36, 30, 27, 22, 22, 20, 13, 12, *[1] * 42]
    for sizes, said in (([20] * 6, "6"), ([20] * 12, "12"), ([20] * 40, "40"), (halden, "8 + 42 lone")):
        generator, covered = np.random.default_rng(3), 0
        clusters = np.repeat(np.arange(len(sizes)), sizes).tolist()
        for trial in range(trials // 4):
            chances = np.repeat(generator.beta(2, 2, len(sizes)), sizes)
            values = (generator.random(len(chances)) < chances).astype(float).tolist()
            interval = bootstrap_mean(values, clusters, resamples=1000, seed=trial)
            covered += interval.low <= 0.5 <= interval.high
        yield f"one arm, {said} documents", "95 % interval covers the truth", covered / (trials // 4)


def _votes(trials: int) -> Iterator[tuple[str, str, float]]:
    """Three equal arms, 30 votes a pair, a fifth undecided; then arms of known strength."""
    generator, alarms = np.random.default_rng(4), 0
    for _ in range(trials):
        cast = {
            pair: [
                Vote(str(number), *pair, OUTCOMES[generator.choice(4, p=[0.4, 0.4, 0.1, 0.1])])
                for number in range(30)
            ]
            for pair in itertools.combinations("abc", 2)
        }
        alarms += min(holm([sign_test_of_questions(pair[0], own) for pair, own in cast.items()])) < LEVEL
    yield "3 equal arms, 30 votes a pair", "sign test of any pair, after Holm", alarms / trials
    truth, covered, total = {"a": 0.8, "b": 0.0, "c": -0.8}, 0, 0
    for trial in range(trials // 10):
        for rank in tally(list(_cast(truth, 40, generator)), seed=trial).ranking:
            covered += rank.interval.low <= 1 / (1 + math.exp(-truth[rank.variant])) <= rank.interval.high
            total += 1
    yield "3 arms of known strength, 40 votes a pair", "Bradley–Terry interval covers it", covered / total


def _cast(truth: dict[str, float], count: int, generator: np.random.Generator) -> Iterator[Vote]:
    for first, second in itertools.combinations(truth, 2):
        chance = 1 / (1 + math.exp(truth[second] - truth[first]))
        for number in range(count):
            won = generator.random() < chance
            yield Vote(f"{first}{second}{number}", first, second, "first" if won else "second")


if __name__ == "__main__":
    main()
