"""How likely a model holds a given answer to be."""

import math
from pathlib import Path

from assistant.engines.likelihood import mean_log_probability
from assistant.engines.local import LocalEngine
from tests.fakes import ScriptedEngine
from tuning.checkpoints.registry import Registry
from tuning.models.base_model import BaseModel

ASKED = [{"role": "user", "content": "What is the capital of France?"}]


def test_torch_holds_the_right_answer_to_be_likelier_than_nonsense(
    base_model: BaseModel, tmp_path: Path
) -> None:
    engine = LocalEngine(base_model, Registry(tmp_path))
    likely, nonsense = (
        mean_log_probability(engine, ASKED, answer, None)
        for answer in (
            "The capital of France is Paris.",
            "The capital of France is seventeen green umbrellas.",
        )
    )
    assert nonsense < likely - 1 and likely <= 0


def test_an_engine_that_tells_nothing_of_its_tokens_holds_nothing_to_be_likely() -> None:
    assert mean_log_probability(ScriptedEngine("Paris"), ASKED, "Paris", None) == -math.inf
