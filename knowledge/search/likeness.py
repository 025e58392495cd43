"""How surely a question–answer pair answers a question, by vectors that were tuned to tell (a bi-encoder).

An embedding model holds two texts on one subject to be alike, whatever they ask of it. Here its own weights, with a
low-rank change (`likeness/`, made by `benchmarks/answerability`), put a question near the pair that answers it and away
from the pairs beside it: the packaged model for English, the multilingual one for Chinese. A vector is made once for
each text, and can be kept.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from knowledge.index.embedding_models import (
    DEFAULT_EMBEDDINGS,
    MULTILINGUAL,
    fast_dtype,
    fetched_folder,
    packaged_folder,
)
from knowledge.index.embeddings import batches_of_similar_length
from knowledge.search.low_rank import open_changed

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Language = Literal["en", "zh"]
ADAPTERS = Path(__file__).with_name("likeness")  # a folder for each language
MAX_TOKENS = 128  # of a text; a longer one is cut
PREFIXES: dict[Language, str] = {"en": "", "zh": "query: "}  # which the models were trained with
_BATCH_TOKENS = 2048  # padded


def encoder_folder(language: Language, home: Path | None) -> Path:
    """Where the model for a language lies. Raises StoreError."""
    return packaged_folder(DEFAULT_EMBEDDINGS) if language == "en" else fetched_folder(MULTILINGUAL, home)


class Likeness:
    """Vectors of questions and pairs. Loaded at the first text; safe between threads."""

    def __init__(self, language: Language, home: Path | None = None, device: str | None = None) -> None:
        """`home` has the multilingual model, which Chinese needs."""
        self._language, self._home = language, home
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._loaded: tuple[PreTrainedModel, PreTrainedTokenizerBase] | None = None
        self._scale = self._offset = 0.0
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 [texts, dimension]. Raises StoreError."""
        prefix = PREFIXES[self._language]
        with self._lock:
            encoder, tokenizer = self._loaded or self._load()
            codes = [  # under the lock: how a tokenizer cuts is a state of it
                tokenizer(f"{prefix}{text}", truncation=True, max_length=MAX_TOKENS) for text in texts
            ]
        found = np.zeros((len(texts), encoder.config.hidden_size), dtype=np.float32)
        for batch in batches_of_similar_length([len(one["input_ids"]) for one in codes], _BATCH_TOKENS):
            padded = tokenizer.pad([codes[place] for place in batch], return_tensors="pt").to(self._device)
            seen = padded["attention_mask"].unsqueeze(-1)  # [batch, tokens, 1]
            with torch.inference_mode():
                states = encoder(**padded).last_hidden_state.float()
                pooled = (states * seen).sum(dim=1)
                found[batch] = torch.nn.functional.normalize(pooled, dim=-1).cpu().numpy()
        return found

    def log_odds(self, cosines: np.ndarray) -> np.ndarray:
        """What the cosines of a question's vector and those of pairs say, after `encode`."""
        return self._scale * cosines + self._offset

    def _load(self) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
        adapter = ADAPTERS / self._language
        encoder, rest, tokenizer = open_changed(encoder_folder(self._language, self._home), adapter)
        self._scale, self._offset = float(rest["scale"]), float(rest["offset"])
        self._loaded = encoder.to(self._device, fast_dtype(self._device)), tokenizer
        return self._loaded
