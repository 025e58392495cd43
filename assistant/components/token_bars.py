"""Tokens with their probabilities as HTML: as bars behind buttons, as coloured text, as a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.components import html_blocks
from assistant.i18n.texts import t

if TYPE_CHECKING:  # these import torch, and the Checkpoints page draws words without it
    from assistant.insight.token_probabilities import AnswerToken, NextToken

WHOLE_WIDTHS = (0.1, 0.25, 0.5, 1.01)  # a little above 1, for rounding
SURE_GAIN = 4.0  # nats: e⁴ is more than fifty times as likely


def readable(text: str, ends: bool = False) -> str:
    """A token as text to read: one that continues a word begins with an ellipsis, white space gets a sign."""
    if ends:
        return t("visible.next.end")
    if not text.strip(" "):
        return "␣" * max(len(text), 1)
    shown = text.replace("\n", "↵").replace("\t", "⇥")
    if shown.startswith(" "):
        return shown.strip(" ")
    return f"…{shown}" if shown[0].isascii() and shown[0].isalnum() else shown


def scale_of(sides: "Sequence[Sequence[NextToken]]") -> float:
    """The probability that a bar of full width stands for: the same for words beside each other."""
    largest = max((word.probability for words in sides for word in words), default=1.0)
    return next(whole for whole in WHOLE_WIDTHS if largest <= whole)


def bars(words: "Sequence[NextToken]", key: str, colour: str, whole: float) -> str:
    """A style sheet that draws a bar behind the button of each word; `whole` is the probability of a full width."""
    rules = []
    for place, word in enumerate(words):
        width = min(100 * word.probability / whole, 100)
        rules.append(
            f".st-key-{key}-{place} button {{ background: linear-gradient(to right, {colour} {width:.2f}%, "
            f"transparent {width:.2f}%) no-repeat; opacity: {'.45' if word.is_excluded else '1'} }}"
        )
    return f"<style>{' '.join(rules)}</style>"


def percent(share: float) -> str:
    """A probability as a person reads it."""
    if share >= 0.9995:
        return "100%"
    if share >= 0.0995:
        return f"{100 * share:.0f}%"
    return f"{100 * share:.1f}%" if share >= 0.0005 else "< 0.1%" if share > 0 else "0%"


def tokens_by_share(said: "Sequence[AnswerToken]") -> str:
    """An answer whose tokens are the darker, the less sure the model was of them."""
    return _tokens(said, [f"rgba(168,100,26,{0.75 * (1 - token.probability):.3f})" for token in said])


def tokens_by_gain(said: "Sequence[AnswerToken]") -> str:
    """An answer whose tokens are blue where the checkpoint made them likelier, and red where less likely."""
    colours = []
    for token in said:
        strength = min(abs(token.log_ratio) / SURE_GAIN, 1.0) * 0.55
        colours.append(f"rgba({'51,63,143' if token.log_ratio >= 0 else '178,58,58'},{strength:.3f})")
    return _tokens(said, colours)


def _tokens(said: "Sequence[AnswerToken]", colours: Sequence[str]) -> str:
    pieces = "".join(
        f'<span style="background:{colour}" title="{html_blocks.escaped(_about(token))}">{_shown(token.text)}</span>'
        for token, colour in zip(said, colours, strict=True)
    )
    return f'<div class="tokens">{pieces}</div>'


def _shown(text: str) -> str:
    return html_blocks.escaped(text).replace("\n", "↵<br>")


def _about(token: "AnswerToken") -> str:
    return t(
        "visible.answer.token",
        text=readable(token.text),
        share=percent(token.probability),
        before=percent(token.base_probability),
        rival=readable(token.base_choice),
        divergence=f"{token.kl_divergence:.2f}",
    )


def tokens_table(said: "Sequence[AnswerToken]") -> str:
    """The figures behind the colours."""
    keys = ("token", "before", "share", "divergence", "rival")
    head = "".join(f"<th>{html_blocks.escaped(t(f'visible.answer.column.{key}'))}</th>" for key in keys)
    rows = "".join(
        f"<tr><td><b>{html_blocks.escaped(readable(token.text))}</b></td>"
        + "".join(
            f'<td class="numbers" data-label="{html_blocks.escaped(t(f"visible.answer.column.{key}"))}">'
            f"{html_blocks.escaped(value)}</td>"
            for key, value in (
                ("before", percent(token.base_probability)),
                ("share", percent(token.probability)),
                ("divergence", f"{token.kl_divergence:.2f}"),
                ("rival", readable(token.base_choice)),
            )
        )
        + "</tr>"
        for token in said
    )
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
