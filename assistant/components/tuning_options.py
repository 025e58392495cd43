"""The hyper-parameters of a tuning run: each empty field shows the value that the recipe would take."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from assistant.i18n.texts import t
from assistant.session import resources
from tuning.config import TuneConfig
from tuning.jobs.estimates import recipe_of
from tuning.training.methods import METHODS
from tuning.training.recipe import Recipe

LOW_RANK, PREFIX = ("low-rank",), ("prefix", "prompt")
CHECKPOINTED = ("low-rank", "scaling", "full")
LAYERS = ("mlp", "all", "attention")
COLUMNS = 3


@dataclass(frozen=True)
class Number:
    """One number of `TuneConfig` that a person may set."""

    field: str
    low: float
    high: float
    step: float
    families: tuple[str, ...] = ()  # () means every family

    def suits(self, family: str) -> bool:
        """Whether methods of this family have this number."""
        return not self.families or family in self.families


NUMBERS = (
    Number("epochs", 1, 500, 1),
    Number("learning_rate", 1e-6, 1.0, 1e-4),
    Number("rank", 1, 256, 1, LOW_RANK),
    Number("alpha", 1, 1024, 1, LOW_RANK),
    Number("dropout", 0.0, 0.9, 0.05, LOW_RANK),
    Number("virtual_tokens", 1, 2048, 1, PREFIX),
    Number("replay", 0, 64, 1),
    Number("replay_weight", 0.0, 50.0, 0.5),
    Number("word_dropout", 0.0, 0.9, 0.05),
    Number("reversals", 0.0, 1.0, 0.1),
    Number("tokens_per_step", 64, 65536, 64),
    Number("seed", 0, 2**31, 1),
)
SWITCHES = {
    "early_stop": (),
    "noise": (),
    "rslora": LOW_RANK,
    "dora": LOW_RANK,
    "checkpointing": CHECKPOINTED,
}


def draw(config: TuneConfig) -> TuneConfig:
    """The configuration with the values that were set; what is left empty stays the recipe's."""
    family = METHODS[config.method].family
    recipe = recipe_of(resources.workspace().home, config)
    set_by_hand: dict[str, Any] = {}
    with st.expander(t("options.title"), type="compact", key="tuning-options"):
        fitting = [number for number in NUMBERS if number.suits(family)]
        columns = st.columns(COLUMNS)
        for place, number in enumerate(fitting):
            with columns[place % COLUMNS]:
                value = _draw_number(number, recipe, config)
            if value is not None:
                set_by_hand[number.field] = value
        if family in LOW_RANK:
            with columns[len(fitting) % COLUMNS]:
                set_by_hand["layers"] = st.selectbox(
                    t("options.layers"),
                    LAYERS,
                    key="option-layers",
                    format_func=lambda name: t(f"options.layers.{name}"),
                )
        set_by_hand |= _draw_switches(family)
    return replace(config, **set_by_hand)


def _draw_number(number: Number, recipe: Recipe, config: TuneConfig) -> float | None:
    whole = float(number.step).is_integer()
    kind: type = int if whole else float
    value = st.number_input(
        t(f"options.{number.field}"),
        min_value=kind(number.low),
        max_value=kind(number.high),
        value=None,
        step=kind(number.step),
        format=None if whole else "%g",
        placeholder=_default(number.field, recipe, config),
        key=f"option-{number.field}",
        help=t(f"options.{number.field}.help"),
    )
    return value if value is None else kind(value)


def _default(field: str, recipe: Recipe, config: TuneConfig) -> str:
    """What the recipe takes where nothing is set."""
    if field == "virtual_tokens" and METHODS[config.method].family == "prefix":
        return t("options.virtual_tokens.default")
    if field == "tokens_per_step":
        return t("options.tokens_per_step.default")
    value = getattr(recipe, field, getattr(config, field, None))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _draw_switches(family: str) -> Mapping[str, bool]:
    fitting = [field for field, families in SWITCHES.items() if not families or family in families]
    found = {}
    with st.container(horizontal=True, gap="medium"):
        for field in fitting:
            st.session_state.setdefault(f"option-{field}", bool(getattr(TuneConfig(), field)))
            found[field] = st.checkbox(
                t(f"options.{field}"), key=f"option-{field}", help=t(f"options.{field}.help")
            )
    return found
