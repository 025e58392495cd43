"""RLHF in three steps on a person's own data: demonstrations, comparisons, optimisation, each with its picture."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t
from assistant.session import choices, open_conversation, resources
from assistant.session import preferences as session
from tuning.checkpoints.manifest import Checkpoint
from tuning.training.methods import PREFERENCE_METHODS

if TYPE_CHECKING:
    from assistant.preferences.collect import CollectedPreferences

MAX_DRAWN = 120  # marks in a picture; the number beside it counts all
MAX_CHECKPOINTS = 4


def draw(checkpoint: Checkpoint | None) -> None:
    """The view."""
    html_blocks.quiet(t("rlhf.lead"))
    found = session.collected()
    made = [
        one for one in reversed(resources.workspace().registry.list()) if one.method in PREFERENCE_METHODS
    ]
    with st.container(border=True, key="rlhf-demonstrations"):
        _draw_demonstrations(found)
    with st.container(border=True, key="rlhf-comparisons"):
        _draw_comparisons(found, [one for one in made if one.is_reward_model])
    with st.container(border=True, key="rlhf-optimisation"):
        _draw_optimisation(found, [one for one in made if not one.is_reward_model])


def _draw_step(number: int, name: str, picture: str, remarks: Sequence[str] = ()) -> None:
    """The number and title of a step, what it is, its formula, its picture, and what can be said of it."""
    said = "".join(f'<div class="quiet">{html_blocks.escaped(one)}</div>' for one in remarks)
    st.html(
        f'<div class="rlhf"><b class="step">{number}</b><div><h4>{html_blocks.escaped(t(f"rlhf.{name}"))}</h4>'
        f"<p>{html_blocks.escaped(t(f'rlhf.{name}.text'))}</p>"
        f"<code>{html_blocks.escaped(t(f'rlhf.{name}.formula'))}</code>{picture}{said}</div></div>"
    )


def _draw_demonstrations(found: "CollectedPreferences") -> None:
    corrected = [one.item for one in found.pairs if one.kind == "correction"]
    liked = [one.item for one in found.judgements if one.item.good]
    picture = dots({"all": len(corrected), "kept": len(liked)}, {"all": "corrected", "kept": "liked"})
    if corrected:
        picture += example(corrected[-1].prompt[-1]["content"], corrected[-1].chosen)
    elif liked:
        picture += example(liked[-1].prompt[-1]["content"], liked[-1].completion)
    _draw_step(1, "demonstrations", picture, () if corrected or liked else [t("rlhf.demonstrations.none")])
    if st.button(t("rlhf.demonstrations.go"), icon=":material/chat_bubble:", key="rlhf-chat"):
        open_conversation.open_conversation(None)
        choices.go_to_chat()


def _draw_comparisons(found: "CollectedPreferences", rewards: Sequence[Checkpoint]) -> None:
    picture, remark = duels(len(found.pairs)), t("rlhf.comparisons.none")
    if found.pairs:
        pair = found.pairs[-1].item
        picture += example(pair.prompt[-1]["content"], pair.chosen, pair.rejected)
        remark = _said_of_reward(rewards)
    _draw_step(2, "comparisons", picture, [remark])
    if st.button(t("rlhf.comparisons.go"), icon=":material/how_to_vote:", key="rlhf-vote"):
        st.switch_page(choices.page("preferences"))


def _said_of_reward(rewards: Sequence[Checkpoint]) -> str:
    """How well the newest reward model judges; that there is none yet."""
    if not rewards:
        return t("rlhf.reward.none")
    said = accuracy_of(rewards[0].evaluation)
    return t("rlhf.reward.said", name=rewards[0].name, **said) if said else t("rlhf.reward.made")


def _draw_optimisation(found: "CollectedPreferences", made: Sequence[Checkpoint]) -> None:
    measured = [(one.name, figures) for one in made if (figures := accuracy_of(one.evaluation))]
    remark = t("rlhf.optimisation.none" if found.pairs else "rlhf.optimisation.first")
    _draw_step(3, "optimisation", before_after(measured[:MAX_CHECKPOINTS]), () if made else [remark])
    if st.button(t("rlhf.optimisation.go"), icon=":material/trending_up:", key="rlhf-learn"):
        st.switch_page(choices.page("preferences"))


def accuracy_of(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """The accuracy on pairs kept aside, before and after, as percentages; empty where it was not measured."""
    figures = (evaluation.get("preferences") or {}).get("pairs") or {}
    if not figures.get("n"):
        return {}
    return {"before": f"{figures['before']:.0%}", "after": f"{figures['after']:.0%}"}


def dots(counts: Mapping[str, int], names: Mapping[str, str]) -> str:
    """A mark for each of some things, by class, with the numbers below."""
    total = sum(counts.values())
    if not total:
        return f'<div class="blank small">{html_blocks.escaped(t("rlhf.nothing_yet"))}</div>'
    drawn = "".join(
        f'<i class="{kind}"></i>' * round(count * min(1.0, MAX_DRAWN / total))
        for kind, count in counts.items()
    )
    legend = "".join(
        f'<span><i class="{kind}"></i>{html_blocks.escaped(t(f"rlhf.mark.{names[kind]}"))} <b>{count}</b></span>'
        for kind, count in counts.items()
        if count
    )
    return f'<div class="dots"><div class="field">{drawn}</div><div class="legend">{legend}</div></div>'


def duels(count: int) -> str:
    """A pair of marks for each comparison: the preferred answer full, the other hollow."""
    if not count:
        return f'<div class="blank small">{html_blocks.escaped(t("rlhf.nothing_yet"))}</div>'
    drawn = '<span class="duel"><i></i><i></i></span>' * min(count, MAX_DRAWN)
    legend = "".join(
        f'<span><span class="duel"><i class="{side}"></i></span>{html_blocks.escaped(t(f"rlhf.mark.{name}"))}</span>'
        for side, name in (("full", "preferred"), ("hollow", "rejected"))
    )
    number = html_blocks.escaped(t("rlhf.duels", count=count))
    return (
        f'<div class="dots"><div class="field duels">{drawn}</div>'
        f'<div class="legend">{legend}<b>{number}</b></div></div>'
    )


def before_after(measured: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    """For each checkpoint the accuracy on votes kept aside, before and after, as bars."""
    if not measured:
        return f'<div class="blank small">{html_blocks.escaped(t("rlhf.nothing_yet"))}</div>'
    rows = "".join(
        f"<div><b>{html_blocks.escaped(name)}</b>"
        f'<span class="track"><u class="old" style="width:{figures["before"]}"></u></span>'
        f"<small>{figures['before']}</small>"
        f'<span class="track"><u style="width:{figures["after"]}"></u></span><small>{figures["after"]}</small></div>'
        for name, figures in measured
    )
    label = html_blocks.escaped(t("rlhf.optimisation.bars"))
    return f'<div class="gains"><div class="quiet">{label}</div>{rows}</div>'


def example(question: str, good: str, bad: str = "") -> str:
    """One of a person's own questions with its answers, the preferred one first."""
    worse = f'<p class="bad"><span class="cross">✗</span> {html_blocks.escaped(bad[:220])}</p>' if bad else ""
    return (
        f'<div class="own-example"><b>{html_blocks.escaped(question[:220])}</b>'
        f'<p><span class="tick">✓</span> {html_blocks.escaped(good[:220])}</p>{worse}</div>'
    )
