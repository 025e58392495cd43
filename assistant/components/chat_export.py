"""Chats as files to train from: the format, a button that writes the file, and the file to save."""

import io
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t
from assistant.session import notices, resources
from tuning.data.exporters import CHAT_EXPORTERS, DATASETS

FORMATS = (*CHAT_EXPORTERS, DATASETS)


def draw(ids: Sequence[int], name: str, key: str) -> None:
    """Of these chats; `name` is that of the file without its ending."""
    form = st.selectbox(
        t("chats.training"),
        FORMATS,
        key=f"training-format-{key}",
        format_func=lambda one: t(f"chats.training.{one}"),
        help=t("chats.training.help"),
    )
    field = f"training-file-{key}"
    if st.button(
        t("chats.training.write"), icon=":material/school:", key=f"training-write-{key}", width="stretch"
    ):
        st.session_state.pop(field, None)
        with notices.show_errors():
            st.session_state[field] = (tuple(ids), form, _written(ids, form))
    written = st.session_state.get(field)
    if written is None or written[:2] != (tuple(ids), form):
        return
    data: bytes = written[2]
    ending = "zip" if form == DATASETS else "jsonl"
    st.download_button(
        t("chats.training.save"),
        data,
        f"{name}-{form}.{ending}",
        "application/zip" if form == DATASETS else "application/jsonl",
        key=f"training-save-{key}",
        icon=":material/download:",
        width="stretch",
        on_click="ignore",
    )
    if form != DATASETS:
        html_blocks.quiet(t("chats.training.lines", count=data.count(b"\n")))


def _written(ids: Sequence[int], form: str) -> bytes:
    """The file. Raises ConversationError where the chats hold nothing for the format."""
    from assistant.history.exporting import training_file, write_dataset

    store = resources.workspace().store
    if form != DATASETS:
        return training_file(store, ids, form).encode()
    with tempfile.TemporaryDirectory() as folder:
        files = write_dataset(store, ids, Path(folder) / "dataset")
        return _archive(files)


def _archive(files: Sequence[Path]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.name)
    return held.getvalue()
