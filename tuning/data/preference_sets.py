"""What of people's preferences can be learned from: without contradictions, enough, and with a part kept aside."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from tuning.data.complaints import LeftOut
from tuning.data.preferences import Judgement, Preference, PreferencePair, ReadPreferences
from tuning.errors import ExampleError

MIN_PREFERENCES = 4  # of either kind
FEW_PAIRS = 50  # with fewer, what is learned is little more than noise
ASIDE = 0.2  # share of the prompts that are never trained on

_Kind = TypeVar("_Kind", bound=Preference)


def consistent(pairs: Iterable[PreferencePair], judgements: Iterable[Judgement] = ()) -> ReadPreferences:
    """Without repetitions, and without contradictions: where somebody preferred either answer, neither counts.

    What is left out is listed with where it came from.
    """
    left_out: list[LeftOut] = []
    kept = _without_opposites(
        pairs,
        lambda one: (one.prompt_key, one.chosen.strip(), one.rejected.strip()),
        lambda one: (one.prompt_key, one.rejected.strip(), one.chosen.strip()),
        "either of the two answers to {question!r} was preferred once. Vote again to settle it.",
        left_out,
    )
    judged = _without_opposites(
        judgements,
        lambda one: (one.prompt_key, one.completion.strip(), str(one.good)),
        lambda one: (one.prompt_key, one.completion.strip(), str(not one.good)),
        "the same answer to {question!r} was found good and bad. Judge it again to settle it.",
        left_out,
    )
    return ReadPreferences(tuple(kept), tuple(judged), tuple(left_out))


def judgements_of(pairs: Iterable[PreferencePair]) -> list[Judgement]:
    """Each preferred answer as a good one, each rejected as a bad one: KTO learns from these."""
    return [
        Judgement(pair.prompt, text, good, pair.source)
        for pair in pairs
        for text, good in ((pair.chosen, True), (pair.rejected, False))
    ]


def pairs_of(judgements: Iterable[Judgement]) -> list[PreferencePair]:
    """A pair of each good and each bad answer to the same prompt, the first good with the first bad and so on."""
    prompts: dict[str, tuple[list[Judgement], list[Judgement]]] = defaultdict(lambda: ([], []))
    for one in judgements:
        prompts[one.prompt_key][not one.good].append(one)
    return [
        PreferencePair(better.prompt, better.completion, worse.completion, better.source)
        for good, bad in prompts.values()
        for better, worse in zip(good, bad, strict=False)
        if better.completion.strip() != worse.completion.strip()
    ]


def split(items: Sequence[_Kind], share: float = ASIDE) -> tuple[list[_Kind], list[_Kind]]:
    """What is learned, and what is kept aside: all of a prompt, chosen by its hash, so that it stays aside.

    Where there are two prompts or more, neither part is empty.
    """
    keys = sorted({one.prompt_key for one in items})
    aside = {key for key in keys if int(key[:8], 16) < share * 16**8}
    if share > 0 and len(keys) > 1:
        aside = (aside or {keys[0]}) - ({keys[-1]} if len(aside) == len(keys) else set())
    return [o for o in items if o.prompt_key not in aside], [o for o in items if o.prompt_key in aside]


def check_pairs(pairs: Sequence[PreferencePair], method: str) -> None:
    """Raise `ExampleError` where there are too few pairs to learn from, or all answer one prompt."""
    _check_count(pairs, method, "pairs of a better and a worse answer")


def check_judgements(judgements: Sequence[Judgement], method: str) -> None:
    """Raise `ExampleError` where there are too few judgements, or all say the same."""
    _check_count(judgements, method, "judged answers")
    good = sum(one.good for one in judgements)
    if good in (0, len(judgements)):
        found, missing = ("good", "bad") if good else ("bad", "good")
        raise ExampleError(
            f"{method!r} learns from good and from bad answers, and all {len(judgements)} are {found}. "
            f"Judge some {missing} ones too."
        )


def _check_count(items: Sequence[Preference], method: str, what: str) -> None:
    prompts = len({one.prompt_key for one in items})
    if len(items) < MIN_PREFERENCES or prompts < 2:
        raise ExampleError(
            f"{method!r} needs at least {MIN_PREFERENCES} {what} to two prompts or more, one of which is kept "
            f"aside; there are {len(items)} to {prompts}. Vote on more answers first."
        )


def _without_opposites(
    items: Iterable[_Kind],
    own: Callable[[_Kind], tuple[str, ...]],
    opposite: Callable[[_Kind], tuple[str, ...]],
    reason: str,
    left_out: list[LeftOut],
) -> list[_Kind]:
    """Each once, and none whose opposite is there as well; those are added to `left_out`."""
    items = list(items)
    said = {own(one) for one in items}
    kept: dict[tuple[str, ...], _Kind] = {}
    for one in items:
        if opposite(one) in said:
            left_out.append(LeftOut(one.source, reason.format(question=one.question)))
        else:
            kept.setdefault(own(one), one)
    return list(kept.values())
