"""Adapters for other programs: PEFT folders, alone or with their base, and what vLLM serves."""

import copy
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from peft import LoraConfig, PeftType
from safetensors.torch import save_file

from tuning.checkpoints.manifest import NOTES, Checkpoint
from tuning.checkpoints.model_card import model_card
from tuning.checkpoints.notes import notes_of
from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.data.examples import write_examples
from tuning.errors import CheckpointError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.adapters import Adapter, FullAdapter, PeftAdapter, PrefixAdapter, read_adapter
from tuning.models.conversion import convert
from tuning.models.gguf_adapter import why_no_plain_lora
from tuning.models.low_rank_sum import low_rank_sum
from tuning.models.packaged import PACKAGED, ShippedAdapter
from tuning.models.published import published_name
from tuning.models.sources import ABOUT
from tuning.models.template import Template
from tuning.models.weights import locate
from tuning.storage import write_json, write_text

BASE_FOLDER = "base"
SKILLS = "skills"  # the folder of what Imprint adds to a base, beside an adapter
SKILLS_FILE = "skills.json"  # says that a low-rank adapter begins with it: `import_peft` takes it off again
TEMPLATE_FILE = "chat_template.jinja"


def write_peft(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The folder that `peft.PeftModel.from_pretrained` reads; a prefix becomes PEFT's own prefix tuning.

    What Imprint adds to the base is part of a low-rank adapter, and lies beside every other one.
    """
    if (whole := with_skills(checkpoint)) is not None:
        base = published_name(PLAIN_BASE, home)
        _write_adapter(checkpoint, folder, base, whole)
        write_json(folder / SKILLS_FILE, {"sha256": PACKAGED[DEFAULT_BASE].identity})
    else:
        base = published_name(checkpoint.base, home) or checkpoint.base
        _write_adapter(checkpoint, folder, base)
        if shipped := shipped_with(checkpoint):
            shutil.copytree(shipped.folder, folder / SKILLS)
    _write_card(checkpoint, home, folder, base)


def with_skills(checkpoint: Checkpoint) -> PeftAdapter | None:
    """The adapter and what Imprint adds to its base as one adapter of the plain base; None where they cannot be one."""
    shipped = shipped_with(checkpoint)
    if shipped is None or why_no_plain_lora(checkpoint.path):
        return None
    own = read_adapter(checkpoint.path, checkpoint.sha256)
    added = read_adapter(shipped.folder, shipped.sha256)
    assert isinstance(own, PeftAdapter) and isinstance(added, PeftAdapter)
    return low_rank_sum(added, own)


def shipped_with(checkpoint: Checkpoint) -> ShippedAdapter | None:
    """What Imprint adds to the base that a checkpoint was tuned from; None for all but the one with skills."""
    packaged = PACKAGED.get(checkpoint.base)
    return packaged.adapter if packaged else None


def write_peft_with_base(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The same, and the very weights that it was tuned on: others may have slightly different ones, or none."""
    source, sha256 = locate(checkpoint.base, home, convert)
    check_same_base(checkpoint, sha256)
    _write_adapter(checkpoint, folder, published_name(checkpoint.base, home) or BASE_FOLDER)
    shutil.copytree(source, folder / BASE_FOLDER, ignore=shutil.ignore_patterns(ABOUT, ".*"))
    _write_card(checkpoint, home, folder, str(Path("FOLDER") / BASE_FOLDER))


def check_same_base(checkpoint: Checkpoint, sha256: str) -> None:
    """Raises `CheckpointError` where the base that is here is not the one that was tuned."""
    if sha256 != checkpoint.base_sha256:
        raise CheckpointError(
            f"{checkpoint.name!r} was tuned from {checkpoint.base!r} ({checkpoint.base_sha256[:12]}), but "
            f"what is there now is another ({sha256[:12]}). Restore that model to export."
        )


def _write_adapter(checkpoint: Checkpoint, folder: Path, base: str, adapter: Adapter | None = None) -> None:
    adapter = adapter or read_adapter(checkpoint.path, checkpoint.sha256)
    if isinstance(adapter, FullAdapter):
        raise CheckpointError(
            f"{checkpoint.name!r} changes every weight, so it is no adapter. Export it as merged weights."
        )
    if isinstance(adapter, PrefixAdapter):
        _write_prefix(adapter, checkpoint, folder, base)
    else:
        _naming(adapter, base).write(folder)
    if notes := notes_of(checkpoint):  # `import_peft` takes them back
        write_examples(folder / NOTES, notes)


def _naming(adapter: PeftAdapter, base: str) -> PeftAdapter:
    """The adapter with another name of its base: the one that it was tuned under may be a path of this machine."""
    config = copy.copy(adapter.config)
    config.base_model_name_or_path = base
    return replace(adapter, config=config)


def _write_prefix(adapter: PrefixAdapter, checkpoint: Checkpoint, folder: Path, base: str) -> None:
    shapes = {tuple(layer.shape) for layer in adapter.kv}
    if len(shapes) != 1:
        raise CheckpointError(
            f"{checkpoint.name!r} has layers of different shapes, which PEFT's prefixes cannot hold."
        )
    _, heads, positions, size = shapes.pop()
    kv = torch.stack(adapter.kv).float()  # (layers, 2, heads, positions, size)
    table = kv.permute(3, 0, 1, 2, 4).reshape(positions, -1).contiguous()
    save_file({"prompt_embeddings": table}, folder / PEFT_WEIGHTS)
    config = {
        "peft_type": "PREFIX_TUNING",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "inference_mode": True,
        "num_virtual_tokens": positions,
        "num_layers": len(adapter.kv),
        "num_attention_heads": heads,
        "token_dim": heads * size,
        "num_transformer_submodules": 1,
        "prefix_projection": False,
        "encoder_hidden_size": heads * size,
    }
    write_json(folder / PEFT_CONFIG, config)


def _write_card(checkpoint: Checkpoint, home: Path, folder: Path, base: str) -> None:
    use = (
        "```python\nfrom peft import PeftModel\nfrom transformers import AutoModelForCausalLM\n\n"
        f'base = AutoModelForCausalLM.from_pretrained("{Path(base).as_posix()}")\n'
        'model = PeftModel.from_pretrained(base, "FOLDER")\n```'
    )
    write_text(folder / "README.md", model_card(checkpoint, home, "peft", use))


# -------------------------------------------------------------------- vLLM


def write_vllm(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """A LoRA folder as vLLM loads it, with the chat template that it was tuned under and the command that serves it.

    Raises `CheckpointError` for what vLLM does not serve.
    """
    whole = with_skills(checkpoint)
    adapter = whole or read_adapter(checkpoint.path, checkpoint.sha256)
    if problem := _why_not_vllm(adapter):
        raise CheckpointError(
            f"vLLM serves plain LoRA adapters, and {checkpoint.name!r} {problem}. Export it as 'merged', and serve "
            "that."
        )
    base = published_name(PLAIN_BASE if whole else checkpoint.base, home) or checkpoint.base
    _write_adapter(checkpoint, folder, base, adapter)
    template = Template.read(checkpoint.base, home)
    write_text(folder / TEMPLATE_FILE, str(template.tokenizer.chat_template))
    assert isinstance(adapter, PeftAdapter)
    use = (
        f"```sh\nvllm serve {base} --enable-lora --max-lora-rank {_served_rank(adapter)} \\\n"
        f"  --lora-modules '{checkpoint.name}=FOLDER' --chat-template FOLDER/{TEMPLATE_FILE}\n```"
    )
    write_text(folder / "README.md", model_card(checkpoint, home, "peft", use))


def _why_not_vllm(adapter: object) -> str:
    """What vLLM does not serve of an adapter; empty where it serves it."""
    if not isinstance(adapter, PeftAdapter):
        return "is a prefix" if isinstance(adapter, PrefixAdapter) else "changes every weight"
    config = adapter.config
    if not isinstance(config, LoraConfig) or config.peft_type != PeftType.LORA:
        return f"was made with {PeftType(config.peft_type).value}"
    if config.use_dora or config.modules_to_save or config.bias != "none":
        return "uses DoRA, biases or whole modules"
    return "" if max(_ranks(adapter)) <= 512 else f"has rank {max(_ranks(adapter))}, and 512 is the most"


def _ranks(adapter: PeftAdapter) -> list[int]:
    return [int(value.shape[0]) for name, value in adapter.state.items() if ".lora_A" in name]


def _served_rank(adapter: PeftAdapter) -> int:
    """vLLM reserves memory for one of a few ranks."""
    return next(rank for rank in (8, 16, 32, 64, 128, 256, 320, 512) if rank >= max(_ranks(adapter)))
