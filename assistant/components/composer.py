"""The composer: the memory that answers, the prompt, the question, and what fills the context window."""

import streamlit as st

from assistant.chat.context_window import PARTS, Budget
from assistant.chat.live import LiveAnswer
from assistant.components import (
    answer_options,
    attaching,
    formatting,
    html_blocks,
    prompt_editor,
    prompt_library,
)
from assistant.documents.listing import labels
from assistant.errors import KNOWN_ERRORS
from assistant.i18n.texts import t
from assistant.session import attachments, choices, notices, open_conversation, resources
from assistant.settings import MEMORIES, from_environment
from tuning.config import DEFAULT_BASE

ICONS = {"nothing": "circle", "documents": "edit_note", "checkpoint": "fingerprint", "both": "join"}
NARROWEST, WIDEST = 150, 320  # pixels of a choice beside the memory
POLL_SECONDS = 1.5  # each look costs the thread that opens the model


def draw(live: LiveAnswer | None, budget: Budget | None, *, keeps_end: bool = True) -> None:
    """The composer at the bottom of the chat page; `keeps_end`: the end of the page above it stays in sight."""
    with st.bottom:
        _draw_memory(live)
        _draw_missing_checkpoint()
        _draw_refusal()
        attaching.draw_chips()
    if keeps_end:
        _draw_input(live)
    else:
        with st.bottom:
            _draw_input(live)
    with (
        st.bottom,
        st.container(
            key="composer-foot", horizontal=True, vertical_alignment="top", gap="xsmall", wrap=False
        ),
    ):
        with st.container():
            _draw_window(budget)
        attaching.draw_button()
        prompt_library.draw_button()
        answer_options.draw_button()
        prompt_editor.draw_button()


def _draw_memory(live: LiveAnswer | None) -> None:
    with st.container(key="memory-row", horizontal=True, vertical_alignment="center", gap="xsmall"):
        # The widget's state is set from the choice on every run, so that links and buttons may change it.
        key = choices.control("memory")
        st.session_state[key] = choices.memory()
        st.segmented_control(
            t("memory.label"),
            MEMORIES,
            required=True,
            key=key,
            label_visibility="collapsed",
            format_func=lambda name: f":material/{ICONS[name]}: {t(f'memory.{name}')}",
            on_change=choices.choose_by,
            args=("memory", key),
        )
        if choices.memory() in ("documents", "both"):
            _draw_knowledge_choice()
            _draw_document_choice()
        if choices.memory() in ("checkpoint", "both"):
            _draw_checkpoint_choice()
        if live is not None:
            st.space("stretch")
            st.button(
                t("chat.stopping") if live.stopping else t("chat.stop"),
                icon=":material/stop_circle:",
                key="stop",
                type="primary",
                shortcut="Esc",
                disabled=live.stopping,
                on_click=live.stop,
            )


def _draw_knowledge_choice() -> None:
    names = list(resources.knowledge_counts())
    if choices.knowledge_base() not in names:
        names.append(choices.knowledge_base())
    st.session_state["kb-choice"] = choices.knowledge_base()
    st.selectbox(
        t("memory.kb"),
        names,
        key="kb-choice",
        label_visibility="collapsed",
        width=_width_of(choices.knowledge_base()),
        on_change=lambda: choices.choose_knowledge_base(st.session_state["kb-choice"]),
    )


def _width_of(name: str) -> int:
    """Pixels of a choice that shows a name whole, within reason: a Chinese character is as wide as two letters."""
    letters = sum(2 if letter > "\u2e7f" else 1 for letter in name)
    return min(max(NARROWEST, 60 + 8 * letters), WIDEST)


def _draw_document_choice() -> None:
    """Which of its documents are searched; nothing to choose where there is only one."""
    documents = resources.documents_of(choices.knowledge_base())
    if len(documents) < 2:
        return
    names, only = labels(documents), choices.only_documents() or ()
    st.session_state["only-choice"] = list(only)
    said = t("memory.only.count", count=len(only), total=len(documents)) if only else t("memory.only.all")
    with st.popover(said, icon=":material/filter_list:", key="only", type="tertiary"):
        st.multiselect(
            t("memory.only"),
            list(names),
            key="only-choice",
            format_func=names.__getitem__,
            placeholder=t("memory.only.all"),
            width=320,
            on_change=lambda: choices.choose("only", " ".join(st.session_state["only-choice"]) or None),
        )


def _draw_checkpoint_choice() -> None:
    names = [checkpoint.name for checkpoint in reversed(resources.workspace().registry.answering())]
    chosen = choices.chosen("checkpoint")
    if not names:
        st.html(
            html_blocks.badge(t("memory.no_checkpoint"), "warn", t("memory.no_checkpoint.help")),
            width="content",
        )
        return
    if chosen is None:
        chosen = names[0]
        choices.choose("checkpoint", chosen)
    gone = chosen not in names
    key = choices.control("checkpoint")
    st.session_state[key] = chosen
    st.selectbox(
        t("memory.which_checkpoint"),
        [*names, chosen] if gone else names,
        key=key,
        label_visibility="collapsed",
        width=max(_width_of(chosen), 190),
        format_func=lambda name: t("memory.gone", name=name) if gone and name == chosen else name,
        on_change=choices.choose_by,
        args=("checkpoint", key),
    )


def _draw_missing_checkpoint() -> None:
    """A warning where the chosen checkpoint was deleted, before anybody asks it."""
    name = choices.chosen("checkpoint")
    if choices.memory() not in ("checkpoint", "both") or name is None:
        return
    if not resources.workspace().registry.exists(name):
        st.warning(t("memory.gone.note", name=formatting.escape_markdown(name)), icon=":material/info:")


def _draw_refusal() -> None:
    """Why the last question was not asked; it goes back into the input field."""
    if refused := st.session_state.pop("refused", None):
        st.session_state["question"] = refused[0]
        st.error(refused[1], icon=":material/error:")


def _draw_input(live: LiveAnswer | None) -> None:
    if written := st.session_state.pop("next-question", None):
        st.session_state["question"] = written
    # Outside of any container Streamlit keeps the end of the page in sight; inside of one it begins at its top.
    st.chat_input(
        t("chat.answering") if live else t("chat.placeholder"),
        key="question",
        disabled=live is not None,
        on_submit=_submit,
    )


def _submit() -> None:
    """A callback: the field may be drawn disabled by now, because another tab asked meanwhile."""
    notices.apply_language()
    question = st.session_state["question"] or ""
    try:
        open_conversation.ask(question)
    except KNOWN_ERRORS as error:
        st.session_state["refused"] = (question, notices.sentence(error))


def _draw_window(budget: Budget | None) -> None:
    opened = resources.workspace()
    if budget is None:
        if opened.engine_state != "ready":
            _draw_opening()
        return
    shares = [html_blocks.WindowShare(part, t(f"budget.{part}"), budget.used.get(part, 0)) for part in PARTS]
    if waiting := sum(one.tokens for one in attachments.waiting()):
        shares.append(html_blocks.WindowShare("attached", t("budget.attached"), waiting))
    st.html(html_blocks.window_bar(shares, budget.window, t("budget.free"), _typing(budget)))


def _typing(budget: Budget) -> html_blocks.Typing:
    """What the script of the page needs to count a question while it is typed."""
    latin, other = resources.tokens_per_character()
    fixed = budget.used.get("system", 0) + budget.used.get("examples", 0)
    fixed += sum(one.tokens for one in attachments.waiting())
    longest = max(budget.window - fixed - min(budget.reserve, budget.window // 2), 0)
    return html_blocks.Typing(
        latin, other, longest, t("budget.typing"), t("budget.too_long", longest="{longest}")
    )


@st.fragment(run_every=POLL_SECONDS)
def _draw_opening() -> None:
    """How far opening the model is, until it is open."""
    notices.apply_language()
    opened = resources.workspace()
    if opened.engine_state == "ready":
        st.rerun()
    if opened.engine_state == "failed":
        st.error(notices.sentence(Exception(opened.engine_error)), icon=":material/error:")
        _draw_way_back()
        return
    html_blocks.quiet(t(f"model.{opened.engine_stage or 'opening'}", name=opened.settings.base_model))


def _draw_way_back() -> None:
    """The way out where the chosen model does not open: the one that always does."""
    opened = resources.workspace()
    is_default = opened.settings.base_model == DEFAULT_BASE and opened.settings.engine_url is None
    if is_default or {"base_model", "engine_url"} & from_environment().keys():
        return
    with st.container(horizontal=True, gap="small"):
        if st.button(t("model.use_default"), icon=":material/undo:", key="use-default-model", type="primary"):
            with notices.show_errors():
                opened.change(base_model=None, engine_url=None)
                opened.preload()
                st.rerun()
        if st.button(t("welcome.larger.open"), key="models-instead", type="tertiary"):
            st.switch_page(choices.page("settings"))
