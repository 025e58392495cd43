"""GGUF files of bases that are folders of safetensors: prepared here, written by llama.cpp's own converter."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize

from tuning.checkpoints.gguf_kinds import FILE_TYPES, in_kind, kind_of
from tuning.checkpoints.llama_converter import header_to_gguf, to_gguf
from tuning.errors import CheckpointError
from tuning.models.base_model import BaseModel
from tuning.models.conversion import convert
from tuning.models.gemma_scale import SCALAR, differs
from tuning.models.gguf_header import GgufHeader, read_header
from tuning.models.gguf_merging import take_over
from tuning.models.weights import locate

# What belongs to a tokenizer; no code, which is never copied.
_TOKENIZER = (
    *("tokenizer*.json", "*.model", "vocab*.json", "vocab.txt", "merges.txt", "added_tokens.json"),
    *("special_tokens_map.json", "chat_template*.json", "chat_template*.jinja"),
)
_OF_CODE = "auto_map"
_STORED_SMALLER = "quantization_config"  # of the base's own files; what is written here is not
_SIMPLE = ("F32", "F16", "Q8_0")  # kinds that the converter computes


def write_from_folder(base: BaseModel, home: Path, path: Path, *, title: str, kind: str) -> None:
    """Write the weights of `base`, whose own files are a folder, as a GGUF file of a kind of `FILE_TYPES`.

    Raises `CheckpointError` where the converter is not here or does not know the model.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".folder-") as temporary:
        folder = Path(temporary) / title.replace("/", " ")  # the converter names the model by its folder
        base.model.save_pretrained(folder)
        _describe(base.name, home, folder)
        if kind in _SIMPLE:
            to_gguf(folder, path, kind)
            return
        whole = Path(temporary) / "whole.gguf"
        to_gguf(folder, whole, "F16")
        shutil.rmtree(folder)
        requantise(whole, path, title=title, kind=kind)


@contextmanager
def header_of_folder(base: str, home: Path) -> Iterator[GgufHeader]:
    """What a GGUF file of a base would say of its shape. Raises `CheckpointError`."""
    require_same_scale(base, home)
    with tempfile.TemporaryDirectory(prefix="imprint-") as temporary:
        folder, path = Path(temporary) / "base", Path(temporary) / "base.gguf"
        folder.mkdir()
        _describe(base, home, folder)
        header_to_gguf(folder, path)
        yield read_header(path)


def require_same_scale(base: str, home: Path) -> None:
    """Raise `CheckpointError` where llama.cpp would compute a base in a folder in another way than it was tuned."""
    source, _ = locate(base, home, convert)
    config = source / "config.json"
    if differs(json.loads(config.read_text(encoding="utf-8"))):
        raise CheckpointError(
            f"llama.cpp takes the scale of Gemma's attention from the shape of {base}, and {SCALAR!r} in {config} is "
            "another: it would answer otherwise than the checkpoint does. Export 'merged'."
        )


def copy_tokenizer_models(base: str, home: Path, folder: Path) -> None:
    """The files of a tokenizer that transformers does not save again and other programs read, into a folder."""
    source, _ = locate(base, home, convert)
    for file in source.glob("*.model"):
        shutil.copyfile(file, folder / file.name)


def _describe(base: str, home: Path, folder: Path) -> None:
    """The base's own configuration and tokenizer beside its weights, as their makers wrote them; without code."""
    source, _ = locate(base, home, convert)
    for pattern in _TOKENIZER:
        for file in source.glob(pattern):
            shutil.copyfile(file, folder / file.name)
    shutil.copyfile(source / "config.json", folder / "config.json")
    for name in ("config.json", "tokenizer_config.json"):
        path = folder / name
        if path.is_file():
            known = json.loads(path.read_text(encoding="utf-8"))
            kept = {key: value for key, value in known.items() if key not in (_OF_CODE, _STORED_SMALLER)}
            path.write_text(json.dumps(kept), encoding="utf-8")


def requantise(source: Path, target: Path, *, title: str, kind: str) -> None:
    """Write a file of 16 bit again, its matrices in a kind of `FILE_TYPES`; what it keeps in 32 bit stays so."""
    header, reader = read_header(source), GGUFReader(source)
    writer = GGUFWriter(target, header.architecture)
    writer.add_name(title)
    writer.add_file_type(FILE_TYPES[kind])
    take_over(reader, writer, header.architecture)
    layers, is_tied = header.number("block_count"), not header.has_output_table
    for tensor in reader.tensors:
        if tensor.tensor_type == GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, np.array(tensor.data))
            continue
        of = kind_of(kind, tensor.name, tensor.data.shape[-1], layers, is_tied)
        rows = dequantize(tensor.data, tensor.tensor_type)
        # Experts lie in one tensor of three dimensions.
        written = in_kind(rows.reshape(-1, rows.shape[-1]), of)
        writer.add_tensor(tensor.name, written.reshape(*rows.shape[:-1], -1), raw_dtype=of)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
