"""Texts → unit vectors, by a sentence-transformers model or any LangChain `Embeddings`.

A model is loaded at the first text. Which models there are and how they are opened: `embedding_models.py`.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from langchain_core.embeddings import Embeddings
from tokenizers import Tokenizer

from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, FETCHED, PACKAGED, Trusts, load_model, nobody
from knowledge.index.fluency import coverage, fluency
from knowledge.index.model_families import Family, family_of

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Also for a model that reads more: the vector of a long text says little about each part of it.
MAX_PASSAGE_TOKENS = 256
BATCH_TOKENS = 2048  # padded tokens in one forward pass: more falls out of the cache of two cores


# Of a text in a language that the model does not know, so many at its end are read, where no title makes passages
# alike: its vector says next to nothing, and BM25 decides.
UNKNOWN_CHARACTERS = 12
UNKNOWN_FLUENCY = 0.1  # below it
_FLUENCY_CHARACTERS = 300  # of a passage, by which its language is judged
Spans = Sequence[tuple[int, int]]


class Encoder(Protocol):
    """What the index needs of an embedding model."""

    @property
    def name(self) -> str: ...
    @property
    def passage_tokens(self) -> int: ...
    def count_tokens(self, texts: Sequence[str]) -> list[int]: ...
    def encode_passages(
        self, texts: Sequence[str], parts: Sequence[Spans], on_batch: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]: ...
    def encode_query(self, text: str) -> np.ndarray: ...
    def fluency(self, text: str) -> float: ...
    @property
    def family(self) -> Family: ...


class SentenceEmbeddings(Embeddings):
    """A sentence-transformers model: a name of `PACKAGED`, a local folder or a Hub id. Thread-safe."""

    def __init__(
        self,
        model: str = DEFAULT_EMBEDDINGS,
        device: str | None = None,
        max_passage_tokens: int = MAX_PASSAGE_TOKENS,
        trusts: Trusts = nobody,
        home: Path | None = None,
    ) -> None:
        self.name = model
        self._trusts, self._home = trusts, home  # the home is where a fetched model lies
        self._device = device
        self._max_passage_tokens = max_passage_tokens  # in tokens, the model's two special ones included
        self._loaded: SentenceTransformer | None = None
        self._tokenizer: Tokenizer | None = None
        self._lock = threading.RLock()
        self.family = family_of(model)

    @property
    def model(self) -> "SentenceTransformer":
        """The model, loaded on first use. Raises StoreError when its weights are missing or were changed."""
        with self._lock:
            if self._loaded is None:
                self._loaded = load_model(self.name, self._device, self._trusts, self._home)
            return self._loaded

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, never truncating or padding."""
        with self._lock:
            if self._tokenizer is None:
                self._tokenizer = Tokenizer.from_str(self.model.tokenizer.backend_tokenizer.to_str())
                self._tokenizer.no_truncation()
                self._tokenizer.no_padding()
            return self._tokenizer

    @property
    def window(self) -> int:
        """Tokens of a text that the model reads, its two special tokens included; the rest is cut off."""
        return int(self.model.max_seq_length or 512)

    @property
    def dimension(self) -> int:
        """Numbers in one vector."""
        return int(self.model.get_embedding_dimension() or 0)

    @property
    def passage_tokens(self) -> int:
        """Tokens a passage may have, so that nothing of it is cut off."""
        return (
            min(self.window, self._max_passage_tokens)
            - 2
            - sum(self.count_tokens([self.family.passage_prefix]))
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, without special tokens."""
        codes = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [len(code.ids) for code in codes]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector a text."""
        vectors: list[list[float]] = self.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of a question."""
        vector: list[float] = self.encode_query(text).tolist()
        return vector

    def encode_query(self, text: str) -> np.ndarray:
        """The unit vector of a question, float32 [dimension]."""
        row: np.ndarray = self._encode([self.family.query_prefix + text])[0]
        return row

    def fluency(self, text: str) -> float:
        """How well the model knows the language of the text, 0 to 1, by its vocabulary."""
        return coverage(self.tokenizer, text) if self.family.multilingual else fluency(self.tokenizer, text)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of passages, float32 [texts, dimension]."""
        return self.encode_passages(texts, [()] * len(texts))[0]

    def encode_passages(
        self, texts: Sequence[str], parts: Sequence[Spans], on_batch: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Unit vectors [texts, dimension], and of each text those of its parts, given as (start, end).

        A part's vector is the mean of its tokens as the whole text made them ("late chunking", arXiv
        2409.04701): it costs no further pass. A model that does not pool by the mean has none, nor has a text in a
        language that the model does not know, of which only the end is read. `on_batch(done)` may raise to stop.
        """
        known = [self.fluency(text[:_FLUENCY_CHARACTERS]) >= UNKNOWN_FLUENCY for text in texts]
        parts = [spans if is_known else () for spans, is_known in zip(parts, known, strict=True)]
        prefixed = [self.family.passage_prefix + text for text in texts]
        prefixed = [
            text if is_known else text[-UNKNOWN_CHARACTERS:]
            for text, is_known in zip(prefixed, known, strict=True)
        ]
        codes = self.tokenizer.encode_batch(prefixed)
        lengths = [min(len(code.ids), self.window) for code in codes]
        late = self._pools_by_mean() and any(parts)
        vectors = np.zeros((len(texts), self.dimension if len(texts) else 0), dtype=np.float32)
        of_parts = [np.zeros((0, vectors.shape[1]), dtype=np.float32)] * len(texts)
        done = 0
        for batch in batches_of_similar_length(lengths, BATCH_TOKENS):
            if late:
                shift = len(self.family.passage_prefix)
                for index, tokens in zip(
                    batch, self._tokens([prefixed[index] for index in batch]), strict=True
                ):
                    vectors[index] = normalize(tokens.mean(axis=0))
                    of_parts[index] = mean_pool(tokens, codes[index].offsets, parts[index], shift)
            else:
                vectors[batch] = self._encode([prefixed[index] for index in batch])
            done += len(batch)
            if on_batch:
                on_batch(done)
        return vectors, of_parts

    def _pools_by_mean(self) -> bool:
        from sentence_transformers.sentence_transformer.modules import Pooling  # takes seconds to import

        pooling = [module for module in self.model if isinstance(module, Pooling)]
        return len(pooling) == 1 and pooling[0].pooling_mode == "mean"

    def _tokens(self, texts: list[str]) -> list[np.ndarray]:
        rows = self.model.encode(
            texts, batch_size=len(texts), output_value="token_embeddings", show_progress_bar=False
        )
        return [row.float().cpu().numpy() for row in rows]

    def _encode(self, texts: list[str]) -> np.ndarray:
        rows: np.ndarray = self.model.encode(texts, batch_size=len(texts), show_progress_bar=False)
        return normalize(rows.astype(np.float32, copy=False))  # bf16 rounds a norm of 1 by half a percent


def normalize(rows: np.ndarray) -> np.ndarray:
    """Each row with length 1; a row of zeros stays."""
    lengths: np.ndarray = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-12))


def mean_pool(tokens: np.ndarray, offsets: Sequence[tuple[int, int]], parts: Spans, shift: int) -> np.ndarray:
    """Unit vectors [parts, dimension]: the mean of the tokens that begin in each, or zeros."""
    starts = np.array([start if end > start else -1 for start, end in offsets[: len(tokens)]])
    rows = [tokens[: len(starts)][(starts >= start + shift) & (starts < end + shift)] for start, end in parts]
    means = [row.mean(axis=0) if len(row) else np.zeros(tokens.shape[1], dtype=np.float32) for row in rows]
    return normalize(np.stack(means)) if means else np.zeros((0, tokens.shape[1]), dtype=np.float32)


def batches_of_similar_length(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Indices, longest first, in batches whose padded size stays within `budget` tokens."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    batches: list[list[int]] = []
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, lengths[order[start]]))
        batches.append(order[start : start + size])
        start += size
    return batches


def open_embeddings(
    name: str = "", home: Path | None = None, device: str | None = None, trusts: Trusts = nobody
) -> SentenceEmbeddings:
    """The embedding model of that name; a relative folder is looked up under `home/models` too."""
    known = not name or name in PACKAGED or name in FETCHED
    if not known and home is not None and (home / "models" / name).is_dir():
        name = str(home / "models" / name)
    return SentenceEmbeddings(name or DEFAULT_EMBEDDINGS, device, trusts=trusts, home=home)


class LangChainEncoder:
    """Any LangChain `Embeddings` as an encoder; its token counts are estimates."""

    passage_tokens = MAX_PASSAGE_TOKENS - 2
    family = Family()

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self.name = type(embeddings).__name__

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """About four bytes a token."""
        return [-(-len(text.encode("utf-8", "surrogatepass")) // 4) for text in texts]

    def encode_passages(
        self, texts: Sequence[str], parts: Sequence[Spans], on_batch: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Unit vectors, float32 [texts, dimension]; none of parts."""
        rows = np.asarray(self._embeddings.embed_documents(list(texts)), dtype=np.float32)
        if on_batch:
            on_batch(len(texts))
        return (normalize(rows) if len(texts) else rows), [rows[:0]] * len(texts)

    def encode_query(self, text: str) -> np.ndarray:
        """The unit vector of a question."""
        row = np.asarray(self._embeddings.embed_query(text), dtype=np.float32)
        return normalize(row)

    def fluency(self, text: str) -> float:
        """1: the vocabulary is not known."""
        return 1.0


def as_encoder(embeddings: Embeddings) -> Encoder:
    """The embeddings as an encoder; `SentenceEmbeddings` is one already."""
    return embeddings if isinstance(embeddings, SentenceEmbeddings) else LangChainEncoder(embeddings)
