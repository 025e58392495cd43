"""A blind trial and its ballots, and which two answers a voter sees next: pairs and sides are balanced."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from assistant.chat.turn import AnswerOptions
from assistant.compare.questions import Question
from assistant.compare.variants import Variant
from assistant.compare.votes import Outcome

# A ballot without a vote counts for the balance for this long after it was shown.
_OPEN_SECONDS = 600.0


@dataclass(frozen=True)
class BlindTrial:
    """Variants under test, and the questions that they are asked."""

    id: str
    name: str
    variants: tuple[Variant, ...]
    questions: tuple[Question, ...]
    # How all variants answer, beside what is their own.
    defaults: AnswerOptions
    seed: int
    created: float

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every two variants."""
        return tuple(combinations([variant.name for variant in self.variants], 2))


@dataclass(frozen=True)
class Ballot:
    """Two answers to one question, in the order in which they are shown, and the vote once it is cast.

    The fields are the columns of the table.
    """

    id: int
    trial: str
    place: int
    voter: str
    first_arm: str
    second_arm: str
    created: float
    outcome: Outcome | None = None
    voted: float | None = None


def next_pair(
    trial: BlindTrial, ballots: Sequence[Ballot], voter: str, at: int | None
) -> tuple[int, str, str] | None:
    """The next question of a voter, and two variants in their order on the page; None when all were seen.

    `at` asks for the question at this place.
    """
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
    rng = random.Random(f"{trial.seed}/{len(ballots)}")
    ties = {pair: rng.random() for pair in trial.pairs}
    # A question comes back only after all others were seen; pairs take turns.
    place, pair = min(
        open_pairs, key=lambda one: (of_place[one[0]], of_pair[frozenset(one[1])], one[0], ties[one[1]])
    )
    on_left = Counter(one.first_arm for one in counted if {one.first_arm, one.second_arm} == set(pair))
    first, second = pair
    if on_left[first] == on_left[second]:
        first, second = rng.sample(pair, 2)
    elif on_left[first] > on_left[second]:
        first, second = second, first
    return place, first, second
