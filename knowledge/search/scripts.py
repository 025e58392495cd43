"""The scripts a text is written in, to tell a question that no document could answer in its words."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

KNOWN_FLUENCY = 0.3  # below it the embedding model does not know the language of a text
SURE_FLUENCY = 0.9  # from it on it does
_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA")
# Chinese and Japanese share characters, and a question of few of them may be in either.
OWN_SCRIPTS = frozenset({_EAST_ASIAN[0]})
_LEAST_SHARE = 0.05  # of the letters, before texts count as written in a script


def script_of(text: str) -> str:
    """The script of most letters, as Unicode names it; Chinese characters and kana are one. Empty without letters."""
    found = _scripts([text])
    return max(found, key=found.__getitem__, default="")


def is_written_in(texts: Iterable[str], script: str) -> bool:
    """Whether a part of the texts worth mentioning is in that script."""
    found = _scripts(texts)
    return found[script] >= _LEAST_SHARE * found.total() and found[script] > 0


def _scripts(texts: Iterable[str]) -> Counter[str]:
    letters = Counter(letter for text in texts for letter in text if letter.isalpha())
    found: Counter[str] = Counter()
    for letter, count in letters.items():
        found[_script(letter)] += count
    return found


@lru_cache(maxsize=20_000)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").partition(" ")[0]
    return _EAST_ASIAN[0] if name in _EAST_ASIAN or name.startswith("CJK") else name
