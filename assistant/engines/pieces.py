"""A piece of an answer that knows how likely its tokens were. What they mean to a client is decided elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TokenLogprob:
    """A token that was written, or could have been in its place."""

    text: str
    # The natural logarithm of its probability before anything but the model had a say.
    logprob: float
    # Of the text as it is, which may be part of a character.
    bytes: tuple[int, ...]
    # The likeliest tokens in its place, the first of all first.
    top: tuple["TokenLogprob", ...] = ()


class Piece(str):
    """Text, and the tokens that it was written with."""

    tokens: tuple[TokenLogprob, ...]

    def __new__(cls, text: str, tokens: Sequence[TokenLogprob]) -> "Piece":
        """Text of these tokens."""
        piece = super().__new__(cls, text)
        piece.tokens = tuple(tokens)
        return piece
