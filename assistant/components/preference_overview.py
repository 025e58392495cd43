"""What people prefer, as far as it was collected: how much, from where, about what, and what was left out."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t, translated
from assistant.language.text import normal

if TYPE_CHECKING:
    from assistant.preferences.collect import CollectedPreferences

# Where preferences come from -> a colour.
COLOURS = {
    "blind": "var(--ink)",
    "side_by_side": "#8f97c7",
    "correction": "var(--pencil)",
    "regeneration": "#7fb3a5",
    "imported": "#b08a4a",
    "judge": "var(--quiet)",
    "thumb": "#d3b783",
    "both_bad": "var(--red)",
}
MAX_SHOWN = 500
FORMATS = ("trl", "plain", "kto", "hh", "openai")


def draw(found: "CollectedPreferences") -> None:
    """The figures, the bar of sources, and the lists folded away."""
    html_blocks.tiles(_tiles(found))
    if found.counts:
        st.html(source_bar(found.counts))
    if topics := found.topics():
        _draw_topics(topics)
    _draw_all(found)
    _draw_left_out(found)


def _tiles(found: "CollectedPreferences") -> list[html_blocks.Tile]:
    good = sum(one.item.good for one in found.judgements)
    questions = {normal(one.item.prompt[-1]["content"]) for one in found.pairs}
    return [
        html_blocks.Tile(t("preferences.pairs"), str(len(found.pairs)), t("preferences.pairs.note"), "ink"),
        html_blocks.Tile(
            t("preferences.thumbs"),
            str(len(found.judgements)),
            t("preferences.thumbs.note", good=good, bad=len(found.judgements) - good),
            "pencil",
        ),
        html_blocks.Tile(t("preferences.questions"), str(len(questions)), t("preferences.questions.note")),
        html_blocks.Tile(
            t("preferences.left_out"),
            str(len(found.left_out)),
            t("preferences.left_out.note"),
            "amber" if found.left_out else "",
        ),
    ]


def source_bar(counts: Mapping[str, int]) -> str:
    """One bar, cut by where the preferences come from, with its legend."""
    total = sum(counts.values())
    named = [(COLOURS[kind], t(f"preferences.from.{kind}"), count) for kind, count in counts.items()]
    blocks = "".join(
        f'<span style="width:{100 * count / total:.3f}%;background:{colour}"'
        f' title="{html_blocks.escaped(label)}: {count:,}"></span>'
        for colour, label, count in named
    )
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{html_blocks.escaped(label)} <b>{count:,}</b></span>'
        for colour, label, count in named
    )
    return f'<div class="window"><div class="bar tall">{blocks}</div><div class="legend">{legend}</div></div>'


def _draw_topics(topics: list[tuple[str, int]]) -> None:
    marks = "".join(html_blocks.badge(f"{word} {count}") for word, count in topics)
    label = html_blocks.escaped(t("preferences.about"))
    st.html(f'<div class="marks"><span class="quiet">{label}</span>{marks}</div>')


def _draw_all(found: "CollectedPreferences") -> None:
    if not found.counts:
        return
    with st.expander(t("preferences.all"), type="compact", key="all-preferences"):
        rows = [
            (
                t(f"preferences.from.{one.kind}"),
                one.item.prompt[-1]["content"],
                one.item.chosen,
                one.item.rejected,
            )
            for one in found.pairs[-MAX_SHOWN:][::-1]
        ]
        rows += [
            (
                t(f"preferences.from.{one.kind}"),
                one.item.prompt[-1]["content"],
                one.item.completion if one.item.good else "",
                "" if one.item.good else one.item.completion,
            )
            for one in found.judgements[-MAX_SHOWN:][::-1]
        ]
        names = ("source", "question", "preferred", "rejected")
        frame = pd.DataFrame(rows, columns=[t(f"preferences.column.{name}") for name in names])
        st.dataframe(frame, hide_index=True, height=min(420, 60 + 36 * len(frame)))
        _draw_export(found)


def _draw_export(found: "CollectedPreferences") -> None:
    from assistant.preferences.collect import SOURCES  # heavy: scipy
    from assistant.preferences.files import to_text

    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        form = st.selectbox(
            t("preferences.format"),
            FORMATS,
            key="preference-format",
            width=340,
            format_func=lambda name: t(f"preferences.format.{name}"),
        )
        st.download_button(
            t("preferences.export"),
            lambda: to_text(found, SOURCES, form),
            "preferences.jsonl",
            "application/jsonl",
            icon=":material/download:",
            on_click="ignore",
            key="export-preferences",
        )


def _draw_left_out(found: "CollectedPreferences") -> None:
    if not found.left_out:
        return
    with st.expander(
        t("preferences.why_left_out", count=len(found.left_out)), type="compact", key="left-out-preferences"
    ):
        reasons = Counter(one.why for one in found.left_out)
        for why, count in reasons.most_common():
            examples = "; ".join(
                dict.fromkeys(one.text[:80] for one in found.left_out if one.why == why and one.text)
            )
            st.html(
                f'<div class="quiet"><b>{count}</b> {html_blocks.escaped(translated(why))}'
                f"<br>{html_blocks.escaped(examples[:240])}</div>"
            )
