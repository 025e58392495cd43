"""A blind trial as one HTML file and as CSV: win rates, ranking, whether the place decided, every vote."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from assistant.compare.ranking import Duel, Position, Tally
from assistant.i18n.texts import t
from assistant.reports import csv_table
from assistant.reports.html_page import MAX_ROWS, duels_table, page, ranking_table
from assistant.reports.verdict_text import FEW_CLUSTERS, LEVEL, p_text

_NOTES = (
    "The names were hidden. Pairs of arms came equally often, and each arm of a pair stood on the left as "
    "often as on the right.",
    "A win rate counts an undecided vote (tie, or both bad) as half a win for each. Its interval resamples "
    "whole questions.",
    "The sign test counts a question once, by the majority of its votes, and leaves undecided ones out; "
    "p-values are adjusted for the number of pairs by Holm's method.",
    "Bradley–Terry: the chance of an arm to be preferred to the average one, from these paired votes alone, "
    "with one imagined draw between every two arms.",
)


def duel_sentence(duel: Duel, names: Mapping[str, str] | None = None) -> str:
    """One sentence on two arms; `names` tells what they are called."""
    first, second = ((names or {}).get(arm, arm) for arm in (duel.first, duel.second))
    better, worse = (first, second) if duel.share >= 0.5 else (second, first)
    share = max(duel.share, 1 - duel.share)
    key = "trial.differs" if duel.p_value_holm < LEVEL else "trial.open"
    return t(
        key,
        better=better,
        worse=worse,
        share=f"{share * 100:.0f}",
        votes=duel.votes,
        p=p_text(duel.p_value_holm),
    )


def position_sentence(position: Position) -> str:
    """Whether the place on the page decided, in a sentence."""
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


def render(name: str, counted: Tally, rows: Sequence[Mapping[str, Any]]) -> str:
    """The whole page; nothing in it is fetched."""
    plain = asdict(counted)
    said = [*(duel_sentence(duel) for duel in counted.duels), position_sentence(counted.position)]
    said += [careful] if (careful := caution(counted)) else []
    parts = [
        f"<p class=note>{_counts(counted)}</p>",
        f"<ul>{''.join(f'<li>{html.escape(sentence)}</li>' for sentence in said)}</ul>",
        _picture(counted),
        "<h2>Two by two</h2>",
        duels_table(plain["duels"]),
        "<h2>All arms</h2>",
        ranking_table(plain["ranking"]),
        "<h2>Every vote</h2>",
        _votes(rows),
        "<h2>How this was counted</h2>",
        *(f"<p>{html.escape(note)}</p>" for note in _NOTES),
    ]
    return page(name, parts)


def to_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """One line for each vote."""
    names = ["question", "left", "right", "outcome", "left_answer", "right_answer", "voter", "voted"]
    return csv_table.to_csv(names, ([row[name] for name in names] for row in rows))


def _counts(counted: Tally) -> str:
    return f"{counted.votes:,} votes, {counted.questions:,} questions, voters: {counted.voters:,}"


def _picture(counted: Tally) -> str:
    """Strengths with their intervals, as SVG."""
    height = 44 * len(counted.ranking) + 30
    lines = []
    for place, rank in enumerate(counted.ranking):
        y = 30 + 44 * place
        low, high, at = (
            170 + 400 * value for value in (rank.interval.low, rank.interval.high, rank.strength)
        )
        lines.append(
            f'<text x="160" y="{y + 5}" text-anchor="end">{html.escape(rank.arm[:20])}</text>'
            f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="#333f8f" stroke-width="3"/>'
            f'<circle cx="{at:.1f}" cy="{y}" r="6" fill="#333f8f"/>'
            f'<text x="{high + 10:.1f}" y="{y + 5}">{rank.strength:.0%}</text>'
        )
    middle = f'<line x1="370" x2="370" y1="8" y2="{height - 22}" stroke="#a3a6ad" stroke-dasharray="4 4"/>'
    style = 'font-family="system-ui, sans-serif" font-size="14" fill="#23262b"'
    middle_place = f'x="370" y="{height - 6}" text-anchor="middle" fill="#6a6d74"'
    caption = f"<text {middle_place}>50 %: as good as the average</text>"
    svg = f'<svg viewBox="0 0 640 {height}" {style} role="img">{middle}{"".join(lines)}{caption}</svg>'
    return f"<figure>{svg}</figure>" if counted.ranking else ""


def _votes(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(row['question'])}</td>"
        f"<td>{html.escape(row['left'])}: {html.escape(row['left_answer'])}</td>"
        f"<td>{html.escape(row['right'])}: {html.escape(row['right_answer'])}</td>"
        f"<td>{html.escape(t('trial.outcome.' + row['outcome']))}</td></tr>"
        for row in rows[:MAX_ROWS]
    )
    head = "<tr><th>question</th><th>left</th><th>right</th><th>vote</th></tr>"
    table = f"<div class=wide><table><thead>{head}</thead><tbody>{lines}</tbody></table></div>"
    return f"<details><summary>{len(rows):,} votes</summary>{table}</details>"
