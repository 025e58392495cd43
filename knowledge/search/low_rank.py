"""An encoder whose matrices were changed by a low-rank adapter that comes with Imprint, tuned for one task."""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from knowledge.errors import StoreError
from knowledge.index.embedding_models import UNREADABLE, fast_dtype, no_progress_bar
from knowledge.index.embeddings import batches_of_similar_length

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    _Loaded = tuple[Any, PreTrainedTokenizerBase, dict[str, np.ndarray]]

# Names in an adapter, which is PEFT's.
MODEL, ENCODER = "base_model.model.", "base_model.model.bert."
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
_BATCH_TOKENS = 2048  # padded


@dataclass(frozen=True)
class TokenStates:
    """The last states of a text's tokens, without those that the tokenizer adds."""

    states: np.ndarray  # float32 [tokens, hidden]
    characters: np.ndarray  # int [tokens, 2]: where each begins and ends in the text


class TunedEncoder:
    """An encoder's last states, of each token or their mean. Loaded at the first text; safe between threads."""

    def __init__(
        self, folder: Callable[[], Path], adapter: Path, besides: Sequence[str], device: str | None
    ) -> None:
        """`folder` has the encoder; `besides` names what the adapter holds besides the change."""
        self._folder, self._adapter, self._besides = folder, adapter, besides
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._loaded: _Loaded | None = None
        self._lock = threading.Lock()

    def pooled(self, inputs: Sequence[Sequence[str]], max_tokens: int) -> np.ndarray:
        """For each text or pair of texts the mean of its tokens' states, float32 [inputs, hidden]. Raises StoreError.

        What has more than `max_tokens` is cut, of a pair the longer text.
        """
        with self._lock:
            encoder, tokenizer, _ = self._opened()
            codes = [  # under the lock: how a tokenizer cuts is a state of it
                tokenizer(*texts, truncation="longest_first", max_length=max_tokens) for texts in inputs
            ]
        found = np.zeros((len(inputs), encoder.config.hidden_size), dtype=np.float32)
        for batch in batches_of_similar_length([len(one["input_ids"]) for one in codes], _BATCH_TOKENS):
            padded = tokenizer.pad([codes[place] for place in batch], return_tensors="pt").to(self._device)
            seen = padded["attention_mask"].unsqueeze(-1)  # [batch, tokens, 1]
            with torch.inference_mode():
                states = encoder(**padded).last_hidden_state.float()
                found[batch] = ((states * seen).sum(dim=1) / seen.sum(dim=1)).cpu().numpy()
        return found

    def tokens(self, text: str, max_tokens: int) -> TokenStates:
        """The states of a text's tokens; what has more than `max_tokens` is cut. Raises StoreError."""
        with self._lock:
            encoder, tokenizer, _ = self._opened()
            codes = tokenizer(
                text,
                truncation=True,
                max_length=max_tokens,
                return_offsets_mapping=True,
                return_tensors="pt",
            )
        characters = codes.pop("offset_mapping")[0].numpy()
        with torch.inference_mode():
            states = encoder(**codes.to(self._device)).last_hidden_state[0].float().cpu().numpy()
        own = characters[:, 1] > characters[:, 0]
        return TokenStates(states[own], characters[own])

    def besides(self, name: str) -> np.ndarray:
        """What the adapter holds under this name besides the change, float32. Raises StoreError."""
        with self._lock:
            return self._opened()[2][name]

    def _opened(self) -> "_Loaded":
        """The encoder with its matrices changed; called under the lock."""
        if self._loaded is None:
            self._loaded = self._open(self._folder())
        return self._loaded

    def _open(self, folder: Path) -> "_Loaded":
        from transformers import AutoModel, AutoTokenizer  # takes seconds to import

        try:
            with no_progress_bar():
                encoder = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
            config = json.loads((self._adapter / "adapter_config.json").read_text(encoding="utf-8"))
            tensors = load_file(self._adapter / "adapter_model.safetensors")
            with torch.no_grad():
                for name, down in tensors.items():
                    if name.endswith(DOWN):
                        up = tensors[name.replace(DOWN, UP)].float()
                        changed = encoder.get_submodule(name.removeprefix(ENCODER).removesuffix(DOWN))
                        changed.weight += config["lora_alpha"] / config["r"] * up @ down.float()
            besides = {name: tensors[f"{MODEL}{name}"].float().numpy() for name in self._besides}
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        except (*UNREADABLE, SafetensorError) as error:
            raise StoreError(
                f"An adapter that comes with Imprint cannot be opened ({error}). Install Imprint again: it "
                f"belongs in {self._adapter}."
            ) from error
        return encoder.to(self._device, fast_dtype(self._device)).eval(), tokenizer, besides
