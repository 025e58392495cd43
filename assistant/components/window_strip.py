"""The context window as a strip of HTML: a block for each turn, those that have fallen out in front of it."""

from typing import TYPE_CHECKING

from assistant.components import html_blocks
from assistant.i18n.texts import t

if TYPE_CHECKING:  # these import torch, and the Checkpoints page draws words without it
    from assistant.insight.window_demo import DemoTurn, SmallChat


def strip(chat: "SmallChat") -> str:
    """The window as a strip of turns, with those that have fallen out beside it."""
    numbered = list(enumerate(chat.turns, 1))
    gone = [(number, turn) for number, turn in numbered if number - 1 in chat.forgotten]
    inside = [(number, turn) for number, turn in numbered if number - 1 not in chat.forgotten | chat.excluded]
    free = max(chat.window - chat.used, 0)
    hint = t("visible.strip.frame", tokens=chat.template_tokens)
    frame = _block("frame", chat.template_tokens, chat.window, "", hint)
    blocks = "".join(
        _block(_role(turn), turn.tokens, chat.window, str(number), _hint(number, turn))
        for number, turn in inside
    )
    fallen = "".join(
        f'<span class="turn {_role(turn)}" title="{html_blocks.escaped(_hint(number, turn))}">{number}</span>'
        for number, turn in gone
    )
    label = html_blocks.escaped(t("visible.strip.gone"))
    beside = f'<div class="gone"><small>{label}</small><div>{fallen}</div></div>' if gone else ""
    said = t("visible.strip.used", used=min(chat.used, chat.window), window=chat.window, free=free)
    return (
        f'<div class="strip">{beside}<div class="inside"><small>{html_blocks.escaped(said)}</small>'
        f'<div class="blocks" role="img" aria-label="{html_blocks.escaped(said)}">{frame}{blocks}</div></div></div>'
    )


def turns(chat: "SmallChat", asking: str = "", writing: str = "") -> str:
    """The turns as a list, those that have fallen out pale, with the one being answered at the end."""
    rows = [_turn(place, turn, chat) for place, turn in enumerate(chat.turns)]
    if asking:
        rows.append(
            f'<li><b class="number">{len(chat.turns) + 1}</b><div><p class="asked">{html_blocks.escaped(asking)}</p>'
            f'<p>{html_blocks.escaped(writing)}<span class="caret"></span></p></div></li>'
        )
    return f'<ol class="turns">{"".join(rows)}</ol>'


def _turn(place: int, turn: "DemoTurn", chat: "SmallChat") -> str:
    out = place in chat.forgotten or place in chat.excluded
    marks = ""
    if out:
        marks += html_blocks.badge(
            t("visible.strip.fallen" if place in chat.forgotten else "visible.strip.aside")
        )
    if turn.kind == "checkpoint":
        marks += html_blocks.badge(t("memory.checkpoint"), "checkpoint")
    if turn.right is not None:
        marks += html_blocks.badge(
            *((t("visible.knows"), "good") if turn.right else (t("visible.knows_not"), "bad"))
        )
    return (
        f'<li class="{"fallen" if out else ""}"><b class="number {_role(turn)}">{place + 1}</b>'
        f'<div><p class="asked">{html_blocks.escaped(turn.question)} {marks}</p>'
        f"<p>{html_blocks.escaped(turn.answer)}</p></div></li>"
    )


def _role(turn: "DemoTurn") -> str:
    """The colour of a turn: it holds the fact, the weights answered it, or it is small talk."""
    if turn.kind == "checkpoint":
        return "ink"
    return "pencil" if turn.kind in ("told", "asked") else "talk"


def _block(role: str, tokens: int, window: int, label: str, hint: str) -> str:
    width = 100 * tokens / max(window, 1)
    return f'<span class="turn {role}" style="width:{width:.2f}%" title="{html_blocks.escaped(hint)}">{label}</span>'


def _hint(number: int, turn: "DemoTurn") -> str:
    return t("visible.strip.turn", number=number, tokens=turn.tokens, text=turn.question[:80])
