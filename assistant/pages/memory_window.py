"""The context window as a strip that fills: a fact falls out of it, and is still in a checkpoint."""

import uuid

import streamlit as st

from assistant.background import TaskRegistry
from assistant.components import html_blocks, window_strip
from assistant.i18n.texts import t
from assistant.insight.window_demo import EXAMPLE, WINDOWS, DemoFact, SmallChat, SmallChatTask, taught_facts
from assistant.pages import memory
from assistant.session import notices, resources
from tuning.checkpoints.manifest import Checkpoint

POLL_SECONDS = 0.4


@st.cache_resource(show_spinner=False)
def _tasks() -> TaskRegistry[SmallChatTask]:
    """The small chats of this process, by tab."""
    return TaskRegistry(t("visible.window.busy"))


def draw(checkpoint: Checkpoint | None) -> None:
    """The view."""
    html_blocks.quiet(t("visible.window.lead"))
    window, fact = _draw_choices(checkpoint)
    chat = _chat(window, fact)
    task = _tasks().get(_tab())
    live = task if task is not None and task.running and task.chat is chat else None
    _draw_buttons(chat, live)
    if live is not None:
        _draw_live(live)
        return
    if task is not None and task.chat is chat and task.error:
        st.error(notices.sentence(Exception(task.error)), icon=":material/error:")
    if not chat.turns:
        st.html(f'<div class="blank">{html_blocks.escaped(t("visible.window.empty"))}</div>')
    else:
        st.html(window_strip.strip(chat))
        _draw_verdict(chat)
        st.html(window_strip.turns(chat))
    if chat.turns and checkpoint is None:
        memory.draw_no_checkpoint("window")


def _draw_choices(checkpoint: Checkpoint | None) -> tuple[int, DemoFact]:
    facts = [*(taught_facts(checkpoint) if checkpoint else ()), EXAMPLE]
    left, right = st.columns([1, 2])
    window = left.selectbox(
        t("visible.window.size"),
        WINDOWS,
        index=1,
        key="small-window",
        format_func=lambda size: t("visible.window.tokens", count=size),
        help=t("visible.window.size.help"),
    )
    fact = right.selectbox(
        t("visible.window.fact"),
        facts,
        key=f"fact-of-{checkpoint.id if checkpoint else 'base'}",
        format_func=lambda fact: fact.statement,
        help=t("visible.window.fact.help"),
    )
    return window, fact


def _chat(window: int, fact: DemoFact) -> SmallChat:
    """The small chat of this tab; another window or fact begins a new one."""
    chat: SmallChat | None = st.session_state.get("small-chat")
    if chat is None or (chat.window, chat.fact) != (window, fact):
        if chat is not None and (task := _tasks().get(_tab())) is not None:
            task.stop()
        chat = st.session_state["small-chat"] = SmallChat(window, fact)
    return chat


def _tab() -> str:
    key: str = st.session_state.setdefault("small-chat-tab", uuid.uuid4().hex)
    return key


def _draw_buttons(chat: SmallChat, live: SmallChatTask | None) -> None:
    with st.container(key="small-chat-buttons", horizontal=True, vertical_alignment="bottom", gap="small"):
        if live is not None:
            st.button(
                t("chat.stopping") if live.stopping else t("chat.stop"),
                icon=":material/stop_circle:",
                key="stop-small-chat",
                disabled=live.stopping,
                on_click=live.stop,
            )
            return
        if st.button(t("visible.window.guide"), icon=":material/play_arrow:", key="guide", type="primary"):
            _begin(chat)
        if chat.turns and st.button(
            t("visible.window.clear"), icon=":material/restart_alt:", key="clear-small"
        ):
            st.session_state.pop("small-chat", None)
            st.rerun()
    with (
        st.form("small-chat-form", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        question = st.text_input(
            t("visible.window.say"),
            key="small-chat-question",
            placeholder=t("visible.window.say"),
            label_visibility="collapsed",
        )
        if st.form_submit_button(t("visible.window.send"), icon=":material/arrow_upward:"):
            _begin(chat, question or "")


def _begin(chat: SmallChat, question: str | None = None) -> None:
    """Start the guided tour, or one turn."""
    with notices.show_errors():
        with st.spinner(t("model.opening", name=resources.workspace().settings.base_model)):
            engine = resources.workspace().engine()
        task = SmallChatTask(chat, engine)
        _tasks().start(_tab(), task, task.run_tour if question is None else lambda: task.ask(question))
        st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _draw_live(task: SmallChatTask) -> None:
    notices.apply_language()
    if not task.running:
        st.rerun()
    with st.container(key="small-chat-live"):
        if task.chat.turns:
            st.html(window_strip.strip(task.chat))
        st.html(window_strip.turns(task.chat, task.question or t("answer.preparing"), task.answer))


def _draw_verdict(chat: SmallChat) -> None:
    """Whether the fact was known in the window, after it fell out, and from the weights."""
    asked, again, weights = (chat.last(kind) for kind in ("asked", "again", "checkpoint"))
    if asked is None or again is None:
        return
    tiles = [
        html_blocks.Tile(
            t("visible.verdict.inside"),
            _knows(asked.right),
            asked.answer[:90],
            "pencil" if asked.right else "amber",
        ),
        html_blocks.Tile(t("visible.verdict.fallen"), _knows(again.right), again.answer[:90], "amber"),
    ]
    if weights is not None:
        note = weights.answer[:90]
        tiles.append(html_blocks.Tile(t("visible.verdict.weights"), _knows(weights.right), note, "ink"))
    html_blocks.tiles(tiles)
    if not asked.right:
        html_blocks.quiet(t("visible.verdict.unread"))
        return
    taught = chat.fact.checkpoint is not None
    html_blocks.quiet(t("visible.verdict.taught") if taught else t("visible.verdict.untaught"))


def _knows(right: bool | None) -> str:
    return t("visible.knows") if right else t("visible.knows_not")
