"""A base model as a GGUF file that llama.cpp opens as it is: which file, its hash, and what its header says.

No weights are opened, and neither torch nor transformers is imported.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gguf import LlamaFileType

from tuning.errors import ModelError
from tuning.models.file_hashes import weights_sha256
from tuning.models.gguf_adapter import gguf_adapter
from tuning.models.gguf_header import GgufHeader, read_header
from tuning.models.packaged import PACKAGED, ShippedAdapter, packaged_file

_CACHE_BYTES = 2  # of a key's or value's element


@dataclass(frozen=True)
class GgufBase:
    """A GGUF file under the name of its model."""

    name: str
    path: Path
    sha256: str  # of the weights and what is added to them
    header: GgufHeader
    adapter: Path | None = None  # what belongs to the model, as a GGUF file

    @classmethod
    def find(cls, name: str, home: Path) -> "GgufBase | None":
        """The file of a model on this machine; None where it is none, or not here. Raises ModelError."""
        path = packaged_file(name) if name in PACKAGED else _file_of(name, home)
        if path is None:
            return None
        sha256 = weights_sha256([path], home)
        header = read_header(path)
        if not header.chat_template:
            raise ModelError(
                f"The model {name!r} has no chat template, so it cannot chat. Choose its instruct version."
            )
        if name not in PACKAGED:
            return cls(name, path, sha256, header)
        packaged = PACKAGED[name]
        packaged.check(path, sha256)
        return cls(name, path, packaged.identity, header, _shipped(packaged.adapter, header, home))

    @property
    def window(self) -> int:
        """The context window that it was trained for, in tokens."""
        return self.header.number("context_length")

    @property
    def bits(self) -> int:
        """How many bits most of its weights have; 0 where the file does not say."""
        known = LlamaFileType._value2member_map_.get(self.header.fields.get("general.file_type"))
        found = re.search(r"\d+", known.name) if known else None
        return int(found[0]) if found else 0

    @property
    def token_cache_bytes(self) -> int:
        """What the keys and values of one token take in a context window."""
        header = self.header
        heads = max(header.number("attention.head_count"), 1)
        size = header.number("embedding_length") // heads
        both = header.number("attention.key_length", size) + header.number("attention.value_length", size)
        kv_heads = header.number("attention.head_count_kv", heads)
        return _CACHE_BYTES * header.number("block_count") * kv_heads * both


def _shipped(adapter: ShippedAdapter | None, header: GgufHeader, home: Path) -> Path | None:
    """What belongs to a packaged model, converted once under the home: the package may be read-only."""
    if adapter is None:
        return None
    into = home / "models" / ".adapters"
    into.mkdir(parents=True, exist_ok=True)
    return gguf_adapter(adapter.folder, adapter.sha256, header, into)


def _file_of(name: str, home: Path) -> Path | None:
    from tuning.models.sources import find_source  # the hub's client, which a packaged model does not need

    return find_source(name, home).gguf
