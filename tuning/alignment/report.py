"""What a run over preferences changed, by prompts and pairs that were kept aside: accuracy, win rate, answers.

What was forgotten is measured by `tuning.evaluation`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from tuning.alignment.calibration import fitted_temperature, log_loss
from tuning.alignment.dataset import PreferenceData, Prompt
from tuning.alignment.reward_model import RewardModel
from tuning.alignment.sequences import encoded_answers, total_log_probs
from tuning.config import TuneConfig
from tuning.data.preferences import Judgement, PreferencePair
from tuning.models.base_model import BaseModel
from tuning.models.packing import Encoded, with_system
from tuning.scoring import wilson_interval

MAX_ASKED = 24  # prompts kept aside that are answered before and after
_ANSWER_TOKENS = 96
Emit = Callable[[dict[str, Any]], None]


def preference_report(
    base: BaseModel,
    config: TuneConfig,
    data: PreferenceData,
    names: tuple[str | None, str],
    reward: RewardModel | None,
    emit: Emit,
) -> dict[str, Any]:
    """Before (the reference) and after (the new checkpoint), both loaded under `names`; JSON types.

    `pairs` is the share of pairs whose preferred answer is likelier, a token; `implicit` that of pairs whose
    preferred answer gained more than the rejected one, as DPO's own accuracy is counted; `judged` that of all
    couples of a good and a bad answer of which the good one gained more, a token.
    """
    before, after = names
    found = _pairs(base, config, data.aside, before, after)
    found["judged"] = _judged(base, config, data.aside_judgements, before, after)
    emit({"kind": "phase", "phase": "evaluating", "share": 0.1})
    answers = _answers(base, config, data.aside_prompts[:MAX_ASKED], names, reward)
    emit({"kind": "phase", "phase": "evaluating", "share": 0.3})
    found["answers"] = sorted(answers, key=lambda one: one["before"] == one["after"])
    found["changed"] = sum(one["before"] != one["after"] for one in answers)
    if reward is not None and answers:
        found["win_rate"] = _win_rate(answers) | {"reward": reward.name}
    return found


def reward_report(model: RewardModel, config: TuneConfig, aside: Sequence[PreferencePair]) -> dict[str, Any]:
    """How well a reward model, not calibrated yet, tells preferred answers from rejected ones; JSON types."""
    margins = score_margins(model, config, aside)
    temperature = fitted_temperature(margins)
    return {
        "pairs": _shares([], [margin > 0 for margin in margins]) | {"before": 0.5},
        "margin": sum(margins) / max(1, len(margins)) / temperature,
        "temperature": temperature,
        "log_loss": {"before": log_loss(margins), "after": log_loss(margins, temperature)},
    }


def score_margins(model: RewardModel, config: TuneConfig, pairs: Sequence[PreferencePair]) -> list[float]:
    """The score of each preferred answer less that of the rejected one, of the pairs that fit the window."""
    scores = model.scores_of(_encoded(model.base, config, pairs, model.base.prompt_capacity(model.name) - 1))
    return [better - worse for better, worse in zip(scores[::2], scores[1::2], strict=True)]


def _pairs(
    base: BaseModel,
    config: TuneConfig,
    aside: Sequence[PreferencePair],
    before: str | None,
    after: str,
) -> dict[str, Any]:
    window = min(base.prompt_capacity(before), base.prompt_capacity(after))
    items = _encoded(base, config, aside, window)
    lengths = [len(one.targets) for one in items]
    old, new = (total_log_probs(base, items, name) for name in (before, after))
    ranked = [
        [a / n > b / m for a, b, n, m in zip(t[::2], t[1::2], lengths[::2], lengths[1::2], strict=True)]
        for t in (old, new)
    ]
    gains = [now - then for now, then in zip(new, old, strict=True)]
    margins = [better - worse for better, worse in zip(gains[::2], gains[1::2], strict=True)]
    right = sum(margin > 0 for margin in margins) / max(1, len(margins))
    return {
        "pairs": _shares(*ranked),
        "implicit": {
            "after": right,
            "n": len(margins),
            "interval": list(wilson_interval(right, len(margins))),
        },
        "margin": sum(margins) / max(1, len(margins)),  # nats
    }


def _encoded(
    base: BaseModel, config: TuneConfig, pairs: Sequence[PreferencePair], window: int
) -> list[Encoded]:
    """Preferred and rejected answers in turn, of the pairs that fit."""
    found = (encoded_answers(base, config, one.prompt, (one.chosen, one.rejected), window) for one in pairs)
    return [answer for pair in found for answer in pair]


def _judged(
    base: BaseModel,
    config: TuneConfig,
    aside: Sequence[Judgement],
    before: str | None,
    after: str,
) -> dict[str, Any]:
    window = min(base.prompt_capacity(before), base.prompt_capacity(after))
    found = [(one, encoded_answers(base, config, one.prompt, (one.completion,), window)) for one in aside]
    fitting = [(one.good, items[0]) for one, items in found if items]
    old, new = (total_log_probs(base, [item for _, item in fitting], name) for name in (before, after))
    gains = [
        (good, (now - then) / len(item.targets))
        for (good, item), then, now in zip(fitting, old, new, strict=True)
    ]
    won = [better > worse for good, better in gains if good for bad, worse in gains if not bad]
    return {"after": sum(won) / max(1, len(won)), "n": len(fitting)}


def _shares(before: Sequence[bool], after: Sequence[bool]) -> dict[str, Any]:
    old, new = (sum(one) / max(1, len(one)) for one in (before, after))
    return {
        "before": old,
        "after": new,
        "n": len(after),
        "interval_before": list(wilson_interval(old, len(before))),
        "interval": list(wilson_interval(new, len(after))),
    }


def _answers(
    base: BaseModel,
    config: TuneConfig,
    prompts: Sequence[Prompt],
    names: tuple[str | None, str],
    reward: RewardModel | None,
) -> list[dict[str, Any]]:
    """What both say to each prompt, with the reward model's scores where there is one."""
    before, after = names
    most = min(base.prompt_capacity(before), base.prompt_capacity(after)) - _ANSWER_TOKENS
    asked = [with_system(prompt, config.system_prompt) for prompt in prompts]
    asked = [one for one in asked if len(base.chat_ids(one, add_generation_prompt=True)) <= most]
    said = [base.complete(asked, adapter=name, max_new_tokens=_ANSWER_TOKENS) for name in names]
    rows: list[dict[str, Any]] = [
        {"prompt": one[-1]["content"], "before": old, "after": new}
        for one, old, new in zip(asked, *said, strict=True)
    ]
    if reward is not None:
        for place, kind in ((0, "before"), (1, "after")):
            scores = reward.scores(
                [(one, text.strip() or "…") for one, text in zip(asked, said[place], strict=True)]
            )
            for row, score in zip(rows, scores, strict=True):
                row[f"score_{kind}"] = score
    return rows


def _win_rate(answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How often the reward model finds the new answer better; the same answer counts half."""
    points = [
        0.5 if one["before"] == one["after"] else float(one["score_after"] > one["score_before"])
        for one in answers
    ]
    share = sum(points) / len(points)
    return {"after": share, "n": len(points), "interval": list(wilson_interval(share, len(points)))}
