"""What a page shows where there is nothing yet: a sentence, and the buttons that lead on."""

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t
from assistant.session import choices, open_conversation, sample


def draw(key: str, title: str, text: str, with_sample: str = "") -> None:
    """A card with the next steps; `key` tells those of one page apart.

    `with_sample` takes the place of `text` as long as the sample is offered.
    """
    with st.container(border=True, key=f"empty-{key}"):
        st.html(html_blocks.card(title, with_sample if with_sample and sample.is_offered() else text))
        with st.container(horizontal=True, gap="small"):
            if sample.is_offered() and st.button(
                t("welcome.sample_chat"), icon=":material/forum:", type="primary", key=f"sample-{key}"
            ):
                open_conversation.open_conversation(sample.import_chat())
                choices.go_to_chat()
            if st.button(t("tune.empty.chat"), icon=":material/chat_bubble:", key=f"chat-{key}"):
                open_conversation.open_conversation(None)
                choices.go_to_chat()
            if not choices.has_documents() and st.button(
                t("welcome.documents"), icon=":material/menu_book:", key=f"documents-{key}"
            ):
                st.switch_page(choices.page("knowledge"))
