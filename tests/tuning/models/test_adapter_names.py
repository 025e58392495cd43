"""The names of an adapter's weights: what is not PEFT's is refused for that."""

from pathlib import Path

import pytest

from tuning.errors import CheckpointError
from tuning.models.peft_config import check_ranks


@pytest.mark.parametrize("name", ["m.q_proj.lora_A.default.weight", "m.q_proj.weight", ""])
def test_weights_that_peft_did_not_name_are_refused_for_that(tmp_path: Path, name: str) -> None:
    shapes = {name: (2, 8)} if name else {}
    with pytest.raises(CheckpointError, match=rf"not named as PEFT's .*the first is '{name}'"):
        check_ranks({"peft_type": "LORA", "r": 2}, shapes, tmp_path)
