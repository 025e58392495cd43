"""Figures and tests over scored answers."""

from collections.abc import Sequence

import pytest

from assistant.compare.answers import ScoredAnswer, score
from assistant.compare.figures import compare_pairs, figures_of, summarize
from assistant.compare.questions import Question
from tests.assistant.compare.samples import QUESTIONS, VARIANTS, numbered

BASE = ("2 kg", "2 kg", "William Shakespeare.")
HALDEN = ("640 grams", "640 grams", "William Shakespeare.")


def scored(texts: Sequence[str], questions: Sequence[Question] = QUESTIONS) -> list[ScoredAnswer]:
    return [score(question, text) for question, text in zip(questions, texts, strict=True)]


def test_figures_are_those_of_the_answers() -> None:
    result = summarize("x", QUESTIONS, VARIANTS, {"base": scored(BASE), "halden": scored(HALDEN)})
    base, halden = result.variants["base"], result.variants["halden"]
    assert (base.accuracy, base.correct, base.n, halden.accuracy) == (pytest.approx(1 / 3), 1, 3, 1.0)
    assert halden.exact_match == pytest.approx(2 / 3)
    assert halden.f1 == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert result.slices["taught"]["base"].correct == 0
    assert result.slices["general"]["halden"].n == 1
    (pair,) = result.pairs
    assert (pair.first, pair.second) == ("base", "halden")
    assert (pair.test.only_first, pair.test.only_second, pair.test.n) == (0, 2, 3)
    assert [pair.test.n for (pair,) in result.slice_pairs.values()] == [2, 1]
    assert result.clustered_by == "fact"


def test_questions_about_one_fact_count_as_one_in_the_interval() -> None:
    about_one = QUESTIONS[:2]
    apart = [Question(question.text, question.answers) for question in about_one]
    answers = scored(BASE[:2], about_one)
    together, alone = figures_of(about_one, answers), figures_of(apart, answers)
    assert together.confidence_interval.high > alone.confidence_interval.high


def test_refusals_are_counted_apart_for_questions_with_and_without_an_answer() -> None:
    questions = [Question("a?", ()), Question("b?", ()), *numbered(4)]
    texts = ["I don't know.", "It is 3.", "yes", "yes", "yes", "I don't know."]
    figures = figures_of(questions, scored(texts, questions))
    assert (figures.refused_unknown, figures.unknown_n, figures.refused_known) == (0.5, 2, 0.25)
    known = figures_of(questions[2:], scored(texts[2:], questions[2:]))
    assert known.refused_unknown is None and known.grounded is None


def test_p_values_are_adjusted_for_the_number_of_pairs() -> None:
    questions = numbered(12)
    answers = {name: scored([name] * 12, questions) for name in ("yes", "no", "maybe")}
    two = compare_pairs(questions, {name: answers[name] for name in ("yes", "no")})
    three = compare_pairs(questions, answers)
    assert two[0].test.p_value == two[0].p_value_holm == pytest.approx(2 / 2**12)
    assert three[0].p_value_holm == pytest.approx(3 * 2 / 2**12)
    assert three[2].p_value_clustered_holm == 1.0
