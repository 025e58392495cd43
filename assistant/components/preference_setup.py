"""Learning from preferences, set up: the method, what is learned from, the numbers, the start."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.components.fine_tune_dialog import STRENGTHS
from assistant.errors import KNOWN_ERRORS, sentence_of
from assistant.i18n.texts import t, translated
from assistant.session import choices, notices, resources
from assistant.session import preferences as session
from assistant.session.presses import order_once
from tuning.config import TuneConfig
from tuning.data.preferences import ReadPreferences
from tuning.training.methods import PREFERENCE_METHODS, Method

if TYPE_CHECKING:
    from assistant.preferences.collect import CollectedPreferences

COLUMNS = 3
LOSSES = ("sigmoid", "ipo", "length-normalised")
# Number of a configuration -> lowest, highest, step, and the methods that have it (none: all).
NUMBERS: dict[str, tuple[float, float, float, tuple[str, ...]]] = {
    "epochs": (1, 50, 1, ()),
    "learning_rate": (1e-6, 1.0, 1e-4, ()),
    "beta": (0.001, 100.0, 0.05, ("dpo", "kto", "orpo", "ppo", "grpo")),
    "label_smoothing": (0.0, 0.45, 0.05, ("dpo",)),
    "samples": (1, 16, 1, ("ppo", "grpo")),
    "answer_tokens": (4, 512, 4, ("ppo", "grpo")),
}
_KEY = "preference-method"


def draw(found: "CollectedPreferences") -> None:
    """The cards, the settings and the button."""
    st.subheader(t("preferences.learn"), anchor=False)
    _draw_cards()
    method = PREFERENCE_METHODS[chosen()]
    lessons = _draw_sources(found)
    config = _draw_numbers(_draw_settings(method), method)
    _draw_start(config, lessons)


def chosen() -> str:
    """The method of the next run in this tab."""
    name: str = st.session_state.setdefault(_KEY, next(iter(PREFERENCE_METHODS)))
    return name


def _draw_cards() -> None:
    entries = list(PREFERENCE_METHODS.values())
    with st.container(key="method-strip"):  # a phone shows each row beside each other
        for start in range(0, len(entries), COLUMNS):
            for column, entry in zip(st.columns(COLUMNS), entries[start : start + COLUMNS], strict=False):
                with column:
                    _draw_card(entry)


def _draw_card(entry: Method) -> None:
    is_chosen = entry.name == chosen()
    key = "method-chosen-preferences" if is_chosen else f"method-preferences-{entry.name}"
    with st.container(key=key, border=True, height="stretch"):
        title, sentence, suits = map(translated, (entry.title, entry.sentence, entry.choose_when))
        st.html(html_blocks.card(title, sentence, suits))
        if is_chosen:
            st.html(html_blocks.badge(t("teach.chosen"), "checkpoint"))
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                t("teach.choose"),
                key=f"choose-preferences-{entry.name}",
                type="tertiary",
                on_click=st.session_state.update,
                args=({_KEY: entry.name},),
            )
            if entry.needs_reward and not session.reward_models():
                st.html(html_blocks.badge(t("preferences.needs_reward"), "warn"), width="content")


def _draw_sources(found: "CollectedPreferences") -> ReadPreferences:
    """What is learned from: a person's own by default, a judge's verdicts where they are asked for."""
    from assistant.preferences.collect import BY_PEOPLE  # heavy: scipy

    kinds = list(found.counts)
    wanted = st.pills(
        t("preferences.sources"),
        kinds,
        selection_mode="multi",
        default=[kind for kind in kinds if kind in BY_PEOPLE],
        key=f"preference-sources-{'-'.join(kinds)}",
        format_func=lambda kind: f"{t(f'preferences.from.{kind}')} {found.counts[kind]}",
        help=t("preferences.sources.help"),
    )
    return ReadPreferences(tuple(found.pairs_from(wanted)), tuple(found.judgements_from(wanted)))


def _draw_settings(method: Method) -> TuneConfig:
    """Strength, name, what to start from, and who scores."""
    columns = st.columns(4)
    with columns[0]:
        st.session_state.setdefault("preference-strength", "normal")
        strength = st.segmented_control(
            t("teach.strength"),
            STRENGTHS,
            required=True,
            key="preference-strength",
            format_func=lambda name: t(f"teach.strength.{name}"),
            help=t("preferences.strength.help"),
        )
    name = columns[1].text_input(
        t("teach.name"), key="preference-name", placeholder=t("teach.name.placeholder")
    )
    parent = columns[2].selectbox(
        t("teach.parent"),
        [None, *reversed(session.answering_checkpoints())],
        key="preference-parent",
        format_func=lambda one: one or t("teach.parent.base"),
        help=t("preferences.parent.help"),
    )
    reward = None
    if method.chats:
        scoring: list[str | None] = [*session.reward_models()]
        reward = columns[3].selectbox(
            t("preferences.reward"),
            (scoring or [None]) if method.needs_reward else [None, *scoring],
            key=f"preference-reward-{method.needs_reward}-{len(scoring)}",
            format_func=lambda one: one or t("preferences.reward.none"),
            help=t("preferences.reward.help"),
        )
    settings = resources.workspace().settings
    return TuneConfig(
        method=method.name,
        name=(name or "").strip() or None,
        parent=parent,
        strength=strength or "normal",
        base=settings.base_model,
        device=settings.device,
        system_prompt=choices.prompt().system,
        reward=reward,
    )


def _draw_numbers(config: TuneConfig, method: Method) -> TuneConfig:
    """The hyper-parameters; what is left empty is the recipe's."""
    set_by_hand: dict[str, Any] = {}
    with st.expander(t("options.title"), type="compact", key="preference-options"):
        fitting = [name for name, (*_, suits) in NUMBERS.items() if not suits or method.name in suits]
        columns = st.columns(COLUMNS)
        for place, name in enumerate(fitting):
            low, high, step, _ = NUMBERS[name]
            with columns[place % COLUMNS]:
                value = _draw_number(name, low, high, step, method.name)
            if value is not None:
                set_by_hand[name] = value
        if method.name == "dpo":
            with columns[len(fitting) % COLUMNS]:
                set_by_hand["loss"] = st.selectbox(
                    t("preferences.loss"),
                    LOSSES,
                    key="preference-loss",
                    format_func=lambda name: t(f"preferences.loss.{name}"),
                    help=t("preferences.loss.help"),
                )
    return replace(config, **set_by_hand)


def _draw_number(name: str, low: float, high: float, step: float, method: str) -> float | None:
    kind: type = int if float(step).is_integer() else float
    value = st.number_input(
        t(f"preferences.option.{name}"),
        min_value=kind(low),
        max_value=kind(high),
        value=None,
        step=kind(step),
        format=None if kind is int else "%g",
        placeholder=t("preferences.option.default"),
        key=f"preference-{method}-{name}",
        help=t(f"preferences.option.{name}.help"),
    )
    return value if value is None else kind(value)


def _draw_start(config: TuneConfig, lessons: ReadPreferences) -> None:
    """The estimate and the button; where it cannot be pressed, the reason above it."""
    jobs, reason = resources.workspace().jobs, ""
    try:
        jobs.check(config, lessons)
        _draw_estimate(config, lessons)
    except KNOWN_ERRORS as error:
        reason = translated(sentence_of(error))
    if reason:
        st.html(f'<div class="reason" role="status">{html_blocks.escaped(reason)}</div>')
    if st.button(
        t("preferences.start"),
        type="primary",
        icon=":material/play_arrow:",
        key="preferences-start",
        disabled=bool(reason),
    ):
        with notices.show_errors():
            what = ("preferences", config.method, config.parent)
            if job := order_once(what, lambda: jobs.submit(config, lessons)):
                notices.queue_toast(t("teach.started", name=job.name), ":material/fingerprint:")
            st.session_state["forget-preference-name"] = True
            st.rerun()


def _draw_estimate(config: TuneConfig, lessons: ReadPreferences) -> None:
    estimate = resources.workspace().jobs.estimate(config, lessons)
    html_blocks.tiles(
        [
            html_blocks.Tile(
                t("preferences.estimate.lessons"), str(len(lessons)), t("preferences.estimate.lessons.note")
            ),
            html_blocks.Tile(
                t("teach.estimate.time"),
                t("about", value=formatting.seconds(estimate.seconds)),
                translated(estimate.basis),
            ),
            html_blocks.Tile(
                t("teach.estimate.memory"),
                t("about", value=formatting.size(estimate.bytes)),
                t("teach.estimate.memory.note"),
            ),
        ]
    )
