"""Compare: one question to several memories side by side, or a file of questions with figures."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

import altair as alt
import pandas as pd
import streamlit as st

from assistant.answering import Answer
from assistant.arms import BASE, RAG, Arm, Question, parse_arms, read_questions
from assistant.chat import How
from assistant.compare import MOST_SIDE_BY_SIDE, Comparison
from assistant.pages import look, session
from assistant.texts import t
from assistant.trials import SideBySide, Trial

LOOK_AGAIN_SECONDS = 0.2
COLOURS = {"base": look.GRAY, "documents": look.PENCIL, "checkpoint": look.INK, "both": "#8d5a97"}


def draw() -> None:
    """The page."""
    look.title(t("page.compare"), t("compare.lead"))
    arms = _draw_arms()
    question, file = st.tabs([t("compare.one"), t("compare.file")])
    with question:
        _draw_question(arms)
    with file:
        _draw_file(arms)


def _draw_arms() -> tuple[Arm, ...]:
    """Two to four ways to answer."""
    names = [checkpoint.name for checkpoint in reversed(session.workspace().registry.list())]
    options = [BASE, RAG, *(choice for name in names for choice in (name, f"{name}+{RAG}"))]
    wanted = [name for name in st.session_state.get("arms", [BASE, RAG]) if name in options]
    st.session_state["arm-choice"] = wanted
    chosen = st.pills(
        t("compare.arms"),
        options,
        selection_mode="multi",
        key="arm-choice",
        format_func=_arm_label,
        on_change=lambda: st.session_state.update(arms=st.session_state["arm-choice"]),
    )
    if not names:
        look.quiet(t("compare.no_checkpoint"))
    if len(chosen) > MOST_SIDE_BY_SIDE:
        st.warning(t("compare.too_many", most=MOST_SIDE_BY_SIDE), icon=":material/info:")
    return parse_arms(",".join(chosen), names) if chosen else ()


def _arm_label(name: str) -> str:
    if name == BASE:
        return f":material/circle: {t('compare.base')}"
    if name == RAG:
        return f":material/edit_note: {t('compare.rag')}"
    if name.endswith(f"+{RAG}"):
        return f":material/join: {look.plain(name.removesuffix(f'+{RAG}'))} \\+ {t('compare.with_documents')}"
    return f":material/fingerprint: {look.plain(name)}"


def _kind(arm: Arm) -> str:
    if arm.checkpoint is None:
        return "documents" if arm.documents else "base"
    return "both" if arm.documents else "checkpoint"


def _common() -> How:
    settings, preset = session.workspace().settings, session.prompt()
    return How(
        knowledge_base=session.knowledge_base(),
        passages=settings.passages,
        system_prompt=preset.system,
        few_shot=tuple(preset.few_shot),
        max_new_tokens=settings.max_new_tokens,
    )


# ---- one question


def _draw_question(arms: tuple[Arm, ...]) -> None:
    with (
        st.form("compare-form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        question = st.text_input(
            t("compare.question"),
            key="compare-question",
            placeholder=t("compare.question.placeholder"),
            label_visibility="collapsed",
        )
        asked = st.form_submit_button(t("compare.ask"), type="primary", icon=":material/compare_arrows:")
    if asked:
        with session.told():
            run = session.trials().ask(session.workspace().chat, question or "", arms, _common())
            session.choose("run", run.id)
            st.session_state["votes"] = None
            st.rerun()
    shown = session.trials().get(session.chosen("run") or "")
    if shown is None:
        look.quiet(t("compare.question.lead"))
        return
    if shown.running:
        st.session_state["columns-were-drawn"] = True
        _draw_live(shown)
    else:
        _draw_columns(shown)


@st.fragment(run_every=LOOK_AGAIN_SECONDS)
def _draw_live(shown: SideBySide) -> None:
    """The answers as they grow; see `chat._draw_live` for why it stays in one run."""
    session.speak()
    st.markdown(f"**{look.prose(shown.question)}**")
    places = [column.empty() for column in st.columns(len(shown.arms))]
    stays = not st.session_state.pop("columns-were-drawn", False)
    while True:
        for place, arm, answer in zip(places, shown.arms, shown.answers, strict=True):
            place.html(_column(arm, answer))
        if not stays or not shown.running:
            break
        next(answer for answer in shown.answers if answer.running).wait(LOOK_AGAIN_SECONDS)
    st.button(t("chat.stop"), icon=":material/stop_circle:", key="stop-comparison", on_click=shown.stop)
    if not shown.running:
        st.rerun()


def _draw_columns(shown: SideBySide) -> None:
    st.markdown(f"**{look.prose(shown.question)}**")
    for place, column in enumerate(st.columns(len(shown.arms))):
        arm, answer = shown.arms[place], shown.answers[place]
        with column:
            st.html(_column(arm, answer))
            if answer.done is not None and answer.done.sources:
                label = t("message.sources", count=len(answer.done.sources))
                with st.expander(label, icon=":material/description:", type="compact"):
                    st.html(
                        "".join(
                            look.source(n, source, shown.question)
                            for n, source in enumerate(answer.done.sources, 1)
                        )
                    )
            if answer.text and st.session_state.get("votes") is None:
                if st.button(
                    t("compare.best"), icon=":material/thumb_up:", key=f"best-{place}", type="tertiary"
                ):
                    shown.vote(session.workspace().store, place)
                    st.session_state["votes"] = place
                    session.later(t("compare.voted"))
                    st.rerun()
            elif st.session_state.get("votes") == place:
                st.html(look.mark(t("compare.chosen"), "good"))


def _column(arm: Arm, answer: Answer) -> str:
    kind = _kind(arm)
    if answer.error:
        text = f'<p class="failed">{look.escaped(answer.error)}</p>'
    elif answer.running:
        text = f'<p>{look.escaped(answer.text)}<span class="caret"></span></p>'
    else:
        text = f"<p>{look.escaped(answer.text) or '–'}</p>"
    figures = t("compare.waiting")
    if answer.done is not None:
        figures = t(
            "compare.figures",
            prompt=answer.done.prompt_tokens,
            answer=answer.done.completion_tokens,
            seconds=look.seconds(answer.done.seconds),
        )
    elif answer.phase == "writing":
        figures = t("answer.writing")
    elif answer.error:
        figures = t("status.failed")
    return (
        f'<div class="arm {kind}"><div class="arm-name">{look.escaped(_arm_name(arm))}</div>{text}'
        f'<div class="quiet numbers">{look.escaped(figures)}</div></div>'
    )


def _arm_name(arm: Arm) -> str:
    if arm.checkpoint is None:
        return t("compare.rag") if arm.documents else t("compare.base")
    return f"{arm.checkpoint} + {t('compare.with_documents')}" if arm.documents else arm.checkpoint


# ---- a file of questions


def _draw_file(arms: tuple[Arm, ...]) -> None:
    trial = session.trials().trial
    if trial is not None and trial.running:
        _draw_running(trial)
        return
    questions = _draw_choice()
    if questions:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            count = (
                st.slider(t("compare.how_many"), 1, len(questions), min(20, len(questions)), key="how-many")
                if len(questions) > 1
                else 1
            )
            if st.button(t("compare.run"), type="primary", icon=":material/play_arrow:", key="run-trial"):
                with session.told():
                    opened = session.workspace()
                    session.trials().start(opened.chat, opened.engine(), questions[:count], arms, _common())
                    st.rerun()
    if trial is not None:
        _draw_result(trial)


def _draw_choice() -> list[Question]:
    """The questions of an uploaded file, or of the sample domain."""
    uploaded = st.file_uploader(
        t("compare.upload"), type=["jsonl"], key="questions-file", help=t("compare.upload.help")
    )
    if uploaded is not None:
        with session.told(), tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / uploaded.name
            path.write_bytes(uploaded.getvalue())
            return read_questions(path)
    elif session.SAMPLE.exists() and st.toggle(t("compare.sample"), key="sample-questions"):
        questions = read_questions(session.SAMPLE / "questions.jsonl")
        slices = list(dict.fromkeys(str(question.about.get("slice")) for question in questions))
        chosen = st.pills(
            t("compare.slice"), slices, default=slices[:1], selection_mode="multi", key="slices"
        )
        return [question for question in questions if str(question.about.get("slice")) in chosen]
    return []


@st.fragment(run_every=1.0)
def _draw_running(trial: Trial) -> None:
    session.speak()
    if not trial.running:
        st.rerun()
    share = trial.done / trial.total if trial.total else 0.0
    st.progress(share, text=t("compare.progress", done=trial.done, total=trial.total))
    st.button(t("chat.stop"), icon=":material/stop_circle:", key="stop-trial", on_click=trial.stop)


def _draw_result(trial: Trial) -> None:
    if trial.error:
        st.error(session.sentence(Exception(trial.error)), icon=":material/error:")
    if trial.comparison is None:
        return
    _draw_bars(trial.comparison)
    result = trial.comparison.to_dict()
    for pair in result["pairs"]:
        if pair["p_value_holm"] < 0.05:
            better, worse = pair["arms"] if pair["difference"] > 0 else reversed(pair["arms"])
            look.quiet(t("compare.differs", better=better, worse=worse, p=f"{pair['p_value_holm']:.3f}"))
    names = [arm.name for arm in trial.comparison.arms]
    st.html(_rows_table(result["rows"], names))
    st.download_button(
        t("compare.download"),
        json.dumps(result, ensure_ascii=False, indent=2),
        "comparison.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
    )


def _draw_bars(comparison: Comparison) -> None:
    """Accuracy of each arm with its 95 % interval."""
    rows = []
    for arm in comparison.arms:
        figures = comparison.figures(arm.name)
        low, high = figures["confidence_interval"]
        rows.append(
            {
                "arm": _arm_name(arm),
                "kind": _kind(arm),
                "accuracy": figures["accuracy"],
                "low": low,
                "high": high,
                "said": t("report.of", correct=figures["correct"], count=figures["n"]),
            }
        )
    frame = pd.DataFrame(rows)
    order = list(frame["arm"])
    base = alt.Chart(frame).encode(y=alt.Y("arm:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)))
    colour = alt.Color(
        "kind:N", scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), legend=None
    )
    axis = alt.Axis(format="%", tickCount=5)
    bars = base.mark_bar(height=22, cornerRadiusEnd=4).encode(
        x=alt.X("accuracy:Q", scale=alt.Scale(domain=[0, 1]), title=t("compare.accuracy"), axis=axis),
        color=colour,
    )
    spans = base.mark_rule(strokeWidth=2, color="#23262b").encode(x="low:Q", x2="high:Q")
    words = base.mark_text(align="left", dx=6, dy=-15, color="#6a6d74").encode(x="high:Q", text="said:N")
    st.altair_chart((bars + spans + words).properties(height=62 * len(rows) + 30))


def _rows_table(rows: Sequence[dict], names: Sequence[str]) -> str:
    head = "".join(f"<th>{look.escaped(name)}</th>" for name in (t("report.question"), *names))
    lines = []
    for row in rows:
        expected = look.escaped(" / ".join(row["expected"])[:120])
        cells = "".join(_cell(name, row["answers"][name], row["correct"][name]) for name in names)
        question = f'{look.escaped(row["question"])}<br><span class="quiet">{expected}</span>'
        lines.append(f"<tr><td>{question}</td>{cells}</tr>")
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _cell(name: str, text: str, correct: bool) -> str:
    sign = '<span class="tick">✓</span>' if correct else '<span class="cross">✗</span>'
    label, said = look.escaped(name), look.escaped(text[:180])
    return f'<td class="{"yes" if correct else "no"}" data-label="{label}">{sign} {said}</td>'
