"""The result of a blind trial: who was who, win rates, ranking, position bias, files to download."""

import json
from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from assistant.arena.pairing import BlindTrial
from assistant.arena.trials import CastVote
from assistant.compare.ranking import tally
from assistant.compare.votes import Tally
from assistant.components import formatting, html_blocks
from assistant.components.interval_charts import draw_spans
from assistant.components.variant_picker import names
from assistant.history.preferences import to_jsonl
from assistant.i18n.texts import t
from assistant.reports import arena_html
from assistant.session import resources

MAX_SHOWN = 300


def draw_result(trial: BlindTrial) -> None:
    """The result of a trial as far as it is voted on."""
    st.subheader(formatting.escape_markdown(trial.name), anchor=False)
    store = resources.blind_trials()
    votes = store.votes(trial.id)
    if not votes:
        html_blocks.quiet(t("blind.none"))
        return
    counted, rows = tally(votes), store.cast_votes(trial.id)
    _draw_tiles(counted)
    called = names(trial.variants)
    said = [arena_html.win_sentence(duel, called) for duel in counted.pairs]
    said.append(arena_html.position_sentence(counted.position))
    st.markdown("\n".join(f"- {formatting.escape_markdown(sentence)}" for sentence in said))
    if careful := arena_html.caution(counted):
        html_blocks.quiet(careful)
    _draw_charts(trial, counted, called)
    _draw_votes(rows)
    _draw_files(trial, counted, rows)


def _draw_tiles(counted: Tally) -> None:
    ties, bad = (sum(getattr(duel, name) for duel in counted.pairs) for name in ("ties", "both_bad"))
    place = counted.position
    low, high = (f"{100 * value:.0f}" for value in (place.interval.low, place.interval.high))
    decided = place.left + place.right
    note = t("blind.tile.votes.note", questions=counted.questions, voters=counted.voters)
    tiles = [
        html_blocks.Tile(t("blind.tile.votes"), str(counted.votes), note),
        html_blocks.Tile(
            t("blind.tile.undecided"), str(ties + bad), t("blind.tile.undecided.note", ties=ties, bad=bad)
        ),
    ]
    if decided:
        left_note = t("blind.tile.left.note", low=low, high=high)
        tint = "amber" if place.p_value < 0.05 else ""
        tiles.append(html_blocks.Tile(t("blind.tile.left"), f"{place.left} / {decided}", left_note, tint))
    html_blocks.tiles(tiles)


def _draw_charts(trial: BlindTrial, counted: Tally, called: Mapping[str, str]) -> None:
    kinds = {variant.name: variant.kind for variant in trial.variants}
    rates = [
        {
            "name": f"{called[duel.first]} ⟷ {called[duel.second]}",
            "kind": kinds[duel.first],
            "value": duel.share,
            "low": duel.interval.low,
            "high": duel.interval.high,
            "label": f"{duel.first_wins} : {duel.second_wins}, {duel.ties + duel.both_bad} =",
        }
        for duel in counted.pairs
    ]
    draw_spans(rates, t("blind.winrate"), middle=0.5)
    if len(trial.variants) > 2:
        strengths = [
            {
                "name": called[rank.variant],
                "kind": kinds[rank.variant],
                "value": rank.strength,
                "low": rank.interval.low,
                "high": rank.interval.high,
                "label": f"{rank.strength:.0%}",
            }
            for rank in counted.ranking
        ]
        draw_spans(strengths, t("blind.strength"), middle=0.5)


def _draw_votes(rows: list[CastVote]) -> None:
    with st.expander(t("blind.table"), icon=":material/how_to_vote:"):
        shown = [
            {**asdict(row), "outcome": t(f"trial.outcome.{row.outcome}")}
            for row in reversed(rows[-MAX_SHOWN:])
        ]
        st.dataframe(
            pd.DataFrame(shown).drop(columns=["voted"]),
            hide_index=True,
            height=min(420, 60 + 36 * len(shown)),
        )


def _draw_files(trial: BlindTrial, counted: Tally, rows: list[CastVote]) -> None:
    kept = resources.workspace().preferences.list()
    data = {"trial": trial.name, **counted.to_dict(), "votes_cast": [asdict(row) for row in rows]}
    files = (
        ("evaluation.report", arena_html.render(trial.name, counted, rows), "trial.html", "text/html"),
        (
            "blind.export",
            to_jsonl(kept, [variant.name for variant in trial.variants]),
            "preferences.jsonl",
            "application/jsonl",
        ),
        ("evaluation.csv", arena_html.to_csv(rows), "votes.csv", "text/csv"),
        (
            "evaluation.json",
            json.dumps(data, ensure_ascii=False, indent=2),
            "trial.json",
            "application/json",
        ),
    )
    with st.container(horizontal=True):
        for text, content, name, kind in files:
            st.download_button(
                t(text),
                content,
                name,
                kind,
                icon=":material/download:",
                on_click="ignore",
                key=f"file-{name}",
            )
