"""Reads a GGUF file as transformers 5.17 to 5.23 should: once, and with a progress bar that can be turned off."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import gguf
from transformers import modeling_gguf_pytorch_utils
from transformers.utils import logging as transformers_logging


@contextmanager
def read_once() -> Iterator[None]:
    """Inside, a GGUF file is parsed, and the names of its tensors are worked out, once.

    transformers would read it for its tokenizer, its config and its weights each, and draw a bar of tqdm's own.
    """
    reader, names, bar = gguf.GGUFReader, gguf.get_tensor_name_map, modeling_gguf_pytorch_utils.tqdm
    gguf.GGUFReader, gguf.get_tensor_name_map = cache(reader), cache(names)  # type: ignore[assignment, misc]
    modeling_gguf_pytorch_utils.tqdm = transformers_logging.tqdm
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = reader, names  # type: ignore[misc]
        modeling_gguf_pytorch_utils.tqdm = bar
