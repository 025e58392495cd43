"""A prefix of keys and values as the state of a sequence in llama.cpp: as if so many tokens had been read.

llama.cpp saves and restores what it has read of a prompt. Here the keys and values in such a file, saved after as many
tokens as the prefix has positions, are exchanged for the prefix's. The layout is that of llama.cpp's
`llama_kv_cache::state_write_data` with one stream, 16-bit elements and values that are not transposed: for each layer
the type (int32), the bytes of a row (uint64) and the rows of the keys, then the same of the values. A file of another
layout is refused.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tuning.errors import CheckpointError
from tuning.models.adapter_files import PREFIX_WEIGHTS
from tuning.models.gguf_header import GgufHeader
from tuning.models.stored_arrays import Array, read_arrays
from tuning.storage import file_sha256

_HEADER = "<iQ"
_FLOAT16 = 1  # ggml's number of the type


def read_prefix(folder: Path, sha256: Mapping[str, str], header: GgufHeader) -> list[Array]:
    """The keys and values (2, heads, positions, size) of each layer. Raises CheckpointError where they do not fit.

    `sha256` are the hashes of its files as they were stored, where they are known.
    """
    path = folder / PREFIX_WEIGHTS
    if sha256.get(PREFIX_WEIGHTS, own := file_sha256(path)) != own:
        raise CheckpointError(
            f"The checkpoint in {folder} is damaged: {PREFIX_WEIGHTS!r} is no longer what was stored. Restore "
            "it from a backup, or delete it and tune again."
        )
    found = read_arrays(path)
    layers = [found[name] for name in sorted(found) if name.startswith("kv.")]
    heads = header.number("attention.head_count_kv", header.number("attention.head_count"))
    shapes = {one.shape for one in layers}
    if len(layers) != header.number("block_count") or len(shapes) != 1 or layers[0].shape[1] != heads:
        raise CheckpointError(
            f"The prefix in {folder} has {len(layers)} layers and the shapes {sorted(shapes)}; the base has "
            f"{header.number('block_count')} layers of {heads} heads. Choose the base it was tuned from."
        )
    return layers


def with_prefix(saved: bytes, layers: list[Array], *, pairs_turned: bool) -> bytes:
    """A saved state with these keys and values in it. Raises CheckpointError where its layout is another.

    `pairs_turned`: the model's file has queries and keys in the order in which neighbours are turned.
    """
    _, heads, positions, size = layers[0].shape
    row = 2 * heads * size
    state = bytearray(saved)
    place = len(state) - 2 * len(layers) * (struct.calcsize(_HEADER) + positions * row)
    for part in (0, 1):
        for layer in layers:
            if place < 0 or struct.unpack_from(_HEADER, state, place) != (_FLOAT16, row):
                raise CheckpointError("This version of llama.cpp keeps what it has read in another layout.")
            place += struct.calcsize(_HEADER)
            values = _neighbours(layer[part]) if pairs_turned and part == 0 else layer[part]
            rows = values.swapaxes(0, 1).reshape(positions, heads * size).astype(np.float16)
            state[place : place + rows.nbytes] = rows.tobytes()
            place += rows.nbytes
    return bytes(state)


def _neighbours(keys: Array) -> Array:
    """Keys (heads, positions, size) with the two halves of each interleaved."""
    heads, positions, size = keys.shape
    return keys.reshape(heads, positions, 2, size // 2).swapaxes(2, 3).reshape(heads, positions, size)
