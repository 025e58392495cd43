"""The app: navigation between the pages, the sidebar, the look. What the pages show is decided elsewhere."""

import streamlit as st

from assistant.pages import chat, compare, knowledge, look, session, settings, sidebar, tune
from assistant.texts import t


def main() -> None:
    """One run of the page."""
    st.set_page_config(page_title="Imprint", page_icon=str(look.MARK), layout="wide")
    look.dress()
    session.speak()
    pages = {
        "chat": st.Page(chat.draw, title=t("page.chat"), icon=":material/chat_bubble:", default=True),
        "knowledge": st.Page(
            knowledge.draw, title=t("page.knowledge"), icon=":material/menu_book:", url_path="knowledge"
        ),
        "tune": st.Page(
            tune.draw, title=t("page.tune"), icon=":material/fingerprint:", url_path="checkpoints"
        ),
        "compare": st.Page(
            compare.draw, title=t("page.compare"), icon=":material/compare_arrows:", url_path="compare"
        ),
        "settings": st.Page(
            settings.draw, title=t("page.settings"), icon=":material/settings:", url_path="settings"
        ),
    }
    session.set_pages(pages)
    shown = st.navigation(list(pages.values()))
    sidebar.draw()
    session.say_notes()
    with session.told():
        shown.run()


main()
