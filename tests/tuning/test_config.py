"""A configuration survives JSON under the names that files have, and refuses values that cannot be used."""

import json
from dataclasses import fields

import pytest

from tuning.config import TuneConfig
from tuning.errors import MethodError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1, and is 0"),
        ({"strength": "brutal"}, "strength must be gentle, normal or strong, and is 'brutal'"),
        ({"learning_rate": 3.0}, "learning_rate must be above 0"),
        ({"dropout": 1.0}, "dropout must be from 0"),
        ({"update_scale": 1.5}, "update_scale must be from 0 to 1, and is 1.5"),
    ],
)
def test_a_value_that_cannot_be_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        TuneConfig(**values)  # type: ignore[arg-type]


def test_a_configuration_survives_json() -> None:
    config = TuneConfig(name="训练", strength="strong", rank=4, update_scale=0.9)
    record = json.loads(json.dumps(config.to_dict()))
    assert TuneConfig.from_dict(record) == config
    with pytest.raises(MethodError, match="no field 'speed'"):
        TuneConfig.from_dict({"speed": 1})


def test_files_keep_the_names_they_always_had() -> None:
    names = {field.name for field in fields(TuneConfig)}
    assert set(TuneConfig().to_dict()) == names - {"update_scale"} | {"kept"}
    assert TuneConfig.from_dict({"kept": 0.5}).update_scale == 0.5
    with pytest.raises(MethodError, match="no field 'update_scale'"):
        TuneConfig.from_dict({"update_scale": 0.5})
