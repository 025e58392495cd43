"""What the sentences on a result say."""

from dataclasses import replace

import pytest

from assistant.compare.costs import BreakEven
from assistant.compare.results import EvaluationResult
from assistant.compare.stats import Interval, pairs_needed
from assistant.reports.verdict_text import break_even_sentence, caution, headline, p_text, verdict, verdicts
from tests.assistant.compare.samples import pair

DIFFERENT = {"difference": -0.3, "interval": Interval(-0.4, -0.2), "only_first": 4, "only_second": 28}


def test_a_verdict_needs_the_test_by_cluster() -> None:
    shown = pair("base", "rag", **DIFFERENT, p_value_clustered_holm=0.001)
    assert verdict(shown).startswith("rag is right more often than base: by 30 points (95% interval 20 to 40")
    unsure = replace(shown, p_value_clustered_holm=0.2)
    assert f"10 points would take about {pairs_needed(0.1, 0.4)} independent" in verdict(unsure)
    assert f"5 points would take about {pairs_needed(0.05, 0.4):,} independent" in verdict(unsure, 0.05)
    same = pair("base", "rag", difference=0.0, only_first=0, only_second=0)
    assert "the same 80 questions" in verdict(same)


def test_pairs_between_which_nothing_is_shown_share_a_sentence() -> None:
    unsure = pair("base", "rag")
    other = pair("rag", "halden", only_first=20)
    shown = pair("base", "halden", p_value_clustered_holm=0.01)
    first, last = verdicts([unsure, shown, other])
    assert first == verdict(shown)
    assert "between base and rag; rag and halden." in last
    assert f"about {pairs_needed(0.1, 0.2)} to {pairs_needed(0.1, 0.4)} independent questions; 80" in last
    assert verdicts([unsure, shown]) == [verdict(unsure), verdict(shown)]


def test_few_clusters_are_a_caution(result: EvaluationResult) -> None:
    few = replace(result, clustered_by="document", pairs=(pair("base", "halden", clusters=6),))
    assert "only 6 documents" in caution(few)
    assert caution(replace(few, pairs=(pair("base", "halden", clusters=60),))) == ""
    assert caution(replace(few, pairs=())) == ""


def test_when_training_is_paid_back_is_said_with_what_it_saves() -> None:
    even = BreakEven("halden", "rag", "halden", 300.0, 260, 0, 1.5)
    assert "300 s of training pay off after 200 questions" in break_even_sentence(even)
    assert "1.50 s less than with documents: 260 fewer tokens to read" in break_even_sentence(even)
    never = replace(even, seconds_saved=-0.2)
    assert "never pay off in time: an answer takes 0.20 s more" in break_even_sentence(never)


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< 0.001"), (0.001, "0.001"), (0.25, "0.250")])
def test_a_p_value_has_three_places(value: float, text: str) -> None:
    assert p_text(value) == text


def test_the_plain_verdict_names_the_best_and_says_where_it_may_be_chance(result: EvaluationResult) -> None:
    (best, first), (second, other) = sorted(result.variants.items(), key=lambda one: -one[1].correct)[:2]
    pairs = tuple(replace(one, p_value_clustered_holm=0.5) for one in result.pairs)
    assert "may show that by chance" in headline(replace(result, pairs=pairs))
    shown = tuple(replace(one, p_value_clustered_holm=0.001) for one in result.pairs)
    assert headline(replace(result, pairs=shown)) == (
        f"{best} is better: {first.correct} of {first.n} questions right, against {other.correct} for {second}."
    )
    alone = replace(result, variants={best: first}, pairs=())
    assert headline(alone) == f"{best} answered {first.correct} of {first.n} questions correctly."
