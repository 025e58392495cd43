"""A tuned model as one GGUF file, for llama.cpp and what is built on it: the base's own file with other weights.

What that file says of the model and of its tokens is taken over, so only models that are GGUF files already (the
packaged one, Ollama's, those of a hub) can be written; the others are for llama.cpp's converter (`gguf_from_folder`).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, get_tensor_name_map

from tuning.checkpoints.gguf_kinds import FILE_TYPES, Array, in_kind, kind_of
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.gguf_adapter import architecture_of, llama_order
from tuning.models.gguf_base import GgufBase
from tuning.models.gguf_header import GgufHeader
from tuning.models.gguf_merging import take_over

# Architectures whose tensors are transformers' own, but for the order of queries and keys, and for the norms.
WRITABLE = ("llama", "qwen2", "qwen3", "gemma2", "gemma3", "phi3")
_NORMS_FROM_ZERO = ("gemma2", "gemma3")  # transformers adds the one that these files hold


def is_writable(name: str, home: Path) -> bool:
    """Whether `write_model` can write this base; raises ModelError where its file cannot be read."""
    found = GgufBase.find(name, home)
    return found is not None and found.header.architecture in WRITABLE


def write_model(base: BaseModel, home: Path, path: Path, *, title: str, kind: str = "F16") -> None:
    """Write the weights of `base`, matrices in a kind of `FILE_TYPES`, with the tokens of its own GGUF file.

    Raises `CheckpointError` for models that are no GGUF file, or of an architecture that is not known here.
    """
    original = _original(base.name, home)
    writer = GGUFWriter(path, original.architecture)
    writer.add_name(title)
    writer.add_file_type(FILE_TYPES[kind])
    reader = GGUFReader(original.path)
    take_over(reader, writer, original.architecture)
    written, layers = set(), original.number("block_count")
    is_tied = bool(base.model.config.tie_word_embeddings)
    for name, values in _tensors(base, original):
        if values.ndim == 1:  # norms and biases stay exact
            writer.add_tensor(name, values, raw_dtype=GGMLQuantizationType.F32)
        else:
            of = kind_of(kind, name, values.shape[-1], layers, is_tied)
            writer.add_tensor(name, in_kind(values, of), raw_dtype=of)
        written.add(name)
    _add_constants(reader, writer, written)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _original(name: str, home: Path) -> GgufHeader:
    found = GgufBase.find(name, home)
    if found is None or found.header.architecture not in WRITABLE:
        raise CheckpointError(
            f"{name!r} is no GGUF file of {', '.join(WRITABLE)}, so none is written from it."
        )
    return found.header


def _tensors(base: BaseModel, header: GgufHeader) -> Iterator[tuple[str, Array]]:
    """The weights under llama.cpp's names and in its order, one at a time."""
    names = get_tensor_name_map(architecture_of(header.architecture), header.number("block_count"))
    for name, tensor in sorted(base.model.state_dict().items()):
        if name == "lm_head.weight" and base.model.config.tie_word_embeddings:
            continue  # llama.cpp uses the embeddings, as the model does
        target = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if target is None:
            raise CheckpointError(f"llama.cpp has no place for {name!r} of {base.name!r}.")
        values: Array = tensor.detach().cpu().to(torch.float32).numpy()
        if values.ndim == 2:
            values = llama_order(values, name.removesuffix(".weight"), header)
        elif header.architecture in _NORMS_FROM_ZERO:
            values = values + 1
        yield target, np.ascontiguousarray(values)


def _add_constants(reader: GGUFReader, writer: GGUFWriter, written: set[str]) -> None:
    """Vectors of the file that are no weights, such as the factors of its rotations."""
    for tensor in reader.tensors:
        if tensor.name not in written and len(tensor.shape) == 1:
            writer.add_tensor(tensor.name, np.array(tensor.data), raw_dtype=tensor.tensor_type)
