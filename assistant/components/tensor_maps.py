"""Pictures of memory as HTML and charts: the filling window, bars of words, coloured tokens, sizes to scale.

Everything here takes plain values and escapes them; nothing here asks a model.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from assistant.components import html_blocks
from assistant.i18n.texts import t

if TYPE_CHECKING:  # these import torch, and the Checkpoints page draws words without it
    from assistant.insight.token_probabilities import SaidToken, Word
    from assistant.insight.window_demo import Said, SmallChat
    from tuning.checkpoints.inspection import PrefixAttention, Sizes, WeightChange

SCALE_SIDE = 170.0  # of the square that stands for the base, in CSS pixels
SMALLEST_SIDE = 1.5
WHOLE_WIDTHS = (0.1, 0.25, 0.5, 1.01)  # a little above 1, for rounding
SURE_GAIN = 4.0  # nats: e⁴ is more than fifty times as likely
HEAT = ["#f3f2ed", "#c3c8ea", "#7f89cc", html_blocks.INK, "#1d2560"]


# ---- the window


def strip(chat: "SmallChat") -> str:
    """The window as a strip of turns, with those that have fallen out beside it."""
    numbered = list(enumerate(chat.said, 1))
    gone = [(number, turn) for number, turn in numbered if number - 1 in chat.fallen]
    inside = [(number, turn) for number, turn in numbered if number - 1 not in chat.fallen | chat.aside]
    free = max(chat.window - chat.used, 0)
    frame = _block("frame", chat.frame, chat.window, "", t("visible.strip.frame", tokens=chat.frame))
    blocks = "".join(
        _block(_role(turn), turn.tokens, chat.window, str(number), _hint(number, turn))
        for number, turn in inside
    )
    fallen = "".join(
        f'<span class="turn {_role(turn)}" title="{html_blocks.escaped(_hint(number, turn))}">{number}</span>'
        for number, turn in gone
    )
    label = html_blocks.escaped(t("visible.strip.gone"))
    beside = f'<div class="gone"><small>{label}</small><div>{fallen}</div></div>' if gone else ""
    said = t("visible.strip.used", used=min(chat.used, chat.window), window=chat.window, free=free)
    return (
        f'<div class="strip">{beside}<div class="inside"><small>{html_blocks.escaped(said)}</small>'
        f'<div class="blocks" role="img" aria-label="{html_blocks.escaped(said)}">{frame}{blocks}</div></div></div>'
    )


def turns(chat: "SmallChat", asking: str = "", writing: str = "") -> str:
    """What was said, the turns that have fallen out pale; the one being had at the end."""
    rows = [_turn(place, turn, chat) for place, turn in enumerate(chat.said)]
    if asking:
        rows.append(
            f'<li><b class="number">{len(chat.said) + 1}</b><div><p class="asked">{html_blocks.escaped(asking)}</p>'
            f'<p>{html_blocks.escaped(writing)}<span class="caret"></span></p></div></li>'
        )
    return f'<ol class="turns">{"".join(rows)}</ol>'


def _turn(place: int, turn: "Said", chat: "SmallChat") -> str:
    out = place in chat.fallen or place in chat.aside
    marks = ""
    if out:
        marks += html_blocks.mark(
            t("visible.strip.fallen" if place in chat.fallen else "visible.strip.aside")
        )
    if turn.kind == "checkpoint":
        marks += html_blocks.mark(t("memory.checkpoint"), "checkpoint")
    if turn.right is not None:
        marks += html_blocks.mark(
            *((t("visible.knows"), "good") if turn.right else (t("visible.knows_not"), "bad"))
        )
    return (
        f'<li class="{"fallen" if out else ""}"><b class="number {_role(turn)}">{place + 1}</b>'
        f'<div><p class="asked">{html_blocks.escaped(turn.question)} {marks}</p>'
        f"<p>{html_blocks.escaped(turn.answer)}</p></div></li>"
    )


def _role(turn: "Said") -> str:
    """How a turn is coloured: it holds the fact, it was answered by weights, or it is talk."""
    if turn.kind == "checkpoint":
        return "ink"
    return "pencil" if turn.kind in ("told", "asked") else "talk"


def _block(role: str, tokens: int, window: int, label: str, hint: str) -> str:
    width = 100 * tokens / max(window, 1)
    return f'<span class="turn {role}" style="width:{width:.2f}%" title="{html_blocks.escaped(hint)}">{label}</span>'


def _hint(number: int, turn: "Said") -> str:
    return t("visible.strip.turn", number=number, tokens=turn.tokens, text=turn.question[:80])


# ---- the next word


def readable(text: str, ends: bool = False) -> str:
    """A token as a person reads it: where a word goes on it begins with an ellipsis."""
    if ends:
        return t("visible.next.end")
    if not text.strip(" "):
        return "␣" * max(len(text), 1)
    shown = text.replace("\n", "↵").replace("\t", "⇥")
    if shown.startswith(" "):
        return shown.strip(" ")
    return f"…{shown}" if shown[0].isascii() and shown[0].isalnum() else shown


def scale_of(sides: "Sequence[Sequence[Word]]") -> float:
    """The probability that a bar of full width stands for: the same for words beside each other."""
    largest = max((word.share for words in sides for word in words), default=1.0)
    return next(whole for whole in WHOLE_WIDTHS if largest <= whole)


def bars(words: "Sequence[Word]", key: str, colour: str, whole: float) -> str:
    """The style that draws a bar behind the button of each word; `whole` is that of a full width."""
    rules = []
    for place, word in enumerate(words):
        width = min(100 * word.share / whole, 100)
        rules.append(
            f".st-key-{key}-{place} button {{ background: linear-gradient(to right, {colour} {width:.2f}%, "
            f"transparent {width:.2f}%) no-repeat; opacity: {'.45' if word.left_out else '1'} }}"
        )
    return f"<style>{' '.join(rules)}</style>"


def percent(share: float) -> str:
    """A probability as a person reads it."""
    if share >= 0.9995:
        return "100 %"
    if share >= 0.0995:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %" if share > 0 else "0 %"


def tokens_by_share(said: "Sequence[SaidToken]") -> str:
    """An answer whose tokens are the darker, the less sure the model was of them."""
    return _tokens(said, [f"rgba(168,100,26,{0.75 * (1 - token.share):.3f})" for token in said])


def tokens_by_gain(said: "Sequence[SaidToken]") -> str:
    """An answer whose tokens are blue where the checkpoint made them likelier, and red where less likely."""
    colours = []
    for token in said:
        strength = min(abs(token.gain) / SURE_GAIN, 1.0) * 0.55
        colours.append(f"rgba({'51,63,143' if token.gain >= 0 else '178,58,58'},{strength:.3f})")
    return _tokens(said, colours)


def _tokens(said: "Sequence[SaidToken]", colours: Sequence[str]) -> str:
    pieces = "".join(
        f'<span style="background:{colour}" title="{html_blocks.escaped(_about(token))}">{_shown(token.text)}</span>'
        for token, colour in zip(said, colours, strict=True)
    )
    return f'<div class="tokens">{pieces}</div>'


def _shown(text: str) -> str:
    return html_blocks.escaped(text).replace("\n", "↵<br>")


def _about(token: "SaidToken") -> str:
    return t(
        "visible.answer.token",
        text=readable(token.text),
        share=percent(token.share),
        before=percent(token.before),
        rival=readable(token.rival),
        divergence=f"{token.divergence:.2f}",
    )


def tokens_table(said: "Sequence[SaidToken]") -> str:
    """The figures behind the colours."""
    keys = ("token", "before", "share", "divergence", "rival")
    head = "".join(f"<th>{html_blocks.escaped(t(f'visible.answer.column.{key}'))}</th>" for key in keys)
    rows = "".join(
        f"<tr><td><b>{html_blocks.escaped(readable(token.text))}</b></td>"
        + "".join(
            f'<td class="numbers" data-label="{html_blocks.escaped(t(f"visible.answer.column.{key}"))}">'
            f"{html_blocks.escaped(value)}</td>"
            for key, value in (
                ("before", percent(token.before)),
                ("share", percent(token.share)),
                ("divergence", f"{token.divergence:.2f}"),
                ("rival", readable(token.rival)),
            )
        )
        + "</tr>"
        for token in said
    )
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


# ---- inside a checkpoint


def to_scale(sizes: "Sizes", base: str, checkpoint: str) -> str:
    """Two squares whose areas are the numbers of the base and of the checkpoint."""
    larger = max(sizes.base, sizes.learned)
    squares = "".join(
        f'<figure><div class="square {role}" style="width:{side:.1f}px;height:{side:.1f}px"></div>'
        f"<figcaption><b>{html_blocks.escaped(name)}</b><br>{html_blocks.escaped(count(numbers))}</figcaption></figure>"
        for role, name, numbers in (("base", base, sizes.base), ("ink", checkpoint, sizes.learned))
        for side in [max(SCALE_SIDE * math.sqrt(numbers / larger), SMALLEST_SIDE)]
    )
    return f'<div class="scale">{squares}</div>'


def count(numbers: int) -> str:
    """A count of numbers as a person says it: 134.5 million."""
    if numbers >= 1e9:
        return t("visible.count.billion", count=f"{numbers / 1e9:.1f}")
    if numbers >= 1e6:
        return t("visible.count.million", count=f"{numbers / 1e6:.1f}")
    return t("visible.count.plain", count=f"{numbers:,}")


def changes(found: "Sequence[WeightChange]") -> alt.Chart:
    """How far each matrix was moved: a map of layers and modules."""
    outside = t("visible.changes.outside")
    rows = [
        {
            "layer": outside if change.layer is None else str(change.layer),
            "module": change.module,
            "size": change.size,
        }
        for change in found
    ]
    layers = list(dict.fromkeys(str(row["layer"]) for row in rows))
    modules = list(dict.fromkeys(change.module for change in found))
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect(stroke="#fdfdfb", strokeWidth=1)
        .encode(
            x=alt.X("layer:N", sort=layers, title=t("visible.layer"), axis=_layers_axis(layers)),
            y=alt.Y("module:N", sort=modules, title=None),
            color=alt.Color("size:Q", title=None, scale=_heat(), legend=_legend()),
            tooltip=[
                alt.Tooltip("layer:N", title=t("visible.layer")),
                alt.Tooltip("module:N", title=t("visible.module")),
                alt.Tooltip("size:Q", title=t("visible.changes.size"), format=".2%"),
            ],
        )
        .properties(height=34 * len(modules) + 170)
    )


def attention(found: "Sequence[PrefixAttention]") -> alt.Chart:
    """How much each layer looks at the prefix: its first position apart from the others."""
    rows = [
        {"layer": str(layer.layer), "part": t(f"visible.attention.{part}"), "share": share, "order": order}
        for layer in found
        for order, (part, share) in enumerate(
            (("rest", max(layer.share - layer.first, 0.0)), ("first", layer.first))
        )
    ]
    layers = [str(layer.layer) for layer in found]
    parts = [t("visible.attention.rest"), t("visible.attention.first")]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            x=alt.X("layer:N", sort=layers, title=t("visible.layer"), axis=_layers_axis(layers)),
            y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(domain=parts, range=[html_blocks.INK, "#c9ccd9"]),
                legend=alt.Legend(orient="bottom", labelLimit=340, columns=1),
            ),
            order="order:Q",
            tooltip=["layer", "part", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=260)
    )


def heads(found: "Sequence[PrefixAttention]") -> alt.Chart:
    """The same for each head alone."""
    rows = [
        {"layer": str(layer.layer), "head": str(head), "share": share}
        for layer in found
        for head, share in enumerate(layer.heads)
    ]
    layers = [str(layer.layer) for layer in found]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect(stroke="#fdfdfb", strokeWidth=1)
        .encode(
            x=alt.X("layer:N", sort=layers, title=t("visible.layer"), axis=_layers_axis(layers)),
            y=alt.Y("head:N", sort=None, title=t("visible.head")),
            color=alt.Color("share:Q", title=None, scale=_heat([0, 1]), legend=_legend()),
            tooltip=["layer", "head", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=26 * max(len(layer.heads) for layer in found) + 170)
    )


def learned_words(words: Sequence[Sequence[str]]) -> str:
    """Each learned word with the real words that it lies nearest to."""
    chips = "".join(
        f'<span class="near"><small>{place}</small><b>{html_blocks.escaped(readable(near[0]))}</b>'
        f"{html_blocks.escaped(', '.join(readable(word) for word in near[1:]))}</span>"
        for place, near in enumerate(words, 1)
        if near
    )
    return f'<div class="nears">{chips}</div>'


def _layers_axis(layers: Sequence[str]) -> alt.Axis:
    """Every second layer is named where there are many."""
    step = 1 if len(layers) <= 16 else 5
    return alt.Axis(labelAngle=0, values=list(layers)[::step], grid=False)


def _heat(domain: list[float] | None = None) -> alt.Scale:
    if domain:
        return alt.Scale(range=HEAT, interpolate="rgb", domain=domain)
    return alt.Scale(range=HEAT, interpolate="rgb", domainMin=0)


def _legend() -> alt.Legend:
    return alt.Legend(format=".1%", orient="bottom", gradientLength=220, gradientThickness=10)
