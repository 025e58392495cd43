"""The result of an evaluation in sentences: what was shown, what was not, and how many questions it would take."""

from collections.abc import Sequence

from assistant.compare.costs import BreakEven
from assistant.compare.results import WORTHWHILE, EvaluationResult, PairComparison
from assistant.i18n.texts import t

LEVEL = 0.05
FEW_CLUSTERS = 10


def headline(result: EvaluationResult) -> str:
    """The result in one plain sentence: which variant was right most often, and whether that may be chance."""
    ranked = sorted(result.variants.items(), key=lambda one: -one[1].correct)
    (best, first), others = ranked[0], ranked[1:]
    if not others:
        return t("verdict.plain.alone", best=best, right=first.correct, n=first.n)
    second, next_best = others[0]
    values = {"best": best, "right": first.correct, "n": first.n, "second": second, "less": next_best.correct}
    if first.correct == next_best.correct:
        return t("verdict.plain.same", **values)
    shown = any(is_shown(pair) and {pair.first, pair.second} == {best, second} for pair in result.pairs)
    return t("verdict.plain.better" if shown else "verdict.plain.chance", **values)


def verdicts(pairs: Sequence[PairComparison], worthwhile: float = WORTHWHILE) -> list[str]:
    """One sentence for each pair; all pairs between which no difference is shown share one."""
    needed = {
        (pair.first, pair.second): count
        for pair in pairs
        if not is_shown(pair) and (count := pair.questions_needed(worthwhile)) is not None
    }
    if len(needed) < 2:
        return [verdict(pair, worthwhile) for pair in pairs]
    together = t(
        "verdict.open.many",
        pairs="; ".join(t("verdict.open.pair", first=first, second=second) for first, second in needed),
        points=f"{100 * worthwhile:.0f}",
        least=f"{min(needed.values()):,}",
        most=f"{max(needed.values()):,}",
        n=f"{pairs[0].test.n:,}",
    )
    shown = [verdict(pair, worthwhile) for pair in pairs if (pair.first, pair.second) not in needed]
    return [*shown, together]


def verdict(pair: PairComparison, worthwhile: float = WORTHWHILE) -> str:
    """One sentence on two variants; `worthwhile` is the smallest difference of accuracy that matters."""
    if is_shown(pair):
        return _difference(pair)
    needed = pair.questions_needed(worthwhile)
    if needed is None:
        return t("verdict.same", first=pair.first, second=pair.second, n=pair.test.n)
    return t(
        "verdict.open",
        first=pair.first,
        second=pair.second,
        needed=f"{needed:,}",
        n=f"{pair.test.n:,}",
        points=f"{100 * worthwhile:.0f}",
    )


def is_shown(pair: PairComparison) -> bool:
    """Whether the difference is significant by whole clusters, after correction for the number of pairs."""
    return pair.p_value_clustered_holm < LEVEL


def caution(result: EvaluationResult) -> str:
    """What limits the verdicts; empty where nothing does."""
    if result.pairs and (count := result.pairs[0].test.clusters) < FEW_CLUSTERS:
        return t("verdict.few", count=count, by=t(f"cluster.{result.clustered_by}"))
    return ""


def break_even_sentence(even: BreakEven) -> str:
    """When a checkpoint has paid for its training, in a sentence."""
    return t(
        "cost.never" if even.questions is None else "cost.even",
        name=even.checkpoint,
        training=f"{even.training_seconds:.0f}",
        tokens=f"{even.tokens_saved:.0f}",
        written=f"{even.written_saved:.0f}",
        seconds=f"{abs(even.seconds_saved):.2f}",
        questions=f"{even.questions or 0:,}",
    )


def p_text(value: float) -> str:
    """A p-value as it is reported."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _difference(pair: PairComparison) -> str:
    test = pair.test
    low, high = test.interval.low, test.interval.high
    better, worse = (pair.first, pair.second) if test.difference >= 0 else (pair.second, pair.first)
    ends = sorted((abs(low), abs(high))) if low * high > 0 else [min(low, high), max(low, high)]
    return t(
        "verdict.differs",
        better=better,
        worse=worse,
        points=f"{abs(test.difference) * 100:.0f}",
        low=f"{ends[0] * 100:.0f}",
        high=f"{ends[1] * 100:.0f}",
        p=p_text(pair.p_value_clustered_holm),
    )
