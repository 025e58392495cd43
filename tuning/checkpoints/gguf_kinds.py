"""In how many bits each matrix of a GGUF file is written, and the writing.

Which matrix gets more bits in Q4_K_M is llama.cpp's own choice (its `llama_tensor_get_type`), so that a file is as
large and as good as one of its `llama-quantize`. The `gguf` package computes the simple kinds; K kinds llama.cpp
computes itself, as the library that the package xllamacpp brings.
"""

import ctypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, LlamaFileType, quant_shape_to_byte_shape
from gguf.quants import quantize

from tuning.errors import CheckpointError

Kind = GGMLQuantizationType
Array = np.ndarray[Any, Any]

FILE_TYPES = {
    "F32": LlamaFileType.ALL_F32,
    "F16": LlamaFileType.MOSTLY_F16,
    "Q8_0": LlamaFileType.MOSTLY_Q8_0,
    "Q4_K_M": LlamaFileType.MOSTLY_Q4_K_M,
}
_PLAIN = {"F32": Kind.F32, "F16": Kind.F16, "Q8_0": Kind.Q8_0}
_K_KINDS = (Kind.Q4_K, Kind.Q6_K)
# What llama.cpp takes where a row is no multiple of 256 numbers.
_FOR_OTHER_ROWS = {Kind.Q4_K: Kind.Q5_0, Kind.Q6_K: Kind.Q8_0}


def kind_of(file: str, name: str, columns: int, layers: int, is_tied: bool) -> Kind:
    """The kind of the matrix `name` in a file of a kind of `FILE_TYPES`, by the length of its rows."""
    wanted = _PLAIN[file] if file in _PLAIN else _of_q4_k_m(name, layers, is_tied)
    for kind in (wanted, _FOR_OTHER_ROWS.get(wanted, wanted)):
        if columns % GGML_QUANT_SIZES[kind][0] == 0:
            return kind
    return Kind.F16


def in_kind(values: Array, kind: Kind) -> Array:
    """The rows of a float32 matrix in a kind. Raises CheckpointError where llama.cpp is needed and not there."""
    return _in_k_kind(values, kind) if kind in _K_KINDS else quantize(values, kind)


def _of_q4_k_m(name: str, layers: int, is_tied: bool) -> Kind:
    if name == ("token_embd.weight" if is_tied else "output.weight"):
        return Kind.Q6_K
    if name.endswith(("attn_v.weight", "ffn_down.weight")) and _has_more_bits(
        int(name.split(".")[1]), layers
    ):
        return Kind.Q6_K
    return Kind.Q4_K


def _has_more_bits(layer: int, layers: int) -> bool:
    """The first and the last eighth of the layers, and every third between them."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _in_k_kind(values: Array, kind: Kind) -> Array:
    rows, columns = values.shape
    into = np.empty(quant_shape_to_byte_shape(values.shape, kind), dtype=np.uint8)
    source = np.ascontiguousarray(values, dtype=np.float32)
    written = _llama_cpp().ggml_quantize_chunk(
        int(kind), source.ctypes.data, into.ctypes.data, 0, rows, columns, None
    )
    if written != into.nbytes:
        raise CheckpointError(
            f"llama.cpp wrote {written} bytes of {kind.name} where {into.nbytes} were expected."
        )
    return into


@cache
def _llama_cpp() -> ctypes.CDLL:
    """llama.cpp's library with the type of the one function that is called. Raises CheckpointError."""
    found = find_spec("xllamacpp")
    files = sorted(Path(found.origin).parent.glob("xllamacpp*.*")) if found and found.origin else []
    libraries = [file for file in files if file.suffix in (".so", ".pyd", ".dylib")]
    try:
        library = ctypes.CDLL(str(libraries[0]))
        chunk = library.ggml_quantize_chunk
    except (IndexError, OSError, AttributeError) as error:
        raise CheckpointError(
            "Files of 4 bit are computed by llama.cpp, which is not installed here, or hides how: "
            "pip install 'imprint[app]', or export 'gguf' and run llama-quantize NAME.gguf OUT.gguf Q4_K_M."
        ) from error
    number, place = ctypes.c_int64, ctypes.c_void_p
    chunk.argtypes = [ctypes.c_int, place, place, number, number, number, place]
    chunk.restype = ctypes.c_size_t
    return library
