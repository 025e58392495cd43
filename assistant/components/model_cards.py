"""Models as cards: what one is and needs on this machine, and how far its download is. It decides nothing."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t, translated
from tuning.config import DEFAULT_BASE

if TYPE_CHECKING:  # torch and transformers take seconds, and another thread may be importing them
    from assistant.models.downloads import DownloadTask
    from tuning.models.catalogue import CatalogueEntry, Recommendation
    from tuning.models.checks import ModelReport

OnName = Callable[[str], None]


@dataclass(frozen=True)
class Offers:
    """What a card's buttons do, and whether they may."""

    use: OnName
    download: OnName
    current: str
    is_fixed: bool  # the environment names the model
    busy: frozenset[str]  # names that are being fetched


def draw_card(entry: "CatalogueEntry", best: "Recommendation", offers: Offers) -> None:
    """One model of the catalogue with its buttons."""
    with (
        st.container(border=True, key=f"model-{key_of(entry.name)}"),
        st.container(horizontal=True, vertical_alignment="center", gap="small"),
    ):
        st.html(_described(entry, best, offers.current), width="stretch")
        _draw_buttons(entry, offers)


def draw_report(report: "ModelReport", offers: Offers) -> None:
    """A model that was looked at by its name."""
    with st.container(border=True, key="model-report"):
        st.html(
            f"<b>{html_blocks.escaped(report.name)}</b><br>"
            f'<span class="quiet">{html_blocks.escaped(_facts(report))}</span><br>'
            f'<span class="quiet">{html_blocks.escaped(_needs(report))}</span>'
        )
        if report.convert_bytes:
            html_blocks.quiet(t("settings.models.convert", size=formatting.size(report.convert_bytes)))
        if report.cannot_tune:
            html_blocks.quiet(t("settings.models.cannot_tune", why=report.cannot_tune))
        if report.is_here:
            _button("use", report.name, t("settings.models.use"), offers.use, offers.is_fixed)
        elif report.fits_disk:
            size = t("settings.models.download", size=formatting.size(report.download_bytes))
            _button("get", report.name, size, offers.download, report.name in offers.busy)
        else:
            html_blocks.quiet(t("settings.models.no_disk", free=formatting.size(report.disk_free)))


def draw_progress(task: "DownloadTask") -> None:
    """How far a download is, and a button that stops it."""
    values = {"name": task.name, "done": formatting.size(task.done), "total": formatting.size(task.total)}
    if not task.total:
        text = t("settings.models.progress.begin", name=task.name)
    elif (left := task.seconds_left) is None:
        text = t("settings.models.progress", **values)
    else:
        text = t("settings.models.progress.left", **values, left=formatting.seconds(left))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(task.share, text=formatting.escape_markdown(text), width="stretch")
        st.button(
            t("settings.models.cancel"),
            key=f"stop-{key_of(task.name)}",
            icon=":material/close:",
            disabled=task.stopping,
            on_click=task.stop,
        )


def key_of(name: str) -> str:
    """A key of a widget for any name."""
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _draw_buttons(entry: "CatalogueEntry", offers: Offers) -> None:
    if entry.name == offers.current:
        return
    if entry.at_hand:
        _button("use", entry.name, t("settings.models.use"), offers.use, offers.is_fixed)
        return
    if entry.gguf:
        small = t("settings.models.download_small", size=formatting.size(entry.gguf_bytes))
        _button("get", entry.gguf, small, offers.download, entry.gguf in offers.busy)
    size = t("settings.models.download", size=formatting.size(entry.download_bytes))
    _button("get", entry.name, size, offers.download, entry.name in offers.busy)


def _button(kind: str, name: str, label: str, do: OnName, disabled: bool) -> None:
    icon = ":material/download:" if kind == "get" else ":material/check:"
    if st.button(label, key=f"{kind}-{key_of(name)}", icon=icon, disabled=disabled):
        do(name)


def _described(entry: "CatalogueEntry", best: "Recommendation", current: str) -> str:
    marks = [
        *([html_blocks.badge(t("settings.in_use"), "checkpoint")] if entry.name == current else []),
        *([html_blocks.badge(t("settings.at_hand"), "good")] if entry.at_hand else []),
        *([html_blocks.badge(t("settings.models.best.chat"), "documents")] if entry == best.chat else []),
        *([html_blocks.badge(t("settings.models.best.tune"), "documents")] if entry == best.tune else []),
        *([html_blocks.badge(t("settings.models.gated"), "warn")] if entry.is_gated else []),
    ]
    skills = [t("settings.models.skills")] if entry.name == DEFAULT_BASE else []
    lines = [_facts(entry), _needs(entry), *skills, entry.name]
    return f"<b>{html_blocks.escaped(translated(entry.title))}</b> {' '.join(marks)}" + "".join(
        f'<br><span class="quiet">{html_blocks.escaped(line)}</span>' for line in lines
    )


def _facts(model: "CatalogueEntry | ModelReport") -> str:
    return t(
        "settings.models.facts",
        parameters=count(model.parameters),
        window=f"{model.window:,}",
        license=model.license or t("settings.models.no_license"),
    )


def _needs(model: "CatalogueEntry | ModelReport") -> str:
    return t(
        "settings.models.needs",
        chat=formatting.size(model.chat_bytes),
        chat_fits=_sign(model.fits_chat),
        tune=formatting.size(model.tune_bytes),
        tune_fits=_sign(model.fits_tune),
        rate=f"{model.tokens_per_second:.0f}",
    )


def count(parameters: int) -> str:
    """Parameters as people say them."""
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.0f} M"


def _sign(fits: bool) -> str:
    return "✓" if fits else "✗"
