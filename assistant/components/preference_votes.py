"""What to vote on next: the questions that a vote tells most about, each one click from its blind trial."""

from typing import TYPE_CHECKING

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.components.variant_picker import default_options, label
from assistant.i18n.texts import t
from assistant.session import choices, notices, resources
from assistant.session import preferences as session

if TYPE_CHECKING:
    from assistant.compare.variants import Variant
    from assistant.preferences.suggestions import Suggestion, Suggestions

SAMPLED_NAME = "sampled"  # as `suggestions.SAMPLED`, which must not be imported here


def draw(pairs: int, enough: int) -> None:
    """How far it is to enough pairs, and what to vote on."""
    with st.container(border=True, key="vote-next"):
        st.html(html_blocks.card(_headline(pairs, enough), t("preferences.next.why")))
        if pairs < enough:
            st.progress(
                min(1.0, pairs / enough), text=t("preferences.next.progress", pairs=pairs, enough=enough)
            )
        found = session.suggestions()
        if not found.questions:
            _draw_nothing_to_ask()
            return
        first, second = map(_named, found.variants)
        disputed = found.questions[0].disagreement is not None
        words = "preferences.next.disputed" if disputed else "preferences.next.new"
        html_blocks.quiet(t(words, first=first, second=second))
        for place, suggestion in enumerate(found.questions):
            _draw_question(place, suggestion, found)


def _named(variant: "Variant") -> str:
    return t("preferences.sampled") if variant.name == SAMPLED_NAME else label(variant)


def _headline(pairs: int, enough: int) -> str:
    if not pairs:
        return t("preferences.next.none")
    return t("preferences.next.enough") if pairs >= enough else t("preferences.next.few")


def _draw_question(place: int, suggestion: "Suggestion", found: "Suggestions") -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"suggested-{place}", gap="small"):
        st.html(_meter(suggestion), width="stretch")
        if st.button(
            t("preferences.vote"), icon=":material/how_to_vote:", key=f"vote-on-{place}", type="secondary"
        ):
            open_vote(suggestion.question, found)


def _meter(suggestion: "Suggestion") -> str:
    """A question, with how much its two answers disagree."""
    asked = html_blocks.escaped(suggestion.question)
    if suggestion.disagreement is None:
        return f'<div class="disputed"><span>{asked}</span></div>'
    share = f"{suggestion.disagreement:.0%}"
    hint = html_blocks.escaped(t("preferences.next.share", share=share))
    return (
        f'<div class="disputed"><i title="{hint}"><u style="width:{share}"></u></i><span>{asked}</span></div>'
    )


def open_vote(question: str, found: "Suggestions") -> None:
    """Show the blind vote on a question."""
    from assistant.preferences.suggestions import open_trial  # heavy: scipy

    with notices.show_errors():
        trial, place = open_trial(
            resources.blind_trials(), found, question, t("preferences.trial"), default_options()
        )
        st.session_state.update({"own-place": place, "blind-ended": None, "compare-view": "blind"})
        st.switch_page(choices.page("compare"), query_params={"view": "blind", "trial": trial.id})


def _draw_nothing_to_ask() -> None:
    """No question to suggest: where preferences come from, and the ways there."""
    html_blocks.quiet(t("preferences.next.nothing"))
    with st.container(horizontal=True, gap="small"):
        if st.button(t("preferences.to_blind"), icon=":material/visibility_off:", key="to-blind"):
            st.session_state["compare-view"] = "blind"
            st.switch_page(choices.page("compare"), query_params={"view": "blind"})
        if st.button(t("tune.empty.chat"), icon=":material/chat_bubble:", key="preferences-to-chat"):
            choices.go_to_chat()


def open_trial_against(checkpoint: str, parent: str | None, questions: list[str]) -> None:
    """Show a blind trial of a checkpoint against what it was made from, on these questions."""
    from assistant.compare.questions import Question  # heavy: scipy
    from assistant.compare.variants import BASE, Variant

    before = Variant(parent, checkpoint=parent) if parent else Variant(BASE)
    variants = (before, Variant(checkpoint, checkpoint=checkpoint))
    asked = [Question(text, (), {"own": True}) for text in questions]
    name = t("preferences.trial.against", name=formatting.escape_markdown(checkpoint))
    trial = resources.blind_trials().create(name, variants, asked, default_options())
    st.session_state.update({"own-place": None, "blind-ended": None, "compare-view": "blind"})
    st.switch_page(choices.page("compare"), query_params={"view": "blind", "trial": trial.id})
