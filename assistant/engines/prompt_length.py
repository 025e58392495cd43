"""Whether a prompt leaves room for an answer, found without reading all of a text that is far too long."""

from collections.abc import Callable

from assistant.errors import PromptTooLongError

CHARACTERS_A_TOKEN = 16  # more than any text has on average, long runs of spaces excepted


def ids_that_fit(encode: Callable[[str], list[int]], text: str, most: int, model: str) -> list[int]:
    """The ids of a prompt of fewer than `most` tokens. Raises PromptTooLongError."""
    beginning = text[: most * CHARACTERS_A_TOKEN]
    ids, is_whole = encode(beginning), len(beginning) == len(text)
    if len(ids) < most and not is_whole:
        ids, is_whole = encode(text), True
    if len(ids) < most:
        return ids
    counted = f"{len(ids):,}" if is_whole else f"{len(ids):,}+"
    raise PromptTooLongError(
        f"The prompt has {counted} tokens, and {model} reads {most:,}. "
        "Shorten the question, or choose a model with a larger window.",
        tokens=len(ids),
        window=most,
    )
