"""The tuning methods as cards: what each changes, what it costs, when to choose it."""

from collections.abc import Sequence

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t, translated
from tuning.checkpoints.manifest import REMOTE
from tuning.training.methods import METHODS, REMOTE_METHODS, Method

FIRST = ("lora", "p-tuning-v2")  # shown before the others
COLUMNS = 3
OFFERED = METHODS | REMOTE_METHODS


def chosen() -> str:
    """The method of the next fine-tuning in this tab."""
    name: str = st.session_state.setdefault("method", FIRST[0])
    return name


def draw_first() -> None:
    """The two that suit most jobs, and the chosen one if it is another."""
    shown = [*FIRST, *([chosen()] if chosen() not in FIRST else [])]
    _draw_row([OFFERED[name] for name in shown], "first", brief=True)


def draw_all() -> None:
    """Every method, a few in a row."""
    entries = list(OFFERED.values())
    for start in range(0, len(entries), COLUMNS):
        _draw_row(entries[start : start + COLUMNS], "all", width=COLUMNS)


def draw_others(key: str) -> None:
    """A list of the methods that `draw_first` leaves out."""
    for entry in OFFERED.values():
        if entry.name not in FIRST:
            st.button(
                translated(entry.title),
                key=f"{key}-{entry.name}",
                help=translated(entry.sentence),
                width="stretch",
                on_click=_choose,
                args=(entry.name,),
            )
            html_blocks.quiet(translated(entry.choose_when))


def _draw_row(entries: Sequence[Method], key: str, width: int = 0, brief: bool = False) -> None:
    for column, entry in zip(st.columns(max(width, len(entries))), entries, strict=False):
        is_chosen = entry.name == chosen()
        name = f"method-chosen-{key}" if is_chosen else f"method-{key}-{entry.name}"
        with column, st.container(key=name, border=True, height="stretch"):
            title, sentence, cost = map(translated, (entry.title, entry.sentence, entry.cost))
            st.html(html_blocks.card(title, sentence, "" if brief else cost))
            st.html(f'<div class="choice"><p>{html_blocks.escaped(translated(entry.choose_when))}</p></div>')
            if not brief:
                st.html(_abilities(entry))
            if is_chosen:
                st.html(html_blocks.badge(t("teach.chosen"), "checkpoint"))
            else:
                st.button(
                    t("teach.choose"),
                    key=f"choose-{key}-{entry.name}",
                    type="tertiary",
                    on_click=_choose,
                    args=(entry.name,),
                )


def _abilities(entry: Method) -> str:
    """What can be done with a checkpoint of this method, and what it needs."""
    if entry.name == REMOTE:
        return f'<div class="marks">{html_blocks.badge(t("method.leaves"), "warn")}</div>'
    marks = [
        html_blocks.badge(t("method.mergeable"), "good")
        if entry.mergeable
        else html_blocks.badge(t("method.not_mergeable")),
        html_blocks.badge(t("method.exportable"), "good")
        if entry.exportable
        else html_blocks.badge(t("method.not_exportable")),
    ]
    if entry.needs_cuda:
        marks.append(html_blocks.badge(t("method.needs_cuda"), "warn"))
    return f'<div class="marks">{"".join(marks)}</div>'


def _choose(name: str) -> None:
    st.session_state["method"] = name
