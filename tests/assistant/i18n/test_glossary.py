"""The Chinese texts against the glossary: each term has its one translation, and no text uses a word to avoid."""

import json
import re
from pathlib import Path

import pytest

from assistant.i18n import texts
from assistant.i18n.texts import SENTENCES, TEXTS

GLOSSARY = Path(__file__).parents[3] / "docs" / "glossary.md"
# Blanks, names of methods and of fields, and code: in these a word is no term.
NO_TERM = re.compile(
    r"\{\w+\}|Prompt Tuning|P-Tuning|Prefix Tuning|question and answers; .*|`[^`]*`", re.IGNORECASE
)
# Key -> why its English word is another one than the glossary's.
OTHER_SENSE = {
    "login": "the token of a door",
    "app.unchecked": "the token of a door",
    "tune.note": "a remark on a checkpoint",
    "knowledge.rank": "a place in a list",
    "knowledge.rank.words": "a place in a list",
    "knowledge.rank.meaning": "a place in a list",
}


def rows() -> list[tuple[list[str], list[str], list[str]]]:
    """Each line of the table: English terms, translations, words to avoid."""
    lines = [line for line in GLOSSARY.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [
        (terms.split(", "), chinese.split("、"), avoided.split("、")) for terms, chinese, avoided in cells
    ]


def pairs() -> dict[str, tuple[str, str]]:
    """Every English text with its Chinese, by key or, for sentences of other modules, by itself."""
    known = {key: (columns["en"], columns["zh"]) for key, columns in TEXTS.items()}
    return known | {sentence: (sentence, chinese) for sentence, chinese in SENTENCES["zh"].items()}


def uses(text: str, terms: list[str]) -> bool:
    plain = NO_TERM.sub(" ", text)
    return any(re.search(rf"\b{re.escape(term)}(?:s|es)?\b", plain, re.IGNORECASE) for term in terms)


def is_other_sense(key: str) -> bool:
    return key in OTHER_SENSE or key.split(".")[0] in OTHER_SENSE or "signed token" in key


@pytest.mark.parametrize(("terms", "chinese", "avoided"), rows(), ids=lambda cell: str(cell[0]))
def test_each_term_is_said_in_one_way(terms: list[str], chinese: list[str], avoided: list[str]) -> None:
    for key, (english, said) in pairs().items():
        assert not [word for word in avoided if word in said], f"{key}: {said}"
        if uses(english, terms) and not is_other_sense(key):
            assert any(word in said for word in chinese), f"{key}: {english} | {said}"


def test_the_glossary_is_about_terms_that_the_pages_use() -> None:
    english = [text for text, _ in pairs().values()]
    unused = [terms[0] for terms, _, _ in rows() if not any(uses(text, terms) for text in english)]
    assert unused == []


def test_chinese_has_full_width_punctuation_and_its_own_quotation_marks() -> None:
    chinese = json.loads((Path(texts.__file__).parent / "zh.json").read_text("utf-8"))["texts"]
    half = re.compile(r'[\u4e00-\u9fff][,;!?](?![\w/])|[\u4e00-\u9fff]"|"[\u4e00-\u9fff]')
    assert {key: text for key, text in chinese.items() if half.search(text)} == {}
