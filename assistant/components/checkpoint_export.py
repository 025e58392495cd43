"""Exporting a checkpoint on the page: a format, the folder it is written into, and the files as one archive."""

import io
import zipfile
from pathlib import Path

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t
from assistant.session import notices, resources
from tuning.checkpoints.export_formats import EXPORT_FORMATS
from tuning.checkpoints.manifest import Checkpoint

MOST_BYTES = 300 * 10**6  # of an archive that is made in memory; larger exports are told by their folder


def open_dialog(checkpoint: Checkpoint) -> None:
    """Choose a format and write it."""
    st.dialog(t("export.title", name=checkpoint.name))(_draw)(checkpoint)


def _draw(checkpoint: Checkpoint) -> None:
    notices.apply_language()
    form = st.radio(
        t("export.format"),
        EXPORT_FORMATS,
        key=f"export-format-{checkpoint.id}",
        format_func=lambda n: t(f"export.{n}"),
    )
    folder = resources.workspace().home / "exports" / f"{checkpoint.name}-{form}"
    if st.button(
        t("export.write"),
        type="primary",
        icon=":material/download:",
        key="export-write",
        disabled=folder.exists(),
    ):
        with notices.show_errors(), st.spinner(t("export.writing")):
            resources.import_models()
            from tuning.checkpoints.export import export  # heavy: torch

            export(checkpoint, form, folder, resources.workspace().home)
    if folder.exists():
        _draw_files(folder)


def _draw_files(folder: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    html_blocks.quiet(t("export.written", folder=folder, count=len(files), size=formatting.size(size)))
    if size <= MOST_BYTES:
        st.download_button(
            t("export.download"),
            lambda: _archive(folder, files),
            f"{folder.name}.zip",
            mime="application/zip",
            icon=":material/folder_zip:",
            on_click="ignore",
            key="export-download",
        )


def _archive(folder: Path, files: list[Path]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for path in files:
            archive.write(path, path.relative_to(folder.parent))
    return held.getvalue()
