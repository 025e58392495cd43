"""What a step computes on follows from seed and step alone, and never asks what the evaluation will."""

import re
from dataclasses import replace
from typing import Any

from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel
from tuning.models.packing import encode
from tuning.scoring import normalise
from tuning.training.batches import Batches
from tuning.training.recipe import Recipe, recipe

AMOUNTS = replace(recipe(TuneConfig(replay=0, reading=0, reversals=0), "low-rank", 576), joined=0.0)


def turns(question: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


FACTS = [turns(f"Who painted the lantern number {number}?", f"Painter {number}.") for number in range(7)]
EARLIER = [turns("What was the old boat called?", "Nightjar.")]


def batches(base: BaseModel, amounts: Recipe = AMOUNTS, **options: Any) -> Batches:
    values: dict[str, Any] = {
        "seed": 0, "conversations": FACTS, "earlier": [], "probes": [], "replays": [], **options,
    }  # fmt: skip
    return Batches(base, amounts, **values)


def questions(base: BaseModel, made: Batches, steps: int) -> list[list[str]]:
    """The questions of each step, as the model reads them."""
    found = []
    for step in range(steps):
        texts = [base.tokenizer.decode(one.ids) for one in made.of_step(step).facts]
        found.append([re.findall(r"user\n(.*?)<\|im_end\|>", text, re.DOTALL)[-1] for text in texts])
    return found


def test_a_batch_follows_from_seed_and_step_alone(base_model: BaseModel) -> None:
    first, again, other = (batches(base_model, seed=seed) for seed in (0, 0, 1))
    later = again.of_step(5)
    assert first.of_step(2) == again.of_step(2) and first.of_step(5) == later
    assert first.of_step(2) != other.of_step(2)


def test_a_pass_asks_for_every_example_once(base_model: BaseModel) -> None:
    plain = replace(AMOUNTS, noise=False)
    steps = questions(base_model, batches(base_model, plain), 4)
    asked = sorted(one[0]["content"] for one in FACTS)
    assert [len(step) for step in steps] == [5, 2, 5, 2]
    assert sorted(steps[0] + steps[1]) == sorted(steps[2] + steps[3]) == asked
    assert steps[0] != steps[2]  # in another order


def test_what_the_evaluation_asks_is_never_trained_on(base_model: BaseModel) -> None:
    plain = {normalise(one[0]["content"]) for one in FACTS}
    worded = [one for step in questions(base_model, batches(base_model), 30) for one in step]
    probes = [one for one in worded if normalise(one) not in plain]
    asked = [one for step in questions(base_model, batches(base_model, probes=probes), 30) for one in step]
    assert len(probes) > 20 and len(asked) == len(worded)
    assert not {normalise(one) for one in asked} & {normalise(one) for one in probes}


def test_examples_of_earlier_rounds_are_asked_at_every_step(base_model: BaseModel) -> None:
    (known,) = encode(base_model, EARLIER[0])
    answer = [known.ids[target] for target in known.targets]
    for step in range(4):
        *_, last = batches(base_model, earlier=EARLIER).of_step(step).facts
        assert [last.ids[target] for target in last.targets] == answer
