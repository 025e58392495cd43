"""Fine-tuning on a chat or on documents: the button, and the drawer where the job is configured."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from assistant.chat.presets import Preset
from assistant.components import formatting, html_blocks, model_reading, training_cards
from assistant.curation.candidates import Curation, Labeller
from assistant.curation.from_chat import curate
from assistant.curation.submission import EditedRow, chosen_examples
from assistant.errors import KNOWN_ERRORS, NothingToLearnError, sentence_of
from assistant.i18n.texts import t, translated
from assistant.session import choices, notices, resources
from assistant.session.presses import order_once
from assistant.session.training_draft import discard, training_draft
from tuning.checkpoints.manifest import REMOTE
from tuning.config import Strength, TuneConfig
from tuning.data.examples import Example

POLL_SECONDS = 2.0
STRENGTHS: tuple[Strength, ...] = ("gentle", "normal", "strong")


def draw_offer(conversation_id: int) -> None:
    """The button under the conversation, with what it would learn."""

    def find(labeller: Labeller | None) -> Curation:
        return curate([resources.workspace().store.get(conversation_id)], labeller=labeller)

    unread = model_reading.unread(find, of_messages=True)
    try:
        curation = find(None)
    except NothingToLearnError as nothing:
        found, why = None, t("teach.offer.unread") if unread else translated(str(nothing))
    else:
        found = curation
        count = len(curation.examples)
        why = t("teach.offer", count=count) if count else t("teach.offer.none")
    with st.container(key="teach-offer", horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(
            t("teach.button"),
            icon=":material/fingerprint:",
            key="teach",
            disabled=found is None and not unread,
        ):
            open_drawer(t("teach.title"), f"conversation-{conversation_id}", find, of_messages=True)
        st.html(f'<span class="quiet">{html_blocks.escaped(why)}</span>', width="stretch")


def open_drawer(title: str, key: str, find: model_reading.Find, *, of_messages: bool = False) -> None:
    """Configure a job on the examples that `find` gives, with a labeller or without.

    `key` names their source, whose draft goes on; `of_messages`: what people wrote in a chat.
    """
    training_draft(key).reopen()
    st.dialog(title, width=940, position="right")(_draw_drawer)(key, find, of_messages)


def _draw_drawer(key: str, find: model_reading.Find, of_messages: bool) -> None:
    notices.apply_language()
    html_blocks.quiet(t("teach.lead"))
    if not resources.models_are_imported():
        with st.spinner(t("model.importing")):
            resources.import_models()
    from assistant.components import service_setup, tuning_options  # heavy: torch, peft

    with notices.show_errors():
        curation = model_reading.draw(key, find, of_messages=of_messages)
        rows = training_cards.draw(curation, training_draft(key))
        method = _draw_methods()
        if method == REMOTE:
            config = service_setup.draw_target(_draw_options(method))
        else:
            config = tuning_options.draw(_draw_options(method))
        _draw_start(key, config, curation, rows)


def _draw_start(key: str, config: TuneConfig, curation: Curation, rows: Sequence[EditedRow]) -> None:
    """The estimate and the button; where it cannot be pressed, the reason above it."""
    jobs, reason = resources.workspace().jobs, ""
    examples: list[Example] = []
    try:
        examples = chosen_examples(curation.candidates, rows)
        jobs.check(config, examples)
    except KNOWN_ERRORS as error:
        reason = translated(sentence_of(error))
    agreed = True
    if config.method == REMOTE:
        from assistant.components import service_setup  # heavy: torch, peft

        agreed = bool(examples) and service_setup.draw_agreement(config, examples)
    elif examples:
        _draw_estimate(config, examples)
    if reason:
        st.html(f'<div class="reason" role="status">{html_blocks.escaped(reason)}</div>')
    if st.button(
        t("teach.start"),
        type="primary",
        icon=":material/play_arrow:",
        key="teach-start",
        width="stretch",
        disabled=bool(reason) or not agreed,
    ):
        what = ("teach", str(config), *(example.key for example in examples))
        if job := order_once(what, lambda: jobs.submit(config, examples)):
            notices.queue_toast(t("teach.started", name=job.name), ":material/fingerprint:")
        discard(key)
        st.rerun()


def _draw_methods() -> str:
    """The method cards; the name of the chosen one."""
    from assistant.components import method_cards  # heavy: torch, peft

    st.markdown(f"**{t('teach.method')}**")
    method_cards.draw_first()
    with st.popover(t("teach.more_methods"), icon=":material/expand_more:", type="tertiary"):
        method_cards.draw_others("choose")
    return method_cards.chosen()


def _draw_options(method: str) -> TuneConfig:
    """Strength, name and what to start from."""
    is_remote = method == REMOTE
    left, middle, right = st.columns([1.15, 1, 1])
    strength = "normal" if is_remote else _draw_strength(left)
    with middle:
        name = st.text_input(t("teach.name"), key="checkpoint-name", placeholder=t("teach.name.placeholder"))
    with right:
        known = reversed(resources.workspace().registry.answering())
        names = [checkpoint.name for checkpoint in known if checkpoint.is_remote == is_remote]
        if st.session_state.get("parent") not in (None, *names):
            st.session_state["parent"] = None
        parent = st.selectbox(
            t("teach.parent"),
            [None, *names],
            key="parent",
            format_func=lambda name: name or t("teach.parent.base"),
            help=t("teach.parent.help"),
        )
    preset: Preset = choices.prompt()
    settings = resources.workspace().settings
    return TuneConfig(
        method=method,
        name=(name or "").strip() or None,
        parent=parent,
        strength=strength,
        base=settings.base_model,
        device=settings.device,
        system_prompt=preset.system,
    )


def _draw_strength(place: DeltaGenerator) -> Strength:
    """How much is spent on learning: of methods that train on this machine."""
    st.session_state.setdefault("strength", "normal")
    with place:
        chosen: Strength | None = st.segmented_control(
            t("teach.strength"),
            STRENGTHS,
            required=True,
            key="strength",
            format_func=lambda name: t(f"teach.strength.{name}"),
            help=t("teach.strength.help"),
        )
    return chosen or "normal"


def _draw_estimate(config: TuneConfig, examples: Sequence[Example]) -> None:
    """The estimate of time and memory, refreshed while a few steps are being timed."""
    jobs = resources.workspace().jobs
    known = jobs.estimate(config, list(examples)).measured
    if not known:
        jobs.calibrate(config, examples, wait=False)
    st.fragment(_draw_estimated, run_every=None if known else POLL_SECONDS)(config, examples)


def _draw_estimated(config: TuneConfig, examples: Sequence[Example]) -> None:
    notices.apply_language()
    jobs = resources.workspace().jobs
    estimate = jobs.estimate(config, list(examples))
    timing = not estimate.measured and jobs.is_calibrating
    html_blocks.tiles(
        [
            html_blocks.Tile(
                t("teach.estimate.examples"), str(len(examples)), t("teach.estimate.examples.note")
            ),
            html_blocks.Tile(
                t("teach.estimate.time"),
                t("about", value=formatting.seconds(estimate.seconds)),
                t("teach.estimate.timing") if timing else translated(estimate.basis),
            ),
            html_blocks.Tile(
                t("teach.estimate.memory"),
                t("about", value=formatting.size(estimate.bytes)),
                t("teach.estimate.memory.note"),
            ),
        ]
    )
