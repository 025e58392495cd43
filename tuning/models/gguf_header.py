"""What a GGUF file says of itself: architecture, sizes, chat template, and whether the file is whole.

It reads the header alone, in a fraction of a second; weights are read by `loading.convert`. The layout is that of
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3.
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType

from tuning.errors import ModelError

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_ALIGNMENT = 32  # where the file names none
_MOST_ENTRIES = 1_000_000  # tensors, or fields: a damaged header may promise any number of them
_MOST_DIMENSIONS = 8
_KEPT = 4096  # elements of an array of numbers that are kept; of others the count alone
_TEXTS_ARE_LONG = 16 * 2**20
_FORMATS = {
    GGUFValueType.UINT8: "<B",
    GGUFValueType.INT8: "<b",
    GGUFValueType.UINT16: "<H",
    GGUFValueType.INT16: "<h",
    GGUFValueType.UINT32: "<I",
    GGUFValueType.INT32: "<i",
    GGUFValueType.FLOAT32: "<f",
    GGUFValueType.BOOL: "<?",
    GGUFValueType.UINT64: "<Q",
    GGUFValueType.INT64: "<q",
    GGUFValueType.FLOAT64: "<d",
}


class CutOffError(ModelError):
    """A GGUF file ends before its header or its tensors do."""


@dataclass(frozen=True)
class GgufHeader:
    """The fields of a GGUF file (of long arrays, how many elements they have) and what its tensors hold."""

    path: Path
    fields: Mapping[str, Any]
    parameters: int
    largest: int  # elements of the largest tensor
    types: frozenset[str]  # of its tensors, such as Q4_K
    has_output_table: bool  # of its own, beside the embeddings

    @property
    def architecture(self) -> str:
        """The name of the architecture, as llama.cpp calls it."""
        return str(self.fields["general.architecture"])

    def number(self, key: str, default: int = 0) -> int:
        """A number that belongs to the architecture; of one for each layer, the largest."""
        value = self.fields.get(f"{self.architecture}.{key}", default)
        return int(max(value, default=default) if isinstance(value, list) else value)

    @property
    def chat_template(self) -> str:
        """The chat template; empty where the file has none."""
        return str(self.fields.get("tokenizer.chat_template", ""))


def is_gguf(path: Path) -> bool:
    """Whether a file begins as GGUF files do."""
    try:
        with path.open("rb") as file:
            return file.read(4) == MAGIC
    except OSError:
        return False


def read_header(path: Path, whole_bytes: int | None = None) -> GgufHeader:
    """The header of a language model's GGUF file. Raises ModelError where it is damaged, cut off or something else.

    Of a file that is still to be fetched, `path` may be the beginning, and `whole_bytes` what it will have.
    """
    if not is_gguf(path):
        raise ModelError(f"{path} is no GGUF file: it does not begin as one. Choose another file.")
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            header, wanted = _read(path, _Cursor(data))
            found = len(data) if whole_bytes is None else whole_bytes
    except (struct.error, UnicodeDecodeError, KeyError, OverflowError, MemoryError) as error:
        raise CutOffError(
            f"{path} is damaged or cut off: its header ends in the middle or holds what no GGUF file holds. "
            "Download or copy it again."
        ) from error
    if found < wanted:
        raise CutOffError(
            f"{path} is cut off: it has {found:,} bytes, and its header describes {wanted:,}. "
            "Download or copy it again."
        )
    return _of_a_language_model(header)


class _Cursor:
    """A place in the file, which moves behind what is read."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 4

    def take(self, format_: str) -> Any:
        (value,) = struct.unpack_from(format_, self.data, self.at)
        self.at += struct.calcsize(format_)
        return value

    def skip(self, count: int) -> None:
        if self.at + count > len(self.data):
            raise struct.error("the file ends before")
        self.at += count

    def text(self) -> str:
        length = self.take("<Q")
        if length > _TEXTS_ARE_LONG:
            raise struct.error("no text is that long")
        start = self.at
        self.skip(length)
        return self.data[start : self.at].decode("utf-8")

    def value(self, kind: int) -> Any:
        if kind == GGUFValueType.STRING:
            return self.text()
        if kind != GGUFValueType.ARRAY:
            return self.take(_FORMATS[GGUFValueType(kind)] if kind in _FORMATS else _unknown(kind))
        of, count = self.take("<I"), self.take("<Q")
        if of == GGUFValueType.STRING:
            for _ in range(count):
                self.skip(self.take("<Q"))
            return count
        format_ = _FORMATS[GGUFValueType(of)] if of in _FORMATS else _unknown(of)
        if count > _KEPT:
            self.skip(count * struct.calcsize(format_))
            return count
        return [self.take(format_) for _ in range(count)]


def _unknown(kind: int) -> str:
    raise struct.error(f"there are no values of kind {kind}")


def _read(path: Path, cursor: _Cursor) -> tuple[GgufHeader, int]:
    """The header, and how many bytes the file must have."""
    version = cursor.take("<I")
    if version not in _VERSIONS:
        raise ModelError(
            f"{path} is a GGUF file of version {version}, and versions 2 and 3 can be read. "
            "Convert it again with a current llama.cpp."
        )
    tensors, entries = cursor.take("<Q"), cursor.take("<Q")
    if max(tensors, entries) > _MOST_ENTRIES:
        raise struct.error("no header has so many entries")
    fields = {}
    for _ in range(entries):
        key = cursor.text()
        fields[key] = cursor.value(cursor.take("<I"))
    parameters, largest, types, end, has_output_table = 0, 0, set(), 0, False
    for _ in range(tensors):
        has_output_table |= cursor.text() == "output.weight"
        elements = prod(cursor.take("<Q") for _ in range(_few(cursor.take("<I"))))
        kind = GGMLQuantizationType(_known_type(path, cursor.take("<I")))
        block, size = GGML_QUANT_SIZES[kind]
        end = max(end, cursor.take("<Q") + elements // block * size)
        parameters, largest = parameters + elements, max(largest, elements)
        types.add(kind.name)
    alignment = max(1, int(fields.get("general.alignment", _ALIGNMENT)))
    start = -(-cursor.at // alignment) * alignment
    header = GgufHeader(path, fields, parameters, largest, frozenset(types), has_output_table)
    return header, start + end if tensors else cursor.at


def _few(dimensions: int) -> int:
    if dimensions > _MOST_DIMENSIONS:
        raise struct.error("no tensor has so many dimensions")
    return dimensions


def _known_type(path: Path, kind: int) -> int:
    if kind not in GGMLQuantizationType._value2member_map_:
        raise ModelError(
            f"{path} holds weights of a kind ({kind}) that is not known here. Choose a file in Q4_K_M, Q8_0 or F16."
        )
    return int(kind)


def _of_a_language_model(header: GgufHeader) -> GgufHeader:
    path = header.path
    if "general.architecture" not in header.fields:
        raise ModelError(f"{path} names no architecture, so it is no model. Choose another file.")
    if header.fields.get("general.type", "model") == "adapter":
        raise ModelError(
            f"{path} is an adapter, not a model. Choose its base, and import the adapter as a checkpoint."
        )
    if header.architecture in ("clip", "mmproj"):
        raise ModelError(
            f"{path} is the part of a model that sees pictures. Choose the file that holds its language model."
        )
    if int(header.fields.get("split.count", 0)) > 1:
        raise ModelError(
            f"{path} is one of {header.fields['split.count']} parts of a model. "
            "Join them with llama.cpp's `llama-gguf-split --merge`, and choose the joined file."
        )
    if not header.number("block_count") or not header.number("embedding_length"):
        raise ModelError(f"{path} holds no language model: it names no layers. Choose another file.")
    return header
