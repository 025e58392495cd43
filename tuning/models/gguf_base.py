"""A base model as a GGUF file that llama.cpp opens as it is: which file, its hash, and what its header says.

No weights are opened, and neither torch nor transformers is imported.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from gguf import LlamaFileType

from tuning.errors import ModelError
from tuning.models.file_hashes import weights_sha256
from tuning.models.gguf_header import GgufHeader, read_header
from tuning.models.gguf_merging import write_merged
from tuning.models.packaged import PACKAGED, PackagedModel, packaged_file
from tuning.storage import file_sha256, read_json, write_json

_CACHE_BYTES = 2  # of a key's or value's element


@dataclass(frozen=True)
class GgufBase:
    """A GGUF file under the name of its model."""

    name: str
    path: Path
    sha256: str  # of the weights and what is added to them
    header: GgufHeader

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
        if packaged.adapter is not None:
            header = read_header(_merged(packaged, header, home))
        return cls(name, header.path, packaged.identity, header)

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


def _merged(packaged: PackagedModel, source: GgufHeader, home: Path) -> Path:
    """The packaged model with what belongs to it in its weights, written once under the home. Raises ModelError."""
    assert packaged.adapter is not None
    folder = home / "models" / ".merged"
    path = folder / f"{packaged.identity[:16]}.gguf"
    known = folder / f"{path.name}.json"  # the hash of what was written: a damaged file is written anew
    if not path.is_file() or weights_sha256([path], home) != read_json(known).get("sha256"):
        folder.mkdir(parents=True, exist_ok=True)
        write_merged(source, packaged.adapter.folder, path)
        write_json(known, {"sha256": file_sha256(path)})
    return path


def _file_of(name: str, home: Path) -> Path | None:
    from tuning.models.sources import find_source  # the hub's client, which a packaged model does not need

    return find_source(name, home).gguf
