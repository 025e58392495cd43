"""Question sets: choose, write, import one, or generate one from documents or a checkpoint's examples."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from assistant.compare.question_sets import SLICES, QuestionSets, from_passages, from_taught
from assistant.compare.questions import Question, QuestionFile, of_rows, parse, read_file, to_jsonl
from assistant.components import html_blocks
from assistant.errors import CompareError
from assistant.i18n.texts import t, translated
from assistant.session import notices, resources, sample

SAMPLES = {"sets.sample": "questions.jsonl", "sets.sample.unknown": "unanswerable.jsonl"}
MAX_SHOWN = 300
BLANK_ROWS = 3  # to begin with; a row left blank is no question
HOWS = ("write", "import", "documents", "taught")


def draw() -> None:
    """The view."""
    html_blocks.quiet(t("sets.lead"))
    _draw_set()
    _draw_make()


def choose(key: str) -> list[Question]:
    """A set that a person picks, for the other views."""
    names = _names()
    chosen = st.selectbox(t("sets.choose"), list(names), key=f"set-{key}", format_func=names.__getitem__)
    if not chosen:
        return []
    with notices.show_errors():
        return list(_read(chosen).questions)
    return []


def _names() -> dict[str, str]:
    """What can be chosen, by key: own sets first, then the sample domain's."""
    own = {f"own:{name}": name for name in QuestionSets(resources.workspace().home).list()}
    samples = {key: t(key) for key in SAMPLES} if sample.is_offered() else {}
    return {**own, **samples}


def _read(key: str) -> QuestionFile:
    if key in SAMPLES:
        return read_file(sample.folder() / SAMPLES[key])
    return QuestionSets(resources.workspace().home).read(key.removeprefix("own:"))


# ---- looking at a set


def _draw_set() -> None:
    names = _names()
    st.session_state.setdefault("shown-set", next(iter(names), None))
    if st.session_state["shown-set"] not in names:
        st.session_state["shown-set"] = next(iter(names), None)
    if not names:
        html_blocks.quiet(t("sets.none"))
        return
    chosen = st.selectbox(t("sets.choose"), list(names), key="shown-set", format_func=names.__getitem__)
    if not chosen:
        return
    with notices.show_errors():
        reading = _read(chosen)
        _draw_problems(reading)
        _draw_questions(reading.questions)
        with st.container(horizontal=True):
            st.download_button(
                t("sets.download"),
                to_jsonl(reading.questions),
                f"{names[chosen]}.jsonl",
                "application/jsonl",
                icon=":material/download:",
                on_click="ignore",
            )
            if chosen.startswith("own:") and st.button(
                t("sets.delete"), icon=":material/delete:", type="tertiary", key="delete-set"
            ):
                QuestionSets(resources.workspace().home).delete(names[chosen])
                notices.queue_toast(t("sets.deleted", name=names[chosen]))
                st.rerun()


def _draw_questions(questions: Sequence[Question]) -> None:
    st.caption(t("sets.count", count=len(questions)))
    frame = pd.DataFrame(
        [
            {
                t("sets.column.question"): question.text,
                t("sets.column.answers"): " | ".join(question.answers) or t("sets.column.unknown"),
                t("sets.column.slice"): translated(question.slice or ""),
            }
            for question in questions[:MAX_SHOWN]
        ]
    )
    widths = {
        t("sets.column.question"): st.column_config.TextColumn(width="large"),
        t("sets.column.answers"): st.column_config.TextColumn(width="medium"),
    }
    st.dataframe(
        frame,
        hide_index=True,
        height=min(318, 38 + 35 * len(frame)),
        column_config=widths,
    )
    if len(questions) > MAX_SHOWN:
        html_blocks.quiet(t("sets.shown", shown=MAX_SHOWN, count=f"{len(questions):,}"))


# ---- making a set


def _draw_make() -> None:
    st.subheader(t("sets.make"), anchor=False)
    how = st.segmented_control(
        t("sets.make"),
        HOWS,
        default=HOWS[0],
        required=True,
        key="set-how",
        label_visibility="collapsed",
        format_func=lambda choice: t(f"sets.how.{choice}"),
    )
    name = st.text_input(t("sets.name"), key="set-name")
    makers = {
        "write": _draw_write,
        "import": _draw_import,
        "documents": _draw_documents,
        "taught": _draw_taught,
    }
    with notices.show_errors():
        made = makers[str(how)]()
        if made is not None:
            _save(name or "", made)


def _save(name: str, questions: Sequence[Question]) -> None:
    reading = QuestionSets(resources.workspace().home).save(name, questions)
    notices.queue_toast(t("sets.saved", name=" ".join(name.split()), count=len(reading.questions)))
    if reading.problems:
        notices.queue_toast(t("sets.repeated", count=len(reading.problems)), ":material/info:")
    st.session_state.pop("shown-set", None)
    st.rerun()


def _draw_write() -> list[Question] | None:
    empty = pd.DataFrame([{"question": "", "answers": "", "slice": "", "unknown": False}] * BLANK_ROWS)
    written = st.data_editor(
        empty,
        num_rows="dynamic",
        key="written-questions",
        hide_index=True,
        column_config={
            "question": st.column_config.TextColumn(t("sets.column.question"), width="large"),
            "answers": st.column_config.TextColumn(t("sets.column.answers"), width="medium"),
            "slice": st.column_config.SelectboxColumn(
                t("sets.column.slice"), options=["", *SLICES], format_func=lambda name: translated(str(name))
            ),
            "unknown": st.column_config.CheckboxColumn(t("sets.column.unknown"), default=False),
        },
    )
    if not st.button(t("sets.save"), type="primary", key="save-written"):
        return None
    return of_rows(written.to_dict("records"))


def _draw_import() -> list[Question] | None:
    uploaded = st.file_uploader(
        t("sets.upload"), type=["jsonl", "json", "csv"], key="set-file", help=t("sets.upload.help")
    )
    if uploaded is None:
        return None
    try:
        text = uploaded.getvalue().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CompareError(f"{uploaded.name} is not UTF-8 text ({error}). Save it as UTF-8.") from error
    reading = parse(text)
    st.caption(t("sets.count", count=len(reading.questions)))
    _draw_problems(reading)
    if reading.questions and st.button(t("sets.save"), type="primary", key="save-imported"):
        return list(reading.questions)
    return None


def _draw_problems(reading: QuestionFile) -> None:
    wrong = [problem for problem in reading.problems if not problem.is_repetition]
    if len(reading.problems) > len(wrong):
        html_blocks.quiet(t("sets.repeated", count=len(reading.problems) - len(wrong)))
    if wrong:
        with st.expander(t("sets.problems", count=len(wrong)), icon=":material/warning:"):
            for problem in wrong[:MAX_SHOWN]:
                st.text(t("sets.line", line=problem.line, what=problem.what))


def _draw_documents() -> list[Question] | None:
    bases = [name for name, count in resources.knowledge_counts().items() if count]
    base = st.selectbox(t("sets.documents"), bases, key="set-kb")
    names = ["", *(one.name for one in reversed(resources.workspace().registry.list()))]
    taught = st.selectbox(
        t("sets.compare_taught"), names, key="set-against", help=t("sets.compare_taught.help")
    )
    if not st.button(t("sets.build"), type="primary", key="build-documents", disabled=not base):
        return None
    opened = resources.workspace()
    knowledge = opened.existing_knowledge(base)
    passages = [passage for one in knowledge.documents() for passage in knowledge.passages(one.id)]
    learned = [example for _, example in opened.registry.examples_of(taught)] if taught else []
    return from_passages(passages, learned)


def _draw_taught() -> list[Question] | None:
    names = [one.name for one in reversed(resources.workspace().registry.list())]
    checkpoint = st.selectbox(t("sets.taught"), names, key="set-taught")
    general = st.toggle(t("sets.general"), value=True, key="set-general")
    if not st.button(t("sets.build"), type="primary", key="build-taught", disabled=not checkpoint):
        return None
    learned = resources.workspace().registry.examples_of(str(checkpoint))
    return from_taught([example for _, example in learned], general=general)
