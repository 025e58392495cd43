"""Importing conversations on the page: files of other programs, and what became of each."""

import tempfile
from pathlib import Path

import streamlit as st

from assistant.components import html_blocks
from assistant.errors import KNOWN_ERRORS
from assistant.i18n.texts import t
from assistant.session import notices, resources


def draw() -> None:
    """The files, the button, and what the last import said."""
    html_blocks.quiet(t("chats.import.lead"))
    number = st.session_state.setdefault("chat-uploader", 0)
    files = st.file_uploader(
        t("chats.import.file"),
        accept_multiple_files=True,
        key=f"chat-files-{number}",
        label_visibility="collapsed",
    )
    st.button(
        t("chats.import.do"),
        icon=":material/download:",
        key="import-chats",
        disabled=not files,
        on_click=_import_all,
        args=(number,),
    )
    for said in st.session_state.get("chats-imported", ()):
        html_blocks.quiet(said)


def _import_all(number: int) -> None:
    """Store what the uploader with this number holds."""
    notices.apply_language()
    files = st.session_state.get(f"chat-files-{number}") or ()
    st.session_state["chats-imported"] = [_import(file.name, file.getvalue()) for file in files]
    st.session_state["chat-uploader"] = number + 1  # an uploader with a new key is empty again


def _import(name: str, data: bytes) -> str:
    """Store the conversations of one file; says what became of it, or why it was refused."""
    from assistant.history.chat_files import import_chat_file  # heavy: the importers

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name).name or "chats")
        path.write_bytes(data)
        try:
            read = import_chat_file(resources.workspace().store, path, source=name)
        except KNOWN_ERRORS as error:
            return notices.sentence(error).replace(str(path), name)
    became = [one.status for one in read.kept]
    return t(
        "chats.imported",
        name=name,
        new=became.count("imported"),
        updated=became.count("updated"),
        skipped=became.count("skipped"),
        left_out=len(read.left_out),
    )
