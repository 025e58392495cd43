"""A comparison in sentences: what was shown, what was not, and how many questions it would take."""

from collections.abc import Mapping, Sequence
from typing import Any

from assistant.compare.results import WORTHWHILE, questions_needed
from assistant.i18n.texts import t

LEVEL = 0.05
FEW_CLUSTERS = 10


def verdicts(pairs: Sequence[Mapping[str, Any]], worthwhile: float = WORTHWHILE) -> list[str]:
    """What is shown, a sentence each; all pairs between which nothing is shown share one."""
    needed = {
        tuple(pair["arms"]): count
        for pair in pairs
        if not is_shown(pair) and (count := needed_for(pair, worthwhile)) is not None
    }
    if len(needed) < 2:
        return [verdict(pair, worthwhile) for pair in pairs]
    together = t(
        "verdict.open.many",
        pairs="; ".join(t("verdict.open.pair", first=first, second=second) for first, second in needed),
        points=f"{100 * worthwhile:.0f}",
        least=f"{min(needed.values()):,}",
        most=f"{max(needed.values()):,}",
        n=f"{pairs[0]['n']:,}",
    )
    return [*(verdict(pair, worthwhile) for pair in pairs if tuple(pair["arms"]) not in needed), together]


def verdict(pair: Mapping[str, Any], worthwhile: float = WORTHWHILE) -> str:
    """One sentence on two arms; `worthwhile` is the difference that a person would care about."""
    first, second = pair["arms"]
    difference = pair["difference"]
    low, high = pair["confidence_interval"]
    better, worse = (first, second) if difference >= 0 else (second, first)
    reach = sorted((abs(low), abs(high))) if low * high > 0 else [min(low, high), max(low, high)]
    if is_shown(pair):
        return t(
            "verdict.differs",
            better=better,
            worse=worse,
            points=f"{abs(difference) * 100:.0f}",
            low=f"{reach[0] * 100:.0f}",
            high=f"{reach[1] * 100:.0f}",
            p=p_text(pair["p_value_clustered_holm"]),
        )
    needed = needed_for(pair, worthwhile)
    if needed is None:
        return t("verdict.same", first=first, second=second, n=pair["n"])
    points = f"{100 * worthwhile:.0f}"
    return t(
        "verdict.open", first=first, second=second, needed=f"{needed:,}", n=f"{pair['n']:,}", points=points
    )


def needed_for(pair: Mapping[str, Any], worthwhile: float) -> int | None:
    """How many independent questions would show such a difference, where two arms disagree as often as here."""
    return questions_needed((pair["only_first"] + pair["only_second"]) / pair["n"], worthwhile)


def is_shown(pair: Mapping[str, Any]) -> bool:
    """Whether the difference is beyond chance, by whole clusters and after correction for many arms."""
    return bool(pair["p_value_clustered_holm"] < LEVEL)


def caution(result: Mapping[str, Any]) -> str:
    """What limits the verdicts; empty where nothing does."""
    pairs: Sequence[Mapping[str, Any]] = result["pairs"]
    if pairs and pairs[0]["clusters"] < FEW_CLUSTERS:
        return t("verdict.few", count=pairs[0]["clusters"], by=t(f"cluster.{result['clustered_by']}"))
    return ""


def p_text(value: float) -> str:
    """A p-value as it is written."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
