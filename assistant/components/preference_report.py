"""What a run over preferences changed: four figures first, then the answers that are different now."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t

FIRST_ANSWERS = 4
MAX_LETTERS = 400


def is_one(evaluation: Mapping[str, Any]) -> bool:
    """Whether the evaluation is of a run over preferences."""
    return bool(evaluation.get("preferences"))


def draw(evaluation: Mapping[str, Any]) -> None:
    """The figures, and the answers of a model that answers."""
    report = evaluation["preferences"]
    if "temperature" in report:
        html_blocks.tiles(_reward_tiles(report))
        html_blocks.quiet(t("preferences.report.reward"))
        return
    html_blocks.tiles([_agreement(report), _wins(report), _facts(evaluation), _general(evaluation)])
    _draw_answers(report.get("answers") or ())


def _agreement(report: Mapping[str, Any]) -> html_blocks.Tile:
    """The share of pairs kept aside whose preferred answer is the likelier one."""
    pairs, label = report.get("pairs") or {}, t("preferences.report.agrees")
    if not pairs.get("n"):
        return html_blocks.Tile(label, "–", t("preferences.report.agrees.none"))
    low, high = (f"{value:.0%}" for value in pairs["interval"])
    note = t("preferences.report.agrees.note", count=pairs["n"], low=low, high=high)
    return html_blocks.Tile(label, f"{pairs['before']:.0%} → {pairs['after']:.0%}", note, "ink")


def _wins(report: Mapping[str, Any]) -> html_blocks.Tile:
    """How often the reward model finds the new answer better."""
    won, label = report.get("win_rate") or {}, t("preferences.report.wins")
    if not won.get("n"):
        return html_blocks.Tile(label, "–", t("preferences.report.wins.none"))
    low, high = (f"{value:.0%}" for value in won["interval"])
    note = t("preferences.report.wins.note", count=won["n"], reward=won["reward"], low=low, high=high)
    return html_blocks.Tile(label, f"{won['after']:.0%}", note, "ink")


def _facts(evaluation: Mapping[str, Any]) -> html_blocks.Tile:
    """What was taught before and is still known."""
    earlier, label = evaluation.get("earlier") or {}, t("preferences.report.facts")
    if not earlier.get("n"):
        return html_blocks.Tile(label, "–", t("preferences.report.facts.none"))
    note = t("preferences.report.facts.note", count=earlier["n"])
    known = (
        f"{earlier['before']:.0%} → {earlier['after']:.0%}"
        if "before" in earlier
        else f"{earlier['after']:.0%}"
    )
    return html_blocks.Tile(label, known, note, "pencil")


def _general(evaluation: Mapping[str, Any]) -> html_blocks.Tile:
    """What any model knows, and this one still does."""
    kept, label = evaluation.get("retention") or {}, t("preferences.report.general")
    if not kept.get("n") or kept.get("kept") is None:
        return html_blocks.Tile(label, "–", t("preferences.report.general.none"))
    note = t("preferences.report.general.note", count=round(kept["before"] * kept["n"]))
    return html_blocks.Tile(label, f"{kept['kept']:.0%}", note, "pencil")


def _reward_tiles(report: Mapping[str, Any]) -> list[html_blocks.Tile]:
    pairs, label = report.get("pairs") or {}, t("preferences.report.judges")
    if not pairs.get("n"):
        return [html_blocks.Tile(label, "–", t("preferences.report.agrees.none"))]
    low, high = (f"{value:.0%}" for value in pairs["interval"])
    note = t("preferences.report.agrees.note", count=pairs["n"], low=low, high=high)
    return [
        html_blocks.Tile(label, f"{pairs['after']:.0%}", note, "ink"),
        html_blocks.Tile(
            t("preferences.report.sure"),
            f"{report['log_loss']['after']:.2f}",
            t("preferences.report.sure.note"),
        ),
    ]


def _draw_answers(answers: Sequence[Mapping[str, Any]]) -> None:
    """The answers on prompts kept aside that changed; how many did not."""
    changed = [one for one in answers if one["before"] != one["after"]]
    if not answers:
        return
    st.markdown(f"**{t('preferences.report.changed', count=len(changed), asked=len(answers))}**")
    if changed:
        st.html(_table(changed[:FIRST_ANSWERS]))
    if len(changed) > FIRST_ANSWERS:
        with st.expander(t("preferences.report.all", count=len(changed)), type="compact"):
            st.html(_table(changed[FIRST_ANSWERS:]))


def _table(answers: Sequence[Mapping[str, Any]]) -> str:
    heads = ("report.question", "report.before", "report.after")
    head = "".join(f"<th>{html_blocks.escaped(t(key))}</th>" for key in heads)
    rows = "".join(
        f"<tr><td>{html_blocks.escaped(one['prompt'])}</td>{_said(one, 'before')}{_said(one, 'after')}</tr>"
        for one in answers
    )
    return f'<table class="facts answers"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _said(answer: Mapping[str, Any], when: str) -> str:
    label = html_blocks.escaped(t("report.before" if when == "before" else "report.after"))
    text = str(answer.get(when, ""))
    shown = html_blocks.escaped(text[:MAX_LETTERS]) + ("…" if len(text) > MAX_LETTERS else "")
    score = answer.get(f"score_{when}")
    mark = "" if score is None else f' <span class="mark">{score:+.1f}</span>'
    return f'<td class="{"no" if when == "before" else "yes"}" data-label="{label}">{shown or "–"}{mark}</td>'
