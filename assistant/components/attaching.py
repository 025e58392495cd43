"""Attaching files to one message: the button with its uploader, and a chip for each file that waits."""

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t
from assistant.session import attachments, notices, open_conversation, popovers, resources

NAME = "attach"


def draw_button() -> None:
    """The popover; a file is read as soon as it is chosen."""
    with (
        st.container(key="attach", width="content"),
        st.popover(
            t("attach.title"),
            icon=":material/attach_file:",
            type="tertiary",
            key=f"icon-{popovers.popover_key(NAME)}",
            help=t("attach.title"),
        ),
        notices.show_errors(),
    ):
        html_blocks.quiet(t("attach.lead"))
        number = st.session_state.setdefault("attach-number", 0)
        file = st.file_uploader(t("attach.title"), key=f"attach-{number}", label_visibility="collapsed")
        if file is not None:
            with st.spinner(t("attach.reading")):
                resources.import_models()
                attachments.attach(file.name, file.getvalue(), open_conversation.answer_options())
            st.session_state["attach-number"] = number + 1  # an uploader with a new key is empty again
            popovers.close(NAME)
            st.rerun()


def draw_chips() -> None:
    """What the next question takes along; pressed, a file is left out again."""
    held = attachments.waiting()
    if not held:
        return
    with st.container(key="attached", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for place, one in enumerate(held):
            name = formatting.escape_markdown(one.attachment.name)
            st.button(
                t("attach.chip", name=name, count=one.tokens),
                icon=":material/close:",
                key=f"detach-{place}",
                help=t("attach.remove"),
                on_click=attachments.detach,
                args=(one.attachment.name,),
            )
        html_blocks.quiet(t("attach.only"))
