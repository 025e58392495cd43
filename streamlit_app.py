"""The app: navigation between the pages, the sidebar, the look. What the pages show is decided elsewhere."""

import importlib
import sys
from collections.abc import Callable

import streamlit as st

from assistant.components import sidebar, theme
from assistant.i18n.texts import t
from assistant.session import choices, notices

# URL path -> the module in assistant.pages that draws it, and its icon; the first is the one that opens
PAGES = {
    "chat": ("chat", "chat_bubble"),
    "knowledge": ("knowledge", "menu_book"),
    "tune": ("checkpoints", "fingerprint"),
    "compare": ("compare", "compare_arrows"),
    "visible": ("memory", "visibility"),
    "settings": ("settings", "settings"),
}


def _page(module: str) -> Callable[[], None]:
    """A page whose module is imported when it is first shown: charts and indexes must not delay the chat."""

    def draw() -> None:
        importlib.import_module(f"assistant.pages.{module}").draw()

    return draw


def main() -> None:
    """One run of the page."""
    st.set_page_config(page_title="Imprint", page_icon=str(theme.MARK), layout="wide")
    theme.apply_theme()
    if "streamlit.web.cli" in sys.modules:  # `streamlit run`, with nothing of assistant/web in front
        notices.refuse_unchecked()
    with notices.show_errors():  # also where not even the settings can be read
        notices.apply_language()
        _draw()


def _draw() -> None:
    pages = {
        name: st.Page(
            _page(module),
            title=t(f"page.{name}"),
            icon=f":material/{icon}:",
            url_path=name,
            default=name == "chat",
        )
        for name, (module, icon) in PAGES.items()
    }
    choices.set_pages(pages)
    shown = st.navigation(list(pages.values()))
    sidebar.draw()
    notices.show_toasts()
    with notices.show_errors():
        shown.run()


main()
