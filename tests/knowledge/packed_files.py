"""A tiny file in the layout of the packed 4-bit weights, written for tests."""

import struct
from pathlib import Path

import numpy as np

HIDDEN, LAYERS, HEADS, INTERMEDIATE, POSITIONS = 32, 1, 2, 64, 64
PIECES = [
    "<s>",
    "<pad>",
    "</s>",
    "<unk>",
    "▁",
    "▁kettle",
    "▁tea",
    "query",
    ":",
    "▁query",
    "passage",
    "▁passage",
    "馆",
    "图书",
]


def write_packed(path: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """Write random weights; what each tensor is worth, by its name in the file."""
    rng = np.random.default_rng(seed)
    blocks: list[tuple[str, bytes, int, int]] = []
    worth: dict[str, np.ndarray] = {}
    for name, rows, columns in _matrices():
        integers = rng.integers(0, 16, (rows * columns // 32, 32), dtype=np.uint8)
        scales = rng.uniform(0.01, 0.05, (len(integers), 1)).astype("<f2")
        pairs = integers[:, :16] | (integers[:, 16:] << 4)
        stored = b"".join(scale.tobytes() + pair.tobytes() for scale, pair in zip(scales, pairs, strict=True))
        worth[name] = ((integers.astype(np.float32) - 8) * scales.astype(np.float32)).reshape(rows, columns)
        blocks.append((name, stored, 1, rows * columns))
    for name, shape in _plain():
        worth[name] = rng.normal(0, 0.1, shape).astype("<f4") + (1.0 if name.endswith("ln.w") else 0.0)
        blocks.append((name, worth[name].astype("<f4").tobytes(), 0, worth[name].size))
    path.write_bytes(_file(blocks))
    return worth


def _matrices() -> list[tuple[str, int, int]]:
    square = [(f"l0.{part}.w", HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")]
    return [
        ("emb.word", len(PIECES), HIDDEN),
        *square,
        ("l0.fi.w", INTERMEDIATE, HIDDEN),
        ("l0.fo.w", HIDDEN, INTERMEDIATE),
    ]


def _plain() -> list[tuple[str, tuple[int, ...]]]:
    norms = [f"{place}.{kind}" for place in ("emb.ln", "l0.aln", "l0.oln") for kind in ("w", "b")]
    biases = [f"l0.{part}.b" for part in ("q", "k", "v", "ao", "fo")]
    vectors = [(name, (HIDDEN,)) for name in (*norms, *biases)]
    return [
        ("emb.pos", (POSITIONS, HIDDEN)),
        ("emb.type", (2, HIDDEN)),
        *vectors,
        ("l0.fi.b", (INTERMEDIATE,)),
    ]


def _file(blocks: list[tuple[str, bytes, int, int]]) -> bytes:
    shape = (HIDDEN, LAYERS, HEADS, INTERMEDIATE, len(PIECES), POSITIONS, 2)
    texts = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, texts)]).astype("<u4")
    scores = np.array([0.0] * 4 + [-float(at) for at in range(4, len(PIECES))], dtype="<f4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, *shape, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1]))
    head += offsets.tobytes() + scores.tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 5) + struct.pack("<IB", 9, 0)  # one normalisation: a tab becomes nothing
    directory = sum(2 + len(name) + 21 for name, *_ in blocks) + 4
    at, entries, data = len(head) + directory, struct.pack("<i", len(blocks)), b""
    for name, stored, kind, count in blocks:
        entries += (
            struct.pack("<H", len(name))
            + name.encode()
            + struct.pack("<BIQQ", kind, count, at + len(data), len(stored))
        )
        data += stored
    return head + entries + data
