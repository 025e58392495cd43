"""The steps of DPO, KTO, ORPO and a reward model: which pairs or answers, the references, what is reported.

Each step is a function of seed and number alone, so that a resumed run sees what an undisturbed one would have.
"""

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from tuning.alignment.dataset import PreferenceData
from tuning.alignment.kept import KeptAnswers
from tuning.alignment.loop import Advance, Weights
from tuning.alignment.objectives import OBJECTIVES, Item, Setting, sequences_of
from tuning.alignment.passes import Passes
from tuning.alignment.reward_head import scored
from tuning.alignment.sequences import Unit, check_fits, encoded_answers, total_log_probs, with_unrelated
from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel
from tuning.training.learner import Learner
from tuning.training.replay import Replay


@dataclass(frozen=True)
class Units:
    """What a run learns, encoded, and how many preferences did not fit the window."""

    learned: tuple[Unit, ...]
    dropped: int


def encoded_units(base: BaseModel, config: TuneConfig, data: PreferenceData, window: int) -> Units:
    """A unit for each pair or judged answer that fits. Raises ExampleError where none does."""
    asked = [(one.prompt, (one.chosen, one.rejected), True) for one in data.pairs]
    if config.method == "kto":
        asked = [(one.prompt, (one.completion,), one.good) for one in data.judgements]  # type: ignore[misc]
    units = []
    for prompt, answers, good in asked:
        found = encoded_answers(base, config, prompt, answers, window - 1)
        if found:
            units.append(Unit(tuple(map(scored, found)) if config.method == "reward" else found, good=good))
    check_fits(len(units), len(asked), window)
    return Units(tuple(with_unrelated(units) if config.method == "kto" else units), len(asked) - len(units))


def with_reference(base: BaseModel, units: Sequence[Unit], reference: str | None) -> list[Unit]:
    """The units with the log-probabilities of their answers under the reference: computed once."""
    answers = [answer for unit in units for answer in unit.answers]
    others = [answer for unit in units for answer in unit.unrelated]
    totals = iter(total_log_probs(base, [*answers, *others], reference))
    known = [tuple(next(totals) for _ in unit.answers) for unit in units]
    unrelated = [tuple(next(totals) for _ in unit.unrelated) for unit in units]
    return [
        replace(unit, reference=one, unrelated_reference=other)
        for unit, one, other in zip(units, known, unrelated, strict=True)
    ]


class PairwiseWork:
    """Steps over units that were encoded before."""

    def __init__(self, setting: Setting, units: Sequence[Unit], kept: KeptAnswers) -> None:
        self._setting, self._units, self._kept = setting, units, kept
        good = sum(unit.good for unit in units)
        setting = replace(setting, good=max(1, good), bad=max(1, len(units) - good))
        self._objective = OBJECTIVES[setting.config.method](setting)
        self._passes: Passes[Item] = Passes(setting.base, setting.config, sequences_of)

    def close(self) -> None:
        """End the threads of its passes."""
        self._passes.close()

    def learning(self, learner: Learner) -> AbstractContextManager[None]:
        """Inside, the base computes with what is learned."""
        return learner.on()

    def advance(self, step: int, weights: Weights) -> Advance:
        """One step of the optimiser over some of the units."""
        units = self._chosen(step)
        rng = random.Random(f"{self._setting.config.seed} step {step}")
        replays: list[Replay] = self._kept.draw(rng)
        self._objective.prepare(units)
        targets = max(1, sum(len(one.encoded.targets) for one in replays))
        compute = partial(self._objective.compute, units=len(units), replayed=targets)
        items: list[Item] = [*units, *replays]
        done = self._passes.gradients(self._setting.learner, items, compute)
        weights.update()
        measures = {name: done.measures[name] / done.measures["units"] for name in ("margin", "accuracy")}
        if replays:
            measures["kl"] = done.measures["kl"] / targets
        return Advance(done.loss, done.tokens, measures)

    def _chosen(self, step: int) -> list[Unit]:
        """Each pass goes through all units in an order of its own."""
        size = self._setting.recipe.per_step
        epoch, place = divmod(step, self._setting.recipe.steps_per_epoch(len(self._units)))
        order = list(range(len(self._units)))
        random.Random(f"{self._setting.config.seed} order {epoch}").shuffle(order)
        return [self._units[index] for index in order[place * size : (place + 1) * size]]
