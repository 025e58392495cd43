"""The report of a blind trial as one HTML page, and its votes as CSV."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields

from assistant.arena.trials import CastVote
from assistant.compare.votes import HeadToHead, PositionBias, Tally
from assistant.i18n.texts import t
from assistant.reports import csv_table
from assistant.reports.html_page import MAX_ROWS, head_to_head_table, page, ranking_table
from assistant.reports.palette import INDIGO
from assistant.reports.verdict_text import FEW_CLUSTERS, LEVEL, p_text

_NOTES = (
    "The names were hidden. Pairs of variants came equally often, and each variant of a pair stood on the left as "
    "often as on the right.",
    "A win rate counts an undecided vote (tie, or both bad) as half a win for each. Its interval resamples "
    "whole questions.",
    "The sign test counts a question once, by the majority of its votes, and leaves undecided ones out; "
    "p-values are adjusted for the number of pairs by Holm's method.",
    "Bradley–Terry: the probability that a variant is preferred to the average one, from these paired votes "
    "alone, with one draw added between every two variants.",
)
_INK, _QUIET, _LINE = "#23262b", "#6a6d74", "#a3a6ad"


def win_sentence(pair: HeadToHead, names: Mapping[str, str] | None = None) -> str:
    """One sentence on two variants; `names` are what to call them."""
    first, second = ((names or {}).get(variant, variant) for variant in (pair.first, pair.second))
    better, worse = (first, second) if pair.share >= 0.5 else (second, first)
    share = max(pair.share, 1 - pair.share)
    key = "trial.differs" if pair.p_value_holm < LEVEL else "trial.open"
    return t(
        key,
        better=better,
        worse=worse,
        share=f"{share * 100:.0f}",
        votes=pair.votes,
        p=p_text(pair.p_value_holm),
    )


def position_sentence(position: PositionBias) -> str:
    """Whether the position on the page decided, in a sentence."""
    decided = position.left + position.right
    if not decided:
        return t("trial.position.none")
    key = "trial.position.bias" if position.p_value < LEVEL else "trial.position.fine"
    return t(key, left=position.left, count=decided, p=p_text(position.p_value))


def caution(counted: Tally) -> str:
    """What limits the result; empty where nothing does."""
    if counted.questions >= FEW_CLUSTERS:
        return ""
    return t("trial.few", count=counted.questions)


def render(name: str, counted: Tally, votes: Sequence[CastVote]) -> str:
    """The whole page; it loads nothing and runs no script."""
    sentences = [*(win_sentence(pair) for pair in counted.pairs), position_sentence(counted.position)]
    sentences += [limits] if (limits := caution(counted)) else []
    parts = [
        f"<p class=note>{_counts(counted)}</p>",
        f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in sentences)}</ul>",
        _chart(counted),
        "<h2>Pairwise</h2>",
        head_to_head_table(counted.pairs),
        "<h2>All variants</h2>",
        ranking_table(counted.ranking),
        "<h2>Every vote</h2>",
        _votes_table(votes),
        "<h2>How this was counted</h2>",
        *(f"<p>{html.escape(note)}</p>" for note in _NOTES),
    ]
    return page(name, parts)


def to_csv(votes: Iterable[CastVote]) -> str:
    """One line for each vote."""
    names = [field.name for field in fields(CastVote)]
    return csv_table.to_csv(names, (astuple(vote) for vote in votes))


def _counts(counted: Tally) -> str:
    return f"{counted.votes:,} votes, {counted.questions:,} questions, voters: {counted.voters:,}"


def _chart(counted: Tally) -> str:
    """Strengths with their intervals, as SVG."""
    height = 44 * len(counted.ranking) + 30
    lines = []
    for place, ranked in enumerate(counted.ranking):
        y = 30 + 44 * place
        low, high, at = (
            170 + 400 * value for value in (ranked.interval.low, ranked.interval.high, ranked.strength)
        )
        lines.append(
            f'<text x="160" y="{y + 5}" text-anchor="end">{html.escape(ranked.variant[:20])}</text>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{INDIGO}" stroke-width="3"/>'
            f'<circle cx="{at:.1f}" cy="{y}" r="6" fill="{INDIGO}"/>'
            f'<text x="{high + 10:.1f}" y="{y + 5}">{ranked.strength:.0%}</text>'
        )
    middle = f'<line x1="370" x2="370" y1="8" y2="{height - 22}" stroke="{_LINE}" stroke-dasharray="4 4"/>'
    style = f'font-family="system-ui, sans-serif" font-size="14" fill="{_INK}"'
    middle_place = f'x="370" y="{height - 6}" text-anchor="middle" fill="{_QUIET}"'
    caption = f"<text {middle_place}>50 %: as good as the average</text>"
    svg = f'<svg viewBox="0 0 640 {height}" {style} role="img">{middle}{"".join(lines)}{caption}</svg>'
    return f"<figure>{svg}</figure>" if counted.ranking else ""


def _votes_table(votes: Sequence[CastVote]) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(vote.question)}</td>"
        f"<td>{html.escape(vote.left)}: {html.escape(vote.left_answer)}</td>"
        f"<td>{html.escape(vote.right)}: {html.escape(vote.right_answer)}</td>"
        f"<td>{html.escape(t('trial.outcome.' + vote.outcome))}</td></tr>"
        for vote in votes[:MAX_ROWS]
    )
    head = "<tr><th>question</th><th>left</th><th>right</th><th>vote</th></tr>"
    table = f"<div class=wide><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>"
    return f"<details><summary>{len(votes):,} votes</summary>{table}</details>"
