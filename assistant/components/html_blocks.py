"""Small pieces of HTML: badges, tiles, the context bar, passages with their sources.

Everything here takes plain values and escapes them; nothing here reads a store or decides anything.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import streamlit as st

from assistant.components.formatting import location
from assistant.components.theme import PART_COLOURS
from assistant.history.sources import Source
from assistant.i18n.texts import t
from assistant.language.text import has_chinese
from assistant.safe_markdown import rewrite
from knowledge.grounding.citations import Citation
from knowledge.ingest.fetch import name_of
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import matching_spans, terms

_ONLY_A_NUMBER = re.compile(r"(\s*\d+)([.)]\s*)")
# "1. 2. 3." on a line: to markdown lists within lists, each further to the right until the page ends.
_NUMBERS_ALONE = re.compile(r"^[ \t]*\d+[.)](?=[ \t]+\d+[.)](?:\s|$))", re.MULTILINE)


def escaped(text: object) -> str:
    """`text` as HTML, attributes included."""
    return html.escape(str(text), quote=True)


def badge(text: str, kind: str = "", title: str = "") -> str:
    """A small rounded label; `kind` is documents, checkpoint, warn, bad, good, live or nothing."""
    hint = f' title="{escaped(title)}"' if title else ""
    return f'<span class="mark {kind}"{hint}>{escaped(text)}</span>'


def title(text: str, sentence: str = "") -> None:
    """The heading of a page with one sentence that says what it is for."""
    st.title(text, anchor=False)
    if sentence:
        lead(sentence)


def lead(text: str) -> None:
    """What a page is for, below its heading."""
    st.html(f'<p class="lead">{escaped(text)}</p>')


def announced(of: str, text: str) -> str:
    """How something stands, unseen: the script of the page says it aloud to screen readers when it changes."""
    return f'<i class="announce" data-of="{escaped(of)}" data-said="{escaped(text)}"></i>'


def copy_button(text: str) -> None:
    """A button that copies `text`; the script of the page does so."""
    name = escaped(t("message.copy"))
    st.html(
        f'<button class="copy" type="button" title="{name}" aria-label="{name}"'
        f' data-copied="{escaped(t("message.copied"))}" data-text="{escaped(text)}"></button>',
        width="content",
    )


def speak_button(text: str) -> None:
    """A button that reads `text` aloud in the browser; the script of the page does so where it can."""
    name = escaped(t("message.speak"))
    st.html(
        f'<button class="copy speak" type="button" title="{name}" aria-label="{name}"'
        f' data-lang="{"zh-CN" if has_chinese(text) else "en-GB"}" data-text="{escaped(text)}"></button>',
        width="content",
    )


def quiet(text: str) -> None:
    """A remark in small grey letters."""
    st.html(f'<div class="quiet">{escaped(text)}</div>')


def paragraph(text: str) -> None:
    """Plain text, drawn as it was written."""
    st.html(f'<p class="plain">{escaped(text)}</p>')


def attached(names: Iterable[str]) -> str:
    """The files that went with a question, as chips below it."""
    return f'<div class="attached">{"".join(badge(name, "documents") for name in names)}</div>'


@dataclass(frozen=True)
class WindowShare:
    """One part of the context window: a key of `PART_COLOURS`, its label and its tokens."""

    part: str
    label: str
    tokens: int


@dataclass(frozen=True)
class Typing:
    """How the script of the page counts what is being typed, and what it says of it."""

    latin: float  # tokens of a character of an alphabet
    other: float  # and of any other
    longest: int  # tokens that a question may have
    label: str
    too_long: str

    @property
    def attributes(self) -> str:
        """As data of an HTML element."""
        return " ".join(
            f'data-{name.replace("_", "-")}="{escaped(value)}"' for name, value in vars(self).items()
        )


def window_bar(
    shares: Sequence[WindowShare], window: int, free_label: str, typing: Typing | None = None
) -> str:
    """The context bar: how many tokens of the window each part takes, and what is left."""
    used = sum(share.tokens for share in shares)
    free = max(window - used, 0)
    shown = [share for share in shares if share.tokens > 0]
    blocks = "".join(
        f'<span style="width:{100 * share.tokens / max(window, 1):.3f}%;background:{PART_COLOURS[share.part]}" '
        f'title="{escaped(share.label)}: {share.tokens:,}"></span>'
        for share in shown
    )
    entries = [(PART_COLOURS[share.part], share.label, share.tokens) for share in shown]
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escaped(label)} <b>{tokens:,}</b></span>'
        for colour, label, tokens in [*entries, ("var(--track)", free_label, free)]
    )
    counted = f' {typing.attributes} data-window="{window}"' if typing else ""
    return f'<div class="window"{counted}><div class="bar">{blocks}</div><div class="legend">{legend}</div></div>'


@dataclass(frozen=True)
class Tile:
    """One figure with its name, a remark under it and a tint (ink, pencil, amber or none)."""

    label: str
    value: str
    note: str = ""
    tint: str = ""


def tiles(items: Iterable[Tile]) -> None:
    """Figures beside each other."""
    cells = "".join(
        f'<div class="tile {item.tint}"><div class="label">{escaped(item.label)}</div>'
        f'<div class="value">{escaped(item.value)}</div><div class="note">{escaped(item.note)}</div></div>'
        for item in items
    )
    st.html(f'<div class="tiles">{cells}</div>')


def highlighted(text: str, question: str) -> str:
    """`text` as HTML with the words of `question` marked, by the terms of the keyword search."""
    wanted = {term for term in terms(question) if term not in STOPWORDS}
    return marked(text, [(start, end, "") for start, end in matching_spans(text, wanted)])


def marked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """`text` as HTML with (start, end, id) spans marked; of two that overlap the first stays whole."""
    pieces, last = [], 0
    for start, end, name in sorted(spans):
        start = max(start, last)
        if start < end:
            anchor = f' id="{escaped(name)}"' if name else ""
            pieces += [escaped(text[last:start]), f"<mark{anchor}>{escaped(text[start:end])}</mark>"]
            last = end
        elif name:
            pieces.append(f'<a id="{escaped(name)}"></a>')
    return "".join([*pieces, escaped(text[last:])])


def passage(text: str, place: str, question: str = "") -> str:
    """A passage as a quotation, with where it comes from above it."""
    quoted = highlighted(text.strip(), question)
    return f'<div class="passage"><span class="where">{escaped(place)}</span>{quoted}</div>'


def source(number: int, found: Source, question: str = "", spans: Sequence[tuple[int, int, str]] = ()) -> str:
    """What the model read of a passage, with its number and place; its `spans` (start, end, id) support the answer."""
    place = location(f"[{number}] {name_of(found.source) or found.title}", found.page, found.headings)
    quoted = marked(found.sent, spans) if spans else highlighted(found.sent.strip(), question)
    return f'<div class="passage"><span class="where">{escaped(place)}</span>{quoted}{_whole(found)}</div>'


def _whole(found: Source) -> str:
    """The whole passage, folded away, where the model read a part of it."""
    if not found.quoted or found.quoted == found.text:
        return ""
    label = escaped(t("message.whole_passage"))
    return f'<details class="quiet"><summary>{label}</summary>{escaped(found.text.strip())}</details>'


def sources(label: str, passages: Sequence[str], *, is_open: bool = False) -> str:
    """Passages under a label, folded away at first unless `is_open`; a link to one of their marks unfolds them."""
    begin = '<details class="sources" open>' if is_open else '<details class="sources">'
    return f"{begin}<summary>{escaped(label)}</summary>{''.join(passages)}</details>"


def thoughts(label: str, text: str) -> str:
    """The end of what a model is thinking, folded away under a label."""
    return f'<details class="sources"><summary>{escaped(label)}</summary><p class="quiet">{escaped(text)}</p></details>'


def two_memories(temporary: str, temporary_text: str, permanent: str, permanent_text: str) -> str:
    """The two kinds of memory beside each other, in the colours of pencil and ink."""
    return (
        '<div class="memories">'
        f'<div class="memory pencil"><h4>{escaped(temporary)}</h4><p>{escaped(temporary_text)}</p></div>'
        f'<div class="memory ink"><h4>{escaped(permanent)}</h4><p>{escaped(permanent_text)}</p></div></div>'
    )


def card(name: str, sentence: str, remark: str = "") -> str:
    """A name, a sentence and a remark, one below the other."""
    return (
        f'<div class="choice"><b>{escaped(name)}</b><p>{escaped(sentence)}</p>'
        f'<p class="quiet">{escaped(remark)}</p></div>'
    )


def prose(text: str) -> str:
    """`text` as markdown that loads nothing: see `assistant.safe_markdown`."""
    kept = _NUMBERS_ALONE.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", _numbers_kept(text))
    return rewrite(kept, t("message.picture", host="{host}"))


def _numbers_kept(text: str) -> str:
    """A text that is only "1974." stays a number: to markdown it would be the start of an empty list."""
    return f"{alone[1]}\\{alone[2]}" if (alone := _ONLY_A_NUMBER.fullmatch(text)) else text


def cited(text: str, citations: Sequence[Citation], message: int) -> str:
    """An answer as markdown: after each sentence the number of the passage that supports it, or `?`.

    A number is a link to the supporting words, which `source` marks by the same name.
    """
    marks = []
    kept = _numbers_kept(text)
    for place, citation in enumerate(citations):
        number = f"[:green-badge[{citation.passage}]](#{citation_anchor(message, place)})"
        badge = number if citation.supported else ":orange-badge[?]"
        marks.append((len(text[: citation.end].rstrip()) + len(kept) - len(text), f" {badge}"))
    return rewrite(kept, t("message.picture", host="{host}"), marks)


def citation_anchor(message: int, place: int) -> str:
    """The HTML id of the words that support one sentence of a message."""
    return f"cite-{message}-{place}"
