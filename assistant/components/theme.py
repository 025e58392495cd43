"""The colours, the logo and the style sheet of the pages."""

import html
import json
from pathlib import Path

import streamlit as st

from assistant.i18n.texts import FALLBACK, TEXTS, language, t

HERE = Path(__file__).parent
LOGO = HERE / "logo.svg"
MARK = HERE / "mark.svg"
INK, PENCIL, AMBER, GRAY, RED = "#333f8f", "#14776f", "#a8641a", "#75787f", "#b23a3a"
SERIES = (INK, PENCIL, AMBER, "#8d5a97", GRAY, RED)
SERIES_ON_DARK = ("#9aa6f0", "#5cc0b3", "#dba259", "#c795d1", "#a3a5ab", "#ea8383")
# What is too dark for dark pages -> the same hue as it is seen there.
ON_DARK = {**dict(zip(SERIES, SERIES_ON_DARK, strict=True)), "#5b4636": "#b49a86"}
# What Streamlit says around a page, by the names of its texts.
FRAME = (
    "skip",
    "sidebar",
    "collapse",
    "expand",
    "pages",
    "choose",
    "none",
    "results",
    "open",
    "send",
    "user",
    "assistant",
    "upload",
    "help",
    "less",
    "more",
    "close",
    "row",
    "columns",
    "search",
    "home",
    "fullscreen",
    "leave",
    "data",
    "chart",
    "png",
    "csv",
    "spec",
    "graph",
    "progress",
    "clear",
    "show",
    "hide",
    "add",
    "several",
    "clearvalue",
)
# Parts of the context window, from left to right; the style sheet knows the two inks on light and on dark pages.
PART_COLOURS = {
    "system": "#b08a4a",
    "examples": "#d3b783",
    "passages": "var(--pencil)",
    "attached": "#4f9d93",
    "history": "#8f97c7",
    "question": "var(--ink)",
}


def series() -> tuple[str, ...]:
    """The colours of lines and points, the first for a single one, as they are seen on this tab's ground."""
    return SERIES_ON_DARK if is_dark() else SERIES


def shown(colour: str) -> str:
    """A colour of a chart as it is seen on this tab's ground."""
    return ON_DARK.get(colour, colour) if is_dark() else colour


def is_dark() -> bool:
    """Whether this tab shows dark pages: charts are drawn in colours that no style sheet reaches."""
    return st.context.theme.type == "dark"


def paper() -> str:
    """The ground of the page, for lines between pieces of a chart."""
    return "#191a1e" if is_dark() else "#fdfdfb"


def page_script() -> str:
    """The script of every page, as it stands in it; the app's headers allow this text and no other."""
    return (HERE / "page.js").read_text("utf-8")


def frame_words() -> dict[str, str]:
    """What Streamlit itself says around a page, in English, and in the language of the run."""
    return {TEXTS[f"frame.{name}"][FALLBACK]: t(f"frame.{name}") for name in FRAME}


def apply_script() -> None:
    """Put the script on the page, with the texts that it needs in the language of the run."""
    words = html.escape(json.dumps(frame_words(), ensure_ascii=False)) if language() != FALLBACK else ""
    upload = f'data-upload="{t("upload.button")}" data-per-file="{t("upload.size", size="SIZE")}"'
    st.html(
        f'<i class="page-texts" lang="{language()}" data-frame="{words}" {upload}></i><script>{page_script()}</script>',
        unsafe_allow_javascript=True,
    )


def apply_theme() -> None:
    """Put the style sheet and the logo on the page; every page does so through the app."""
    st.html(HERE / "style.css")
    st.logo(LOGO, size="large", icon_image=MARK)
