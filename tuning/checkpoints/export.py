"""Checkpoints for other programs: a PEFT folder, merged weights, a GGUF file, an Ollama folder."""

import json
import logging
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from tuning.checkpoints.manifest import NOTES, Checkpoint
from tuning.checkpoints.notes import notes_of
from tuning.data.examples import write_examples
from tuning.errors import CheckpointError
from tuning.models import adapters
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.adapters import FullAdapter, PeftAdapter, PrefixAdapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.models.template import Template
from tuning.models.template_process import render_chat
from tuning.storage import files_of, write_json, write_text

log = logging.getLogger(__name__)

ADAPTER = "to-merge"  # no attribute of a module is called so


@dataclass(frozen=True)
class Exporter:
    """One format: what it is for, and how it is written into a folder."""

    name: str
    title: str
    write: Callable[[Checkpoint, Path, Path], None]  # checkpoint, Imprint home, folder


def export(checkpoint: Checkpoint, format: str, output: Path, home: Path) -> list[Path]:
    """Write a checkpoint in a format of `EXPORTERS` into a new folder, which appears whole; the files in it.

    Raises `CheckpointError` where the format is unknown or does not suit the method, or the folder exists.
    """
    exporter = EXPORTERS.get(format)
    if exporter is None:
        raise CheckpointError(f"There is no export format {format!r}. There are: {', '.join(EXPORTERS)}.")
    if checkpoint.is_reward_model:
        raise CheckpointError(
            f"{checkpoint.name!r} is a reward model: without its head, which no other program reads, it would answer "
            "as no model should. Export the checkpoint that it judges."
        )
    output = Path(output)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise CheckpointError(f"{output} exists already and is not empty. Choose a new folder.")
    temporary = output.with_name(f".{output.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.mkdir(parents=True)
    try:
        exporter.write(checkpoint, Path(home), temporary)
        if output.exists():
            output.rmdir()
        temporary.rename(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return files_of(output)


# -------------------------------------------------------------------- PEFT


def write_peft(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The folder that `peft.PeftModel.from_pretrained` reads; a prefix becomes PEFT's own prefix tuning."""
    adapter = read_adapter(checkpoint.path, checkpoint.sha256)
    if isinstance(adapter, FullAdapter):
        raise CheckpointError(
            f"{checkpoint.name!r} changes every weight, so it is no adapter. Export it as merged weights."
        )
    if isinstance(adapter, PrefixAdapter):
        _write_prefix(adapter, checkpoint, folder)
    else:
        adapter.write(folder)
    write_text(folder / "README.md", _card(checkpoint))
    if notes := notes_of(checkpoint):  # `import_peft` takes them back
        write_examples(folder / NOTES, notes)


def _write_prefix(adapter: PrefixAdapter, checkpoint: Checkpoint, folder: Path) -> None:
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
        "base_model_name_or_path": checkpoint.base,
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


def _card(checkpoint: Checkpoint) -> str:
    return (
        f"# {checkpoint.name}\n\nMade by Imprint with {checkpoint.method} on {checkpoint.base}, from "
        f"{checkpoint.examples_count} examples.\n\n- base model sha256: `{checkpoint.base_sha256}`\n"
        f"- system prompt: {json.dumps(checkpoint.system_prompt, ensure_ascii=False)}\n{checkpoint.note}\n"
    )


# -------------------------------------------------------------------- merged weights


def write_merged(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """A model folder of its own, which transformers (and Imprint, as a base) opens without any adapter."""
    base = merged(checkpoint, home)
    base.model.bfloat16().save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)
    write_text(folder / "README.md", _card(checkpoint))
    base.close()


def merged(checkpoint: Checkpoint, home: Path) -> BaseModel:
    """The base in float32 on the CPU with the checkpoint's change in its own weights."""
    adapter = read_adapter(checkpoint.path, checkpoint.sha256)
    if isinstance(adapter, PrefixAdapter):
        raise CheckpointError(
            f"{checkpoint.name!r} was made with {checkpoint.method}: it stands before the prompt and changes "
            "no weight, so there is nothing to merge. Export it as 'peft', or tune with lora."
        )
    base = BaseModel.open(checkpoint.base, home, device="cpu")
    if base.sha256 != checkpoint.base_sha256:
        raise CheckpointError(
            f"{checkpoint.name!r} was tuned from {checkpoint.base!r} ({checkpoint.base_sha256[:12]}), but "
            f"what is there now is another ({base.sha256[:12]}). Restore that model to export."
        )
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


# -------------------------------------------------------------------- GGUF and Ollama


def write_gguf(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """One file for llama.cpp and what is built on it, in float16."""
    from tuning.checkpoints.gguf_writer import write_llama  # the gguf package is needed for nothing else

    base = merged(checkpoint, home)
    write_llama(base, folder / f"{checkpoint.name}.gguf", title=checkpoint.name)
    base.close()


def write_ollama(checkpoint: Checkpoint, home: Path, folder: Path) -> None:
    """The GGUF with a Modelfile: `ollama create NAME -f Modelfile` in the folder."""
    write_gguf(checkpoint, home, folder)
    write_text(folder / "Modelfile", modelfile(checkpoint, Template.read(checkpoint.base, home)))


def modelfile(checkpoint: Checkpoint, base: Template) -> str:
    """Ollama's description of the model: file, stops, system prompt, and the template where it is ChatML."""
    stops = [base.tokenizer.convert_ids_to_tokens(i) for i in checkpoint.stop_ids or base.stop_ids]
    system = checkpoint.system_prompt or _default_system(base)
    lines = [f"FROM ./{checkpoint.name}.gguf"]
    if "<|im_start|>" in str(base.tokenizer.chat_template):
        lines.append(f'TEMPLATE """{CHATML}"""')
    if system:
        quoted = system.replace('"""', "'''")
        lines.append(f'SYSTEM """{quoted}"""')
    lines += [f'PARAMETER stop "{stop}"' for stop in stops]
    lines.append("PARAMETER temperature 0")
    return "\n".join(lines) + "\n"


CHATML = (
    "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}"
    "<|im_start|>assistant\n"
)


def _default_system(base: Template) -> str:
    """What the template itself puts in front where a conversation has no system prompt."""
    text = render_chat(base.name, base.tokenizer, [{"role": "user", "content": "q"}])
    begin, end = "<|im_start|>system\n", "<|im_end|>"
    return text.split(begin, 1)[1].split(end, 1)[0] if begin in text else ""


EXPORTERS: dict[str, Exporter] = {
    entry.name: entry
    for entry in (
        Exporter("peft", "PEFT adapter folder", write_peft),
        Exporter("merged", "Model folder with merged weights", write_merged),
        Exporter("gguf", "GGUF file for llama.cpp", write_gguf),
        Exporter("ollama", "Ollama folder", write_ollama),
    )
}
