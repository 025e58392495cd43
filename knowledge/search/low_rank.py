"""An encoder whose matrices were changed by a low-rank adapter that comes with Imprint, tuned for one task."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from knowledge.errors import StoreError
from knowledge.index.embedding_models import UNREADABLE, no_progress_bar

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Names in an adapter, which is PEFT's.
MODEL, ENCODER = "base_model.model.", "base_model.model.bert."
DOWN, UP = ".lora_A.weight", ".lora_B.weight"


def open_changed(folder: Path, adapter: Path) -> "tuple[Any, dict[str, Tensor], PreTrainedTokenizerBase]":
    """The encoder in `folder` with its matrices changed, in float32; what else the adapter holds; the tokenizer.

    Raises StoreError.
    """
    from transformers import AutoModel, AutoTokenizer  # takes seconds to import

    try:
        with no_progress_bar():
            encoder = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(adapter / "adapter_model.safetensors")
        rest: dict[str, Tensor] = {}
        with torch.no_grad():
            for name, tensor in tensors.items():
                if name.endswith(DOWN):
                    up = tensors[name.replace(DOWN, UP)].float()
                    changed = encoder.get_submodule(name.removeprefix(ENCODER).removesuffix(DOWN))
                    changed.weight += config["lora_alpha"] / config["r"] * up @ tensor.float()
                elif not name.endswith(UP):
                    rest[name.removeprefix(MODEL)] = tensor.float()
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (*UNREADABLE, SafetensorError) as error:
        raise StoreError(
            f"What judges whether a text answers a question cannot be opened ({error}). Install Imprint again: "
            f"its adapter belongs in {adapter}."
        ) from error
    return encoder.eval(), rest, tokenizer
