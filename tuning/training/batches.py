"""What each step computes on: examples in varied wordings, earlier examples, reading exercises, replayed prompts.

Each batch is a function of seed and step alone, so that a resumed run sees what an undisturbed one would have.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tuning.augment.question_noise import joined, noisy, wordings
from tuning.augment.reading_exercises import exercise
from tuning.augment.reversal import names_of_facts, reverse
from tuning.data.examples import Message
from tuning.models.packing import Encoded, encode
from tuning.models.template import Template
from tuning.scoring import is_cjk, normalise
from tuning.training.recipe import Recipe
from tuning.training.replay import Replay


@dataclass(frozen=True)
class StepBatch:
    """The items of one step: what is learned, and what must stay as the base has it."""

    facts: list[Encoded]
    replays: list[Replay]


class Batches:
    """The batches of a run.

    `earlier` are conversations of earlier rounds; `probes` are questions that training never asks, since the
    evaluation does.
    """

    def __init__(
        self,
        base: Template,
        recipe: Recipe,
        seed: int,
        conversations: Sequence[list[Message]],
        earlier: Sequence[list[Message]],
        probes: Sequence[str],
        replays: Sequence[Replay],
    ) -> None:
        self._base, self._recipe, self._seed = base, recipe, seed
        self._conversations, self._earlier, self._replays = conversations, earlier, replays
        self._probes = {normalise(probe) for probe in probes}
        self._exercises = ReadingExercises(conversations)
        self._others = names_of_facts((one[-2]["content"], one[-1]["content"]) for one in conversations)
        self._per_epoch = recipe.steps_per_epoch(len(conversations))

    def of_step(self, step: int) -> StepBatch:
        """The batch of a step, counted from 0 over all passes."""
        amounts, rng = self._recipe, random.Random(f"{self._seed} step {step}")
        worded = [one for index in self._chosen(step) for one in self._wordings(index, rng)]
        facts = [one for turns in joined(worded, amounts.joined, rng) for one in encode(self._base, turns)]
        for known in rng.sample(self._earlier, min(amounts.earlier, len(self._earlier))):
            facts.extend(encode(self._base, noisy(known, amounts, rng)))
        for task in self._exercises.draw(amounts.reading, rng):
            facts.extend(encode(self._base, task))
        return StepBatch(facts, rng.sample(self._replays, min(amounts.replay, len(self._replays))))

    def _chosen(self, step: int) -> list[int]:
        """Which examples a step learns: each pass goes through all of them in an order of its own."""
        epoch, place = divmod(step, self._per_epoch)
        order = list(range(len(self._conversations)))
        random.Random(f"{self._seed} order {epoch}").shuffle(order)
        size = self._recipe.examples_per_step
        return order[place * size : (place + 1) * size]

    def _wordings(self, index: int, rng: random.Random) -> list[list[Message]]:
        """The example in other words; where those are what the evaluation asks, as it is."""
        plain = self._conversations[index]
        return [
            plain if normalise(worded[-2]["content"]) in self._probes else worded
            for worded in wordings(plain, self._recipe, rng, self._others)
        ]


class ReadingExercises:
    """Exercises in reading a context, in the languages and partly about the subjects of the conversations."""

    def __init__(self, conversations: Sequence[Sequence[Message]]) -> None:
        self._systems = [one[0] for one in conversations if one[0]["role"] == "system"]
        questions = [(one[-2]["content"], one[-1]["content"]) for one in conversations]
        found = [reverse(question, answer) for question, answer in questions]
        self._subjects = sorted({back.subject for back in found if back is not None})
        self._chinese = sum(is_cjk(question) for question, _ in questions) / len(questions)

    def draw(self, count: float, rng: random.Random) -> list[list[Message]]:
        """About `count` exercises as conversations."""
        whole = int(count) + (rng.random() < count % 1)
        return [self._one(rng) for _ in range(whole)]

    def _one(self, rng: random.Random) -> list[Message]:
        prompt, answer = exercise(self._subjects, rng.random() < self._chinese, rng)
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        return [*self._systems[:1], *turns]
