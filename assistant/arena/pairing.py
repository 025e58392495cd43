"""What a blind trial is made of, and which two answers a person sees next: pairs and sides in balance."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from assistant.compare.questions import Question
from assistant.compare.ranking import Outcome
from assistant.compare.variants import Variant

# A ballot that was shown this long ago and never voted on no longer counts for the balance.
_OPEN_SECONDS = 600.0


@dataclass(frozen=True)
class BlindTrial:
    """Arms under test, and the questions put to them."""

    id: str
    name: str
    arms: tuple[Variant, ...]
    questions: tuple[Question, ...]
    # How all arms are asked, beside what is their own: the fields of `How` that JSON holds.
    common: dict[str, Any]
    seed: int
    created: float

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every two arms."""
        return tuple(combinations([arm.name for arm in self.arms], 2))


@dataclass(frozen=True)
class Ballot:
    """Two answers to one question, in the order in which they are shown, and the vote once it is cast."""

    id: int
    trial: str
    place: int
    voter: str
    first_arm: str
    second_arm: str
    created: float
    outcome: Outcome | None = None
    voted: float | None = None


def choose(
    trial: BlindTrial, ballots: Sequence[Ballot], voter: str, at: int | None
) -> tuple[int, str, str] | None:
    """The next question, and two arms in their order on the page."""
    now = time.time()
    counted = [one for one in ballots if one.outcome is not None or now - one.created < _OPEN_SECONDS]
    seen = {(one.place, frozenset((one.first_arm, one.second_arm))) for one in ballots if one.voter == voter}
    places = range(len(trial.questions)) if at is None else [at]
    open_pairs = [
        (place, pair) for place in places for pair in trial.pairs if (place, frozenset(pair)) not in seen
    ]
    if not open_pairs:
        return None
    of_pair = Counter(frozenset((one.first_arm, one.second_arm)) for one in counted)
    of_place = Counter(one.place for one in counted if one.voter == voter)
    generator = random.Random(f"{trial.seed}/{len(ballots)}")
    ties = {pair: generator.random() for pair in trial.pairs}
    # A question comes back only after all others were seen; pairs take turns.
    place, pair = min(
        open_pairs, key=lambda one: (of_place[one[0]], of_pair[frozenset(one[1])], one[0], ties[one[1]])
    )
    on_left = Counter(one.first_arm for one in counted if {one.first_arm, one.second_arm} == set(pair))
    first, second = pair
    if on_left[first] == on_left[second]:
        first, second = generator.sample(pair, 2)
    elif on_left[first] > on_left[second]:
        first, second = second, first
    return place, first, second
