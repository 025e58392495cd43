"""A prefix in llama.cpp's saved state: only a layout that is known is written to."""

import struct

import numpy as np
import pytest

from tuning.errors import CheckpointError
from tuning.models.llama_state import with_prefix

HEADS, POSITIONS, SIZE, LAYERS = 2, 3, 4, 2
ROW = 2 * HEADS * SIZE


def saved(kind: int = 1, row: int = ROW) -> bytes:
    """What llama.cpp saves, after a head of no importance here."""
    block = struct.pack("<iQ", kind, row) + bytes(POSITIONS * ROW)
    return b"head" + block * (2 * LAYERS)


def layers() -> list[np.ndarray]:
    count = 2 * HEADS * POSITIONS * SIZE
    return [np.arange(count).reshape(2, HEADS, POSITIONS, SIZE) + 100.0 * layer for layer in range(LAYERS)]


def rows(state: bytes, block: int) -> np.ndarray:
    start = len(b"head") + block * (12 + POSITIONS * ROW) + 12
    return np.frombuffer(state[start : start + POSITIONS * ROW], np.float16).reshape(POSITIONS, HEADS, SIZE)


@pytest.mark.parametrize("turned", [False, True])
def test_keys_come_first_and_their_halves_are_interleaved_where_the_model_turns_neighbours(
    turned: bool,
) -> None:
    given = layers()
    state = with_prefix(saved(), given, pairs_turned=turned)
    assert len(state) == len(saved()) and state.startswith(b"head")
    keys = rows(state, 1)  # of the second layer
    order = [0, 2, 1, 3] if turned else [0, 1, 2, 3]
    assert np.array_equal(keys[2, 1], given[1][0, 1, 2][order])
    values = rows(state, LAYERS)
    assert np.array_equal(values[0, 1], given[0][1, 1, 0])


@pytest.mark.parametrize("state", [saved(kind=0), saved(row=ROW + 2), saved()[:-1], b"", saved() + b"more"])
def test_another_layout_is_refused(state: bytes) -> None:
    with pytest.raises(CheckpointError, match="keeps what it has read in another layout"):
        with_prefix(state, layers(), pairs_turned=False)
