"""The memory report of a checkpoint: the verdict, what was taught, what is known, what was forgotten."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from assistant.components import html_blocks, preference_report
from assistant.i18n.texts import t

FIRST_FACTS = 8


def draw(evaluation: Mapping[str, Any]) -> None:
    """The report; one sentence where the checkpoint was never evaluated."""
    if not evaluation:
        html_blocks.quiet(t("report.none"))
        return
    _draw_verdict(evaluation)
    if preference_report.is_one(evaluation):
        preference_report.draw(evaluation)
    else:
        html_blocks.tiles(_tiles(evaluation))
    if dots := memory_picture(evaluation):
        st.html(dots)
    facts = list(evaluation.get("facts", ()))
    if not facts:
        return
    wrong_first = sorted(facts, key=lambda fact: bool(fact.get("correct_after")))
    st.html(facts_table(wrong_first[:FIRST_FACTS]))
    if len(facts) > FIRST_FACTS:
        with st.expander(t("report.all", count=len(facts)), type="compact"):
            st.html(facts_table(facts))


def _tiles(evaluation: Mapping[str, Any]) -> list[html_blocks.Tile]:
    tiles = []
    for name in ("recall", "rephrased"):
        part = evaluation.get(name) or {}
        if part.get("n"):
            note = t(f"report.{name}.note", before=of(part.get("before", 0), part["n"])) + _interval(part)
            tiles.append(
                html_blocks.Tile(t(f"report.{name}"), of(part.get("after", 0), part["n"]), note, "ink")
            )
    kept = evaluation.get("retention") or {}
    if kept.get("n") and kept.get("kept") is not None:
        known = round(kept["before"] * kept["n"])
        note = t("report.retention.note", count=kept["n"])
        tiles.append(html_blocks.Tile(t("report.retention"), of(float(kept["kept"]), known), note, "pencil"))
    earlier = evaluation.get("earlier") or {}
    if earlier.get("n"):
        note = t("report.earlier.note")
        tiles.append(html_blocks.Tile(t("report.earlier"), of(earlier["after"], earlier["n"]), note, "ink"))
    read = evaluation.get("reading") or {}
    if read.get("n"):
        note = t("report.reading.note", before=of(read["before"], read["n"]))
        tiles.append(html_blocks.Tile(t("report.reading"), of(read["after"], read["n"]), note, "pencil"))
    return tiles


def of(value: float, count: int) -> str:
    """A share or a count, as "17 of 20"."""
    correct = round(value * count) if 0 <= value <= 1 and isinstance(value, float) else round(value)
    return t("report.of", correct=correct, count=count)


def facts_table(facts: Sequence[Mapping[str, Any]]) -> str:
    """Each question with what was said before and after."""
    head = "".join(
        f"<th>{html_blocks.escaped(t(key))}</th>"
        for key in ("report.question", "report.before", "report.after")
    )
    rows = "".join(
        f"<tr><td>{_asked(fact)}</td>{_said(fact, 'before')}{_said(fact, 'after')}</tr>" for fact in facts
    )
    return f'<table class="facts before-after"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _asked(fact: Mapping[str, Any]) -> str:
    other_words = fact.get("phrasing") == "rephrased"
    note = (
        f' <span class="quiet">{html_blocks.escaped(t("report.rephrased.mark"))}</span>'
        if other_words
        else ""
    )
    return html_blocks.escaped(fact.get("asked") or fact.get("question", "")) + note


def _said(fact: Mapping[str, Any], when: str) -> str:
    right = bool(fact.get(f"correct_{when}"))
    sign = '<span class="tick">✓</span>' if right else '<span class="cross">✗</span>'
    label = html_blocks.escaped(t(f"report.{when}"))
    text = html_blocks.escaped(str(fact.get(when, ""))[:220])
    return f'<td class="{"yes" if right else "no"}" data-label="{label}">{sign} {text}</td>'


# ---- the verdict


def passed(evaluation: Mapping[str, Any]) -> bool:
    """Whether the checkpoint may be offered without a warning; one that was never judged may."""
    return bool((evaluation.get("verdict") or {}).get("passed", True))


def _draw_verdict(evaluation: Mapping[str, Any]) -> None:
    verdict = evaluation.get("verdict") or {}
    if verdict.get("passed", True):
        return
    found = " ".join(t(f"verdict.{problem.replace(' ', '_')}") for problem in verdict["problems"])
    advice = t(f"verdict.try.{verdict['suggestion'].replace(' ', '_')}")
    st.warning(f"{found} {advice}", icon=":material/warning:")


def _interval(part: Mapping[str, Any]) -> str:
    low, high = part.get("interval") or (None, None)
    return (
        ""
        if low is None or high is None
        else " · " + t("report.interval", low=f"{low:.0%}", high=f"{high:.0%}")
    )


# ---- the picture


def memory_picture(evaluation: Mapping[str, Any]) -> str:
    """A dot for each taught fact and for each general question: known, half known, lost, never known."""
    rows = [
        (t("picture.taught"), _taught_dots(evaluation.get("facts") or ()), ("all", "some", "none")),
        (t("picture.general"), _general_dots(evaluation.get("retention") or {}), ("kept", "lost", "unknown")),
    ]
    return "".join(_row(name, dots, kinds) for name, dots, kinds in rows if dots)


def _row(name: str, dots: Sequence[tuple[str, str]], kinds: Sequence[str]) -> str:
    drawn = "".join(f'<i class="{kind}" title="{html_blocks.escaped(text)}"></i>' for kind, text in dots)
    counts = {kind: sum(one == kind for one, _ in dots) for kind in kinds}
    legend = "".join(
        f'<span><i class="{kind}"></i>{html_blocks.escaped(t(f"picture.{kind}"))} <b>{count}</b></span>'
        for kind, count in counts.items()
        if count
    )
    return (
        f'<div class="dots"><div class="name">{html_blocks.escaped(name)}</div>'
        f'<div class="field">{drawn}</div><div class="legend">{legend}</div></div>'
    )


def _taught_dots(facts: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    by_question: dict[str, list[bool]] = {}
    for fact in facts:
        by_question.setdefault(str(fact["question"]), []).append(bool(fact["correct_after"]))
    kinds = {True: "all", False: "some"}
    return [
        (kinds[all(known)] if any(known) else "none", f"{question} ({sum(known)}/{len(known)})")
        for question, known in by_question.items()
    ]


def _general_dots(retention: Mapping[str, Any]) -> list[tuple[str, str]]:
    if not retention.get("n"):
        return []
    lost = [str(row.get("question", "")) for row in retention.get("lost") or ()]
    known = round(retention["before"] * retention["n"])
    dots = [("kept", "")] * (known - len(lost)) + [("lost", question) for question in lost]
    return [*dots, *[("unknown", "")] * (retention["n"] - known)]
