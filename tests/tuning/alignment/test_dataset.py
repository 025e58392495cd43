"""Each method gets preferences in the form that it learns from, and nothing of a prompt that is kept aside."""

import pytest

from tuning.alignment.dataset import preference_data, size
from tuning.data.preferences import Judgement, PreferencePair, ReadPreferences
from tuning.errors import ExampleError


def asked(number: int) -> tuple[dict[str, str], ...]:
    return ({"role": "user", "content": f"Question {number}?"},)


PAIRS = tuple(PreferencePair(asked(n), "yes", "no", "vote") for n in range(30))
JUDGED = tuple(
    Judgement(asked(n), text, good)
    for n in range(20, 60)
    for text, good in (("sure", True), ("never", False))
)
GIVEN = ReadPreferences(PAIRS, JUDGED)


@pytest.mark.parametrize(("method", "count"), [("dpo", 70), ("kto", 140), ("ppo", 60)])
def test_pairs_judgements_and_prompts_are_made_of_one_another(method: str, count: int) -> None:
    data = preference_data(method, GIVEN)
    everything = {"dpo": 70, "kto": 140, "ppo": 60}[method]
    assert 0.6 * everything < size(method, data) < everything == count
    learned = {one.prompt_key for one in (*data.pairs, *data.judgements)}
    assert not learned & {one.prompt_key for one in data.aside}
    assert len(data.prompts) + len(data.aside_prompts) == 60


def test_thumbs_alone_are_enough_where_a_prompt_has_both() -> None:
    data = preference_data("dpo", ReadPreferences(judgements=JUDGED))
    assert {(one.chosen, one.rejected) for one in data.pairs} == {("sure", "never")}


def test_an_answer_that_won_here_and_lost_there_is_neither_good_nor_bad() -> None:
    chain = [
        PreferencePair(asked(n), a, b) for n in range(8) for a, b in (("best", "middle"), ("middle", "worst"))
    ]
    data = preference_data("kto", ReadPreferences(tuple(chain)))
    assert {one.completion for one in data.judgements} == {"best", "worst"}


def test_contradictions_are_left_out_and_said() -> None:
    data = preference_data("dpo", ReadPreferences((*PAIRS, PreferencePair(asked(1), "no", "yes", "vote 31"))))
    assert [one.place for one in data.left_out] == ["vote", "vote 31"]
    assert len(data.pairs) + len(data.aside) == 29


def test_too_few_prompts_are_refused() -> None:
    with pytest.raises(
        ExampleError, match="'grpo' needs at least 4 different prompts to answer, and there are 3"
    ):
        preference_data("grpo", ReadPreferences(PAIRS[:3]))
