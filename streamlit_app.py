"""The app: navigation between the pages, the sidebar, the look. What the pages show is decided elsewhere."""

import importlib
from collections.abc import Callable

import streamlit as st

from assistant.pages import look, session, sidebar
from assistant.texts import t

# module in assistant.pages -> icon; the first is the one that opens
PAGES = {
    "chat": "chat_bubble",
    "knowledge": "menu_book",
    "tune": "fingerprint",
    "compare": "compare_arrows",
    "visible": "visibility",
    "settings": "settings",
}


def _page(name: str) -> Callable[[], None]:
    """A page whose module is imported when it is first shown: charts and indexes must not delay the chat."""

    def draw() -> None:
        importlib.import_module(f"assistant.pages.{name}").draw()

    return draw


def main() -> None:
    """One run of the page."""
    st.set_page_config(page_title="Imprint", page_icon=str(look.MARK), layout="wide")
    look.dress()
    session.speak()
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
    session.set_pages(pages)
    shown = st.navigation(list(pages.values()))
    sidebar.draw()
    session.say_notes()
    with session.told():
        shown.run()


main()
