"""Where answers to one question differ: each is cut into pieces that only it says, or others too.

Words are compared, in Chinese characters, not meanings.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

# From so many words of its own on, and such a share of them, an answer says something else as a whole.
THROUGHOUT_WORDS, THROUGHOUT_SHARE = 8, 0.6

# (text, whether no other answer says it here)
Piece = tuple[str, bool]
_WORD = re.compile(r"\s*(?:[\u3400-\u9fff\uf900-\ufaff]|[^\s\u3400-\u9fff\uf900-\ufaff]+)|\s+$")
_MAX_WORDS = 600  # SequenceMatcher takes quadratic time


def differences(texts: Sequence[str]) -> list[list[Piece]]:
    """The pieces of each text, in order; together they are the text. One text alone has no differences."""
    words = [_WORD.findall(text) for text in texts]
    keys = [[_key(word) for word in one] for one in words]
    result = []
    for place, own in enumerate(words):
        shared = [False] * len(own)
        for other, theirs in enumerate(keys):
            if other == place:
                continue
            matcher = SequenceMatcher(a=keys[place][:_MAX_WORDS], b=theirs[:_MAX_WORDS], autojunk=False)
            for start, _, size in matcher.get_matching_blocks():
                shared[start : start + size] = [True] * size
        alone = len([text for text in texts if text.strip()]) > 1
        result.append(_runs(own, [alone and not is_shared for is_shared in shared]))
    return result


def differs_throughout(pieces: Sequence[Piece]) -> bool:
    """Whether marks would cover most of a long answer, and so tell nothing."""
    own = sum(len(_WORD.findall(text)) for text, is_own in pieces if is_own)
    whole = sum(len(_WORD.findall(text)) for text, _ in pieces)
    return own >= THROUGHOUT_WORDS and own >= THROUGHOUT_SHARE * whole


def _runs(words: Sequence[str], marks: Sequence[bool]) -> list[Piece]:
    runs: list[Piece] = []
    for word, is_own in zip(words, marks, strict=True):
        if runs and runs[-1][1] == is_own:
            runs[-1] = (runs[-1][0] + word, is_own)
        else:
            runs.append((word, is_own))
    return runs


def _key(word: str) -> str:
    """The form in which words are compared: without case and without punctuation around them."""
    return word.strip().casefold().strip(".,;:!?\"'()[]“”‘’。，；：！？（）") or word.strip()
