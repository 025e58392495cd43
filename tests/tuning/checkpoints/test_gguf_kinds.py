"""Matrices in llama.cpp's kinds, K kinds included."""

import numpy as np
import pytest
from gguf.quants import dequantize

from tuning.checkpoints.gguf_kinds import Kind, in_kind, kind_of

LAYERS = 32


@pytest.mark.parametrize(
    ("kind", "most"), [(Kind.Q4_K, 0.09), (Kind.Q6_K, 0.03), (Kind.Q5_0, 0.06), (Kind.Q8_0, 0.01)]
)
def test_what_is_written_reads_as_nearly_the_same(kind: Kind, most: float) -> None:
    values = np.random.default_rng(0).standard_normal((7, 512)).astype(np.float32)
    back = dequantize(in_kind(values, kind), kind)
    error = np.sqrt(np.mean((back - values) ** 2))
    assert back.shape == values.shape and 0 < error < most


def test_a_part_of_a_larger_matrix_is_written_as_it_is() -> None:
    """Rows that do not lie one after another in memory."""
    values = np.random.default_rng(1).standard_normal((512, 6)).astype(np.float32)
    assert np.array_equal(in_kind(values.T, Kind.Q4_K), in_kind(np.ascontiguousarray(values.T), Kind.Q4_K))


def test_some_matrices_get_more_bits() -> None:
    def of(name: str, columns: int = 4096, *, is_tied: bool = False) -> Kind:
        return kind_of("Q4_K_M", name, columns, LAYERS, is_tied)

    assert of("blk.0.attn_q.weight") == of("blk.5.ffn_down.weight") == Kind.Q4_K
    assert of("blk.0.attn_v.weight") == of("blk.31.ffn_down.weight") == of("blk.6.attn_v.weight") == Kind.Q6_K
    assert (of("token_embd.weight"), of("output.weight")) == (Kind.Q4_K, Kind.Q6_K)
    assert of("token_embd.weight", is_tied=True) == Kind.Q6_K
    assert (of("blk.0.attn_q.weight", 576), of("blk.0.attn_v.weight", 576)) == (Kind.Q5_0, Kind.Q8_0)
    assert of("blk.0.attn_q.weight", 40) == kind_of("Q8_0", "x", 40, LAYERS, False) == Kind.F16
