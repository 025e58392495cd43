"""The base with a checkpoint's change in its own weights: a model folder, and what GGUF files are written from."""

from pathlib import Path

from tuning.checkpoints.export_peft import check_same_base
from tuning.checkpoints.gguf_from_folder import copy_tokenizer_models
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.model_card import model_card
from tuning.errors import CheckpointError
from tuning.models import adapters
from tuning.models.adapters import FullAdapter, PeftAdapter, PrefixAdapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.models.published import license_text
from tuning.storage import write_text

ADAPTER = "to-merge"  # no attribute of a module is called so


def write_merged(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """A model folder of its own, which transformers (and Imprint, as a base) opens without any adapter."""
    base = merged(checkpoint, home)
    base.model.bfloat16().save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    copy_tokenizer_models(checkpoint.base, home, folder)
    base.close()
    use = '```python\nfrom transformers import pipeline\n\nchat = pipeline("text-generation", "FOLDER")\n```'
    write_text(folder / "README.md", model_card(checkpoint, home, "transformers", use))
    write_license(checkpoint, home, folder)


def write_license(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The base's licence file, where it brought one: whoever passes the weights on passes it on."""
    if text := license_text(checkpoint.base, home):
        write_text(folder / "LICENSE", text)


def merged(checkpoint: Checkpoint, home: Path) -> BaseModel:
    """The base in float32 on the CPU with the checkpoint's change in its own weights."""
    adapter = read_adapter(checkpoint.path, checkpoint.sha256)
    if isinstance(adapter, PrefixAdapter):
        raise CheckpointError(
            f"{checkpoint.name!r} was made with {checkpoint.method}: it stands before the prompt and changes "
            "no weight, so there is nothing to merge. Export it as 'peft', or tune with lora."
        )
    base = BaseModel.open(checkpoint.base, home, device="cpu")
    check_same_base(checkpoint, base.sha256)
    base.model.float()  # a bf16 sum would round small changes away
    if isinstance(adapter, FullAdapter):
        adapter.swap(base.model, checkpoint.name)
    else:
        _merge(base, adapter, checkpoint.name)
    return base


def _merge(base: BaseModel, adapter: PeftAdapter, name: str) -> None:
    adapters.attach(base.model, adapter, ADAPTER, name)
    adapters.select(base.model, ADAPTER)
    for layer in adapters.tuner_layers(base.model):
        layer.merge(safe_merge=True)
    adapters.restore(base.model)
    vars(base.model).pop("peft_config", None)  # or it would be saved as a model with an adapter
    base.model._hf_peft_config_loaded = False
