"""What a run over preferences learns, and what it keeps aside: in the form that its method takes. Encodes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from tuning.data.complaints import LeftOut
from tuning.data.examples import Message
from tuning.data.preference_sets import (
    check_judgements,
    check_pairs,
    consistent,
    judgements_of,
    pairs_of,
    split,
)
from tuning.data.preferences import Judgement, Preference, PreferencePair, ReadPreferences
from tuning.errors import ExampleError
from tuning.training.methods import method

Prompt = tuple[Message, ...]
MIN_PROMPTS = 4


@dataclass(frozen=True)
class PreferenceData:
    """One run's preferences. Of a prompt that is kept aside, nothing is learned."""

    pairs: tuple[PreferencePair, ...]
    judgements: tuple[Judgement, ...]
    prompts: tuple[Prompt, ...]
    aside: tuple[PreferencePair, ...]  # pairs, by which accuracy is measured
    aside_judgements: tuple[Judgement, ...]
    aside_prompts: tuple[Prompt, ...]
    left_out: tuple[LeftOut, ...]


def preference_data(name: str, preferences: ReadPreferences) -> PreferenceData:
    """The data of a run of this method. Raises ExampleError where there is too little of the kind that it takes."""
    found = consistent(preferences.pairs, preferences.judgements)
    every: list[Preference] = [*found.pairs, *found.judgements]
    source = method(name).learns_from
    if source == "pairs":
        check_pairs(_all_pairs(every), name)
    elif source == "judgements":
        check_judgements(_all_judgements(every), name)
    elif len(prompts_of(every)) < MIN_PROMPTS:
        raise ExampleError(
            f"{name!r} needs at least {MIN_PROMPTS} different prompts to answer, and there are "
            f"{len(prompts_of(every))}. Add some."
        )
    relevant: list[Preference] = list(_all_pairs(every)) if source == "pairs" else every
    learned, aside = split(relevant)
    return PreferenceData(
        pairs=tuple(_all_pairs(learned)),
        judgements=tuple(_all_judgements(learned)),
        prompts=tuple(prompts_of(learned)),
        aside=tuple(_all_pairs(aside)),
        aside_judgements=tuple(_all_judgements(aside)),
        aside_prompts=tuple(prompts_of(aside)),
        left_out=found.complaints,
    )


def prompts_of(preferences: Sequence[Preference]) -> list[Prompt]:
    """Each prompt once."""
    return list({one.prompt_key: one.prompt for one in preferences}.values())


def size(name: str, data: PreferenceData) -> int:
    """How many pairs, judged answers or prompts the method goes through in one pass."""
    source = method(name).learns_from
    return len({"pairs": data.pairs, "judgements": data.judgements, "prompts": data.prompts}[source])


def _all_pairs(preferences: Sequence[Preference]) -> list[PreferencePair]:
    """The pairs, and those that judgements of one prompt make."""
    pairs = [one for one in preferences if isinstance(one, PreferencePair)]
    made = pairs_of([one for one in preferences if isinstance(one, Judgement)])
    return list({one.key: one for one in (*made, *pairs)}.values())


def _all_judgements(preferences: Sequence[Preference]) -> list[Judgement]:
    """The judgements, and those that pairs are; an answer that won here and lost there counts as neither."""
    judged = [one for one in preferences if isinstance(one, Judgement)]
    made = judgements_of([one for one in preferences if isinstance(one, PreferencePair)])
    return list(consistent((), [*judged, *made]).judgements)
