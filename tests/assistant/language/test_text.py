"""Sentences and verb forms that the rules share."""

import pytest

from assistant.language.text import base_form, normal, same_text, sentences, third_person


def test_sentences_keep_numbers_and_abbreviations_whole() -> None:
    assert sentences("It takes 38.5 hours. Dr. Renn agrees! 是的。好") == [
        "It takes 38.5 hours.",
        "Dr. Renn agrees!",
        "是的。",
        "好",
    ]


@pytest.mark.parametrize("verb", ["reach", "carry", "weigh", "fly", "have", "do", "go", "fix", "pass", "use"])
def test_verb_forms_go_both_ways(verb: str) -> None:
    assert base_form(third_person(verb)) == verb


def test_texts_that_differ_in_case_articles_and_punctuation_are_the_same() -> None:
    assert same_text("The Office is in Oslo!", "office is in oslo")
    assert same_text("请问，托尔瓦有多重？", "托尔瓦有多重")
    assert not same_text("The office is in Oslo", "The office is in Bergen")
    assert normal("Ａ Ｂ") == "b"  # full-width letters are letters, and "a" is an article
