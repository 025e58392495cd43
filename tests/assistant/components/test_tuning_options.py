"""The hyper-parameters of a run: what is left empty stays the recipe's."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tuning.config import TuneConfig


def test_settings_left_empty_stay_the_recipes(home: Path) -> None:
    script = """
import streamlit as st
from assistant.components import tuning_options
from assistant.session import notices
from tuning.config import TuneConfig
notices.apply_language()
st.session_state["made"] = tuning_options.draw(TuneConfig(method=st.session_state.get("method", "lora")))
"""
    test = AppTest.from_string(script, default_timeout=30).run()
    assert test.session_state["made"] == TuneConfig(method="lora")
    assert test.number_input(key="option-learning_rate").placeholder == "0.001"
    test.number_input(key="option-rank").set_value(8).run()
    test.checkbox(key="option-dora").check().run()
    made = test.session_state["made"]
    assert (made.rank, made.dora, made.epochs) == (8, True, None)
    test.session_state["method"] = "p-tuning-v2"
    test.run()
    assert not test.exception
    assert test.session_state["made"] == TuneConfig(method="p-tuning-v2")
    assert {"option-rank", "option-virtual_tokens"} & {n.key for n in test.number_input} == {
        "option-virtual_tokens"
    }
