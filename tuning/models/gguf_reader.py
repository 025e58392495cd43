"""Reads a GGUF file once where transformers would read it for its tokenizer, its config and its weights each."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import gguf


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, a GGUF file is parsed, and the names of its tensors are worked out, once (transformers 5.17)."""
    reader, names = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = cache(reader), cache(names)  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = reader, names  # type: ignore[misc]
