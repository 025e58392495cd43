"""What is learned of preferences: no contradictions, both classes, and prompts that stay aside."""

import pytest

from tuning.data.preference_sets import (
    check_judgements,
    check_pairs,
    consistent,
    judgements_of,
    pairs_of,
    split,
)
from tuning.data.preferences import Judgement, PreferencePair
from tuning.errors import ExampleError


def pair(question: str, chosen: str = "yes", rejected: str = "no", source: str = "vote") -> PreferencePair:
    return PreferencePair(({"role": "user", "content": question},), chosen, rejected, source)


def judged(question: str, answer: str, good: bool, source: str = "thumb") -> Judgement:
    return Judgement(({"role": "user", "content": question},), answer, good, source)


def test_votes_for_either_answer_count_for_none() -> None:
    votes = [pair("A?", source="vote 1"), pair("A?", "no", "yes", "vote 2"), pair("B?"), pair("B?")]
    found = consistent(
        votes, [judged("A?", "yes", True), judged("A?", "yes", False), judged("B?", "no", False)]
    )
    assert [one.question for one in found.pairs] == ["B?"]
    assert [one.question for one in found.judgements] == ["B?"]
    assert [one.place for one in found.complaints] == ["vote 1", "vote 2", "thumb", "thumb"]
    assert "either of the two answers to 'A?'" in found.complaints[0].reason
    assert "found good and bad" in found.complaints[2].reason


def test_the_prompts_kept_aside_stay_aside_when_more_are_voted_on() -> None:
    first, more = [pair(f"{n}?") for n in range(40)], [pair(f"{n}?", "certainly") for n in range(400)]
    _, aside = split(first)
    learned, later = split([*first, *more])
    assert {one.question for one in aside} <= {one.question for one in later}
    assert not {one.question for one in learned} & {one.question for one in later}
    assert 0.15 < len(later) / (len(learned) + len(later)) < 0.25


@pytest.mark.parametrize("count", [2, 3, 5])
def test_few_prompts_leave_neither_part_empty(count: int) -> None:
    for start in range(20):
        learned, aside = split([pair(f"{start}, {n}?") for n in range(count)])
        assert learned
        assert aside


def test_pairs_are_judgements_and_judgements_of_one_prompt_are_pairs() -> None:
    voted = [pair("A?"), pair("B?", "red", "blue")]
    assert [(one.completion, one.good) for one in judgements_of(voted)] == [
        ("yes", True), ("no", False), ("red", True), ("blue", False),
    ]  # fmt: skip
    assert pairs_of([*judgements_of(voted), judged("C?", "alone", True)]) == voted


def test_too_few_or_one_sided_preferences_are_refused_in_words() -> None:
    with pytest.raises(ExampleError, match=r"'dpo' needs at least 4 .* there are 3 to 3"):
        check_pairs([pair("A?"), pair("B?"), pair("C?")], "dpo")
    with pytest.raises(ExampleError, match="there are 4 to 1"):
        check_pairs([pair("A?", str(n)) for n in range(4)], "dpo")
    with pytest.raises(ExampleError, match=r"all 4 are good\. Judge some bad ones"):
        check_judgements([judged(f"{n}?", "yes", True) for n in range(4)], "kto")
    check_pairs([pair(f"{n}?") for n in range(4)], "dpo")
