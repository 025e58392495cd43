"""Whether a text answers a question, judged by reading both together (a cross-encoder).

An embedding model compares two vectors that were made apart, so "Who manages the radio?" and "Who founded the radio?"
are alike to it. Here the packaged one's own weights, with a low-rank change that was tuned for this (`judge/`, made by
`benchmarks/answerability`), read the question and a short text as one input. It knows English.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, fast_dtype, packaged_folder
from knowledge.index.embeddings import batches_of_similar_length
from knowledge.search.low_rank import open_changed

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    _Loaded = tuple[PreTrainedModel, nn.Linear, PreTrainedTokenizerBase]

ADAPTER = Path(__file__).with_name("judge")
MAX_PAIR_TOKENS = 256  # of a question and a text; the longer of the two is cut
_BATCH_TOKENS = 2048  # padded
_HEAD = "classifier"  # it judges each token; the mean of its logits is the score


class Answerability:
    """Scores texts for a question. Loaded at the first score; safe between threads."""

    def __init__(self, device: str | None = None) -> None:
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    def score(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """For each text the log-odds that it answers the question, float32 [texts]. Raises StoreError."""
        if not texts:
            return np.zeros(0, dtype=np.float32)
        with self._lock:
            if self._loaded is None:
                self._loaded = _load(self._device)
            encoder, head, tokenizer = self._loaded
            codes = [  # under the lock: how a tokenizer cuts is a state of it
                tokenizer(question, text, truncation="longest_first", max_length=MAX_PAIR_TOKENS)
                for text in texts
            ]
        found = np.zeros(len(texts), dtype=np.float32)
        for batch in batches_of_similar_length([len(one["input_ids"]) for one in codes], _BATCH_TOKENS):
            padded = tokenizer.pad([codes[place] for place in batch], return_tensors="pt").to(self._device)
            seen = padded["attention_mask"].unsqueeze(-1)  # [batch, tokens, 1]
            with torch.inference_mode():
                states = encoder(**padded).last_hidden_state.float()
                pooled = (states * seen).sum(dim=1) / seen.sum(dim=1)
                found[batch] = head(pooled).squeeze(-1).cpu().numpy()
        return found


def _load(device: str) -> "_Loaded":
    """The packaged model with its matrices changed, and the head, which is small and stays in float32."""
    encoder, rest, tokenizer = open_changed(packaged_folder(DEFAULT_EMBEDDINGS), ADAPTER)
    head = nn.Linear(encoder.config.hidden_size, 1)
    head.load_state_dict({part: rest[f"{_HEAD}.{part}"] for part in ("weight", "bias")})
    return encoder.to(device, fast_dtype(device)), head.to(device), tokenizer
