"""The scale of Gemma's attention: llama.cpp's rule gives what the published configurations say."""

from typing import Any

import pytest

from tuning.models.gemma_scale import SCALAR, by_llama_cpp, differs


def shaped(kind: str, layers: int, hidden: int, heads: int, head_dim: int, scalar: int) -> dict[str, Any]:
    return {
        "model_type": kind, "num_hidden_layers": layers, "hidden_size": hidden, "num_attention_heads": heads,
        "head_dim": head_dim, SCALAR: scalar,
    }  # fmt: skip


@pytest.mark.parametrize(
    "config",
    [
        shaped("gemma2", 26, 2304, 8, 256, 256),
        shaped("gemma2", 46, 4608, 32, 128, 144),
        shaped("gemma3_text", 26, 1152, 4, 256, 256),
        shaped("gemma3_text", 62, 5376, 32, 128, 168),
    ],
)
def test_the_published_ones_are_as_llama_cpp_takes_them(config: dict[str, Any]) -> None:
    assert by_llama_cpp(config) == config[SCALAR] and not differs(config)
    assert differs({**config, SCALAR: config[SCALAR] + 1})


def test_one_that_sees_says_it_of_its_text() -> None:
    text = shaped("gemma3_text", 62, 5376, 32, 128, 168)
    assert not differs({"model_type": "gemma3", "text_config": text})
    assert differs({"model_type": "gemma3", "text_config": {**text, SCALAR: 256}})
    assert not differs(
        {"model_type": "gemma3", "text_config": {"num_hidden_layers": 34, "hidden_size": 2560}}
    )


def test_others_have_none() -> None:
    assert by_llama_cpp({"model_type": "llama"}) is None and not differs({"model_type": "llama", SCALAR: 7})
