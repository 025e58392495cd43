"""The models of the Settings page: cards to use or download, a model by its name, and the device."""

from typing import TYPE_CHECKING

import streamlit as st

from assistant.components import formatting, html_blocks, model_cards
from assistant.components.model_cards import Offers
from assistant.i18n.texts import t, translated
from assistant.session import notices, resources
from assistant.settings import from_environment

if TYPE_CHECKING:
    from tuning.models.catalogue import CatalogueEntry, Recommendation

POLL_SECONDS = 1.0


def draw() -> None:
    """The section."""
    opened = resources.workspace()
    st.subheader(t("settings.model"), anchor=False)
    html_blocks.quiet(t("settings.models.lead"))
    if opened.engine_state == "failed":
        st.error(notices.sentence(Exception(opened.engine_error)), icon=":material/error:")
    with st.spinner(t("settings.looking")):
        resources.import_models()
        from tuning.models.catalogue import recommend  # heavy, imported by now

        entries = opened.catalogue()
        best = recommend(entries)
    if opened.downloads.running() or st.session_state.get("fetching"):
        _draw_downloads()
    _draw_best(best)
    offers = _offers()
    first = [entry for entry in entries if entry.at_hand or entry in (best.chat, best.tune)]
    first.sort(key=lambda entry: entry.name != offers.current)
    for entry in first:
        model_cards.draw_card(entry, best, offers)
    with st.expander(t("settings.models.more"), key="more-models", on_change="rerun") as more:
        for entry in entries if more.open else ():
            if entry not in first:
                model_cards.draw_card(entry, best, offers)
    _draw_other(offers)


def _offers() -> Offers:
    opened = resources.workspace()
    return Offers(
        use=_use,
        download=_download,
        current=opened.settings.base_model,
        is_fixed="base_model" in from_environment(),
        busy=frozenset(task.name for task in opened.downloads.running()),
    )


def _draw_best(best: "Recommendation") -> None:
    if best.chat or best.tune:
        html_blocks.quiet(t("settings.models.best", chat=_title(best.chat), tune=_title(best.tune)))


def _title(entry: "CatalogueEntry | None") -> str:
    return translated(entry.title) if entry else t("settings.models.default")


def _draw_other(offers: Offers) -> None:
    """Any model by its name: looked at first."""
    with (
        st.form("other-model", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        name = st.text_input(
            t("settings.models.other"), key="other-model-name", help=t("settings.models.other.help")
        ).strip()
        if st.form_submit_button(t("settings.models.check"), key="check-model"):
            st.session_state.pop("looked-at", None)
            with (
                notices.show_errors(),
                st.spinner(t("settings.models.checking", name=formatting.escape_markdown(name))),
            ):
                st.session_state["looked-at"] = resources.workspace().look_at_model(name)
    if report := st.session_state.get("looked-at"):
        model_cards.draw_report(report, offers)


def _use(name: str) -> None:
    """Open a model, and choose it where it opens."""
    opened = resources.workspace()
    with notices.show_errors(), st.spinner(t("model.opening", name=formatting.escape_markdown(name))):
        opened.use_model(name)
        st.session_state.pop("looked-at", None)
        notices.queue_toast(t("settings.models.chosen", name=name))
        st.rerun()


def _download(name: str) -> None:
    with notices.show_errors():
        downloads = resources.workspace().downloads
        downloads.begin(name)
        st.session_state["fetching"] = [task.name for task in downloads.running()]  # errors were seen
        st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _draw_downloads() -> None:
    """What is being fetched; the page is drawn anew when one ends well."""
    notices.apply_language()
    downloads = resources.workspace().downloads
    for running in downloads.running():
        model_cards.draw_progress(running)
    watched = st.session_state.get("fetching", [])
    for name in list(watched):
        task = downloads.get(name)
        if task is None or task.running:
            continue
        if task.error:
            st.error(notices.sentence(Exception(task.error)), icon=":material/error:")
            continue
        watched.remove(name)
        notices.queue_toast(
            t("settings.models.stopped") if task.stopping else t("settings.models.fetched", name=name)
        )
        st.rerun()
