"""The interface texts: every sentence that a page shows comes from here, by its key.

Each language is a file, `en.json` and `zh.json`. A missing translation falls back to English; a missing key
is a mistake in the code.
"""

import json
import re
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib.resources import files

FALLBACK = "en"
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}


def _file(language: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(
        files("assistant.i18n").joinpath(f"{language}.json").read_text("utf-8")
    )
    return found


_FILES = {language: _file(language) for language in LANGUAGE_NAMES}
# key -> language -> text. `{name}` is filled in by t(key, name=…). Where a count changes the sentence,
# `key.one` is taken when t() is given count=1.
TEXTS: dict[str, dict[str, str]] = {
    key: {language: file["texts"][key] for language, file in _FILES.items() if key in file["texts"]}
    for key in _FILES[FALLBACK]["texts"]
}
# English sentences of other modules (methods, presets, reasons) and their translations, by language.
SENTENCES = {language: file.get("sentences", {}) for language, file in _FILES.items()}
# The same for sentences that name something: `{}` stands for it in English, its place in the translation.
PATTERNS = {language: file.get("patterns", {}) for language, file in _FILES.items()}

_PLACE = re.compile(r"\\\{\w+\\\}")  # of a value, in an escaped text
_language: ContextVar[str] = ContextVar("language", default=FALLBACK)


def use_language(language: str) -> None:
    """Set the language of the current context, and of the threads started in it; an unknown one means English."""
    _language.set(language if language in LANGUAGE_NAMES else FALLBACK)


def language() -> str:
    """The language of the current context."""
    return _language.get()


def t(key: str, **values: object) -> str:
    """The text of `key` in the chosen language, filled in. Raises KeyError for an unknown key."""
    if values.get("count") == 1 and f"{key}.one" in TEXTS:
        key = f"{key}.one"
    texts = TEXTS[key]
    text = texts.get(_language.get()) or texts[FALLBACK]
    return text.format(**values) if values else text


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """The patterns of a language, those with the most words of their own first."""
    ordered = sorted(PATTERNS[language].items(), key=lambda one: -len(one[0]))
    return [
        (re.compile(re.escape(english).replace(r"\{\}", "(.+?)"), re.DOTALL), translation)
        for english, translation in ordered
    ]


def all_texts(*keys: str) -> frozenset[str]:
    """The texts of these keys in every language."""
    return frozenset(text for key in keys for text in TEXTS[key].values())


def says(text: str, *keys: str) -> bool:
    """Whether a text is one of these texts in any language, whatever it is filled in with."""
    return any(_pattern(one).fullmatch(text.strip()) for one in all_texts(*keys))


@lru_cache(maxsize=100)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(_PLACE.sub("(.+)", re.escape(text)))


def translated(sentence: str) -> str:
    """The translation of an English sentence of another module; the sentence itself where there is none.

    In "reason: what it is about" and "reason; reason" each known part is translated.
    """
    known = SENTENCES.get(_language.get())
    if not known or not sentence:
        return sentence
    if sentence in known:
        return known[sentence]
    for pattern, translation in _patterns(_language.get()):
        if found := pattern.fullmatch(sentence):
            return translation.format(*map(translated, found.groups()))
    if "; " in sentence:
        return "；".join(translated(part) for part in sentence.split("; "))
    head, mark, rest = sentence.partition(": ")
    return f"{known[head]}：{rest}" if mark and head in known else sentence
