"""The app: navigation between the pages, the sidebar, the look. What the pages show is decided elsewhere."""

import importlib
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from assistant.components import deletions, sidebar, theme
from assistant.i18n.texts import t
from assistant.lazy import IMPORT_LOCK
from assistant.session import choices, notices, open_conversation, training_draft

# Name, address and module in assistant.pages of each page -> its icon; the first is the one that opens
PAGES = {
    "chat": "chat_bubble",
    "knowledge": "menu_book",
    "checkpoints": "fingerprint",
    "preferences": "thumbs_up_down",
    "compare": "compare_arrows",
    "memory": "visibility",
    "settings": "settings",
}
# Addresses from before the pages were called as their names are -> the page that they show now.
FORMER_ADDRESSES = {"tune": "checkpoints", "visible": "memory"}


def _page(module: str) -> Callable[[], None]:
    """A page whose module is imported when it is first shown: charts and indexes must not delay the chat."""

    def draw() -> None:
        name = f"assistant.pages.{module}"
        # The others import torch: not while a thread that opens a model imports parts of it. The chat imports
        # nothing of it, and is not to wait.
        if module != "chat" and name not in sys.modules:
            with st.spinner(t("model.importing")), IMPORT_LOCK:
                importlib.import_module(name)
        importlib.import_module(name).draw()

    return draw


def _redirect(page: Any) -> None:
    """Show a page with what the address asks of it."""
    st.switch_page(page, query_params=st.query_params.to_dict())


def main() -> None:
    """One run of the page."""
    st.set_page_config(page_title="Imprint", page_icon=str(theme.MARK), layout="wide")
    theme.apply_theme()
    if "streamlit.web.cli" in sys.modules:  # `streamlit run`, with nothing of assistant/web in front
        notices.refuse_unchecked()
    with notices.show_errors():  # also where not even the settings can be read
        notices.apply_language()
        theme.apply_script()
        _draw()


def _draw() -> None:
    pages = {
        name: st.Page(
            _page(name),
            title=t(f"page.{name}"),
            icon=f":material/{icon}:",
            url_path=name,
            default=name == "chat",
        )
        for name, icon in PAGES.items()
    }
    former = [
        st.Page(partial(_redirect, pages[name]), title=t(f"page.{name}"), url_path=path, visibility="hidden")
        for path, name in FORMER_ADDRESSES.items()
    ]
    choices.set_pages(pages)
    training_draft.keep_settings()
    shown = st.navigation([*pages.values(), *former])
    open_conversation.follow_address()
    sidebar.draw()
    notices.show_toasts()
    deletions.draw_undo()
    with notices.show_errors():
        shown.run()


main()
