"""What the home takes on the disk, emptying what can go, and one archive with everything; on the Settings page."""

import tempfile
import time
from pathlib import Path

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.home.disk_use import DiskUse, disk_use
from assistant.i18n.texts import t
from assistant.session import notices, resources

REFRESH_SECONDS = 60
COLOURS = ("#8f97c7", "var(--ink)", "var(--pencil)", "#d3b783", "#8d5a97", "#75787f", "#c9c6bb")


def draw() -> None:
    """The section."""
    st.subheader(t("disk.title"), anchor=False)
    home = resources.workspace().home
    with notices.show_errors():
        used = _measured(str(home), int(time.time() // REFRESH_SECONDS))
        st.html(_bar(used))
        html_blocks.quiet(t("disk.free", taken=formatting.size(used.taken), free=formatting.size(used.free)))
        with st.container(horizontal=True, gap="small"):
            _draw_bin()
            _draw_archive(home)


@st.cache_data(show_spinner=False, max_entries=2)
def _measured(home: str, minute: int) -> DiskUse:
    return disk_use(Path(home))


def _bar(used: DiskUse) -> str:
    """The parts as blocks of one bar, with their names and sizes below."""
    whole = max(used.taken, 1)
    shown = [
        (part, size, colour) for (part, size), colour in zip(used.parts.items(), COLOURS, strict=True) if size
    ]
    blocks = "".join(
        f'<span style="width:{100 * size / whole:.2f}%;background:{colour}"></span>'
        for _, size, colour in shown
    )
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{html_blocks.escaped(t(f"disk.{part}"))}'
        f" <b>{html_blocks.escaped(formatting.size(size))}</b></span>"
        for part, size, colour in shown
    )
    return f'<div class="window"><div class="bar tall">{blocks}</div><div class="legend">{legend}</div></div>'


def _draw_bin() -> None:
    """Deleted conversations wait thirty days; this removes them for good."""
    store = resources.workspace().store
    count = len(store.deleted())
    label = t("disk.empty_bin", count=count)
    if st.button(label, icon=":material/delete_sweep:", key="empty-bin", disabled=not count):
        removed = store.purge(older_than_seconds=0)
        st.session_state.pop("deleted", None)
        notices.queue_toast(t("disk.emptied", count=removed), ":material/delete:")
        st.rerun()


def _draw_archive(home: Path) -> None:
    st.download_button(
        t("disk.archive"),
        lambda: _archive(home),
        "imprint-backup.zip",
        "application/zip",
        icon=":material/archive:",
        key="download-archive",
        on_click="ignore",
        help=t("disk.archive.help"),
    )


def _archive(home: Path) -> bytes:
    """One archive as `imprint backup` writes it, without keys and without models that can be fetched again."""
    from assistant.backup.create import create_backup  # heavy: the registry of checkpoints

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "imprint-backup.zip"
        create_backup(home, target)
        return target.read_bytes()
