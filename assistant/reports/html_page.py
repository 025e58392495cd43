"""Parts of an HTML report: a self-contained page, its tables, and writing it atomically."""

import html
from collections.abc import Iterable, Sequence

from assistant.compare.stats import Interval
from assistant.compare.votes import HeadToHead, RankedVariant
from assistant.reports.verdict_text import p_text

MAX_ROWS = 1_000  # answers in the page itself; a browser is slow with longer tables
_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --faint: #d9dee4; --paper: #fff;
  --good: #2f8f4e; --bad: #c2452d }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --faint: #3a444e; --paper: #14191e } }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .6rem;
  border-bottom: 1px solid var(--faint); vertical-align: top } td.n, th.n { text-align: right;
  font-variant-numeric: tabular-nums } td.n { white-space: nowrap }
.right { color: var(--good) } .wrong { color: var(--bad) }
figure { margin: 1rem 0; background: #fff; border-radius: 8px; overflow-x: auto }
figure svg { max-width: 100%; height: auto } figure.wide svg { min-width: 640px }
.wide { overflow-x: auto } .note { opacity: .75 } details { margin: .5rem 0 } summary { cursor: pointer }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page of these parts, which are HTML."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{text(title)}'
    style = f"</title><style>{_STYLE}</style>"
    body = f"<h1>{text(title)}</h1>{''.join(parts)}"
    return f"<!doctype html><html><head>{head}{style}</head><body>{body}</body></html>\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts: the first column to the left, the others to the right, as numbers are."""
    body = "".join(_line(row, "td") for row in rows)
    return f"<div class=wide><table><thead>{_line(headings, 'th')}</thead><tbody>{body}</tbody></table></div>"


def head_to_head_table(pairs: Iterable[HeadToHead]) -> str:
    """Every two variants between which there are votes."""
    rows = [
        [
            f"{one.first} − {one.second}",
            str(one.first_wins),
            str(one.second_wins),
            f"{one.ties} + {one.both_bad}",
            share(one.share),
            interval(one.interval),
            p_text(one.p_value_holm),
        ]
        for one in pairs
    ]
    headings = ["between", "first wins", "second wins", "ties + both bad", "win rate of the first"]
    return table([*headings, "95 % interval", "p (sign test, Holm)"], rows)


def ranking_table(ranking: Iterable[RankedVariant]) -> str:
    """All variants, the strongest first."""
    rows = [
        [one.variant, share(one.strength), interval(one.interval), share(one.win_rate), str(one.votes)]
        for one in ranking
    ]
    headings = ["variant", "Bradley–Terry: preferred to the average", "95 % interval", "win rate", "votes"]
    return table(headings, rows)


def share(value: float | None) -> str:
    """A share in percent; a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.1%}"


def interval(value: Interval) -> str:
    """An interval of a share, in percent."""
    return f"{share(value.low)} – {share(value.high)}"


def text(value: object) -> str:
    """Any value as text of the page, escaped."""
    return html.escape(str(value))


def _line(cells: Sequence[str], tag: str) -> str:
    first, *numbers = cells
    others = "".join(f"<{tag} class=n>{text(number)}</{tag}>" for number in numbers)
    return f"<tr><{tag}>{text(first)}</{tag}>{others}</tr>"
