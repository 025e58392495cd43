"""Adapter folders that other programs wrote with PEFT → checkpoints. Reads safetensors and JSON alone."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from safetensors.torch import load_file

from tuning.checkpoints.export_peft import SKILLS_FILE
from tuning.checkpoints.manifest import NOTES, Checkpoint, Manifest, checked_name
from tuning.checkpoints.registry import Registry
from tuning.checkpoints.tensor_checks import check_tensors
from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.data.examples import read_examples
from tuning.errors import CheckpointError
from tuning.models.adapter_files import PEFT_CONFIG, PEFT_WEIGHTS
from tuning.models.adapters import Adapter, PeftAdapter, PrefixAdapter, read_adapter
from tuning.models.low_rank_sum import begins_with, without_first
from tuning.models.packaged import PACKAGED
from tuning.models.peft_config import check_ranks, known_options, read_config, read_shapes
from tuning.storage import write_json

METHOD_OF = {"LORA": "lora", "ADALORA": "adalora", "IA3": "ia3", "PREFIX_TUNING": "prefix-tuning"}
# What PEFT and torch raise for weights that are not those of this base.
MISFITS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class OpenBase(Protocol):
    """What is needed of an open `tuning.models.base_model.BaseModel`."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def template_fingerprint(self) -> str: ...
    @property
    def stop_ids(self) -> tuple[int, ...]: ...
    def add_adapter(self, name: str, adapter: Adapter) -> object: ...
    def unload(self, name: str) -> None: ...


def import_peft(
    registry: Registry, folder: Path, name: str, base: OpenBase, *, other_base: bool = False
) -> Checkpoint:
    """Store a foreign PEFT adapter folder as a checkpoint, once it is proved to change this base's answers.

    `other_base` accepts an adapter that names another base; its shapes must fit. Raises `CheckpointError`.
    """
    folder, name = Path(folder), checked_name(name)
    config = _config(folder)
    _check_base(config, base, other_base)
    cleaned_config = known_options(config, folder)
    _check_weights(folder, config)
    with tempfile.TemporaryDirectory() as place:
        cleaned = Path(place)
        write_json(cleaned / PEFT_CONFIG, cleaned_config)
        shutil.copyfile(folder / PEFT_WEIGHTS, cleaned / PEFT_WEIGHTS)
        check_tensors(load_file(folder / PEFT_WEIGHTS), folder)
        adapter = (
            _prefix(cleaned, config) if config["peft_type"] == "PREFIX_TUNING" else read_adapter(cleaned)
        )
    if base.name == DEFAULT_BASE and isinstance(adapter, PeftAdapter):
        adapter = _without_skills(adapter, folder)
    trial = f"import of {name}"
    try:
        base.add_adapter(trial, adapter)  # raises where it does not fit, or does nothing
    except MISFITS as error:
        raise CheckpointError(
            f"The adapter in {folder} does not fit {base.name!r}: {str(error).partition(chr(10))[0][:300]}. "
            "Choose the base it was tuned from."
        ) from error
    finally:
        base.unload(trial)
    manifest = Manifest(
        name=name,
        method=METHOD_OF[config["peft_type"]],
        base=base.name,
        base_sha256=base.sha256,
        template_fingerprint=base.template_fingerprint,
        stop_ids=base.stop_ids,
        config={"imported": True, "named_base": config.get("base_model_name_or_path") or ""},
        note=f"Imported from {folder.name}.",
        notes=read_examples(folder / NOTES) if (folder / NOTES).is_file() else None,
    )
    return registry.save(manifest, adapter.write)


def _config(folder: Path) -> dict[str, Any]:
    if not (folder / PEFT_CONFIG).is_file():
        raise CheckpointError(
            f"{folder} is no PEFT adapter: it has no {PEFT_CONFIG!r}. Choose another folder."
        )
    return read_config(folder)


def _check_weights(folder: Path, config: Mapping[str, Any]) -> None:
    path = folder / PEFT_WEIGHTS
    if not path.is_file():
        others = sorted(
            p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt")
        )
        found = (
            f"{others[0]!r} is in a format that can run code when it is read" if others else "there is none"
        )
        raise CheckpointError(
            f"{folder} needs weights in {PEFT_WEIGHTS!r}: {found}. "
            "Let its author save it with safe_serialization=True."
        )
    check_ranks(config, read_shapes(folder), folder)


def _check_base(config: Mapping[str, Any], base: OpenBase, other_base: bool) -> None:
    named = str(config.get("base_model_name_or_path") or "")
    own = {_short(base.name), _short(PACKAGED[base.name].hub) if base.name in PACKAGED else ""}
    if named and not other_base and _short(named) not in own:
        raise CheckpointError(
            f"This adapter was trained on {named!r}, but {base.name!r} is open. Open that base, or say that "
            "they are the same model (--same-base)."
        )


def _without_skills(adapter: PeftAdapter, folder: Path) -> PeftAdapter:
    """The adapter of a checkpoint that was exported here, without what the base has already.

    Its weights tell it: the file that says so is easily left behind where an adapter is passed on.
    """
    skills = PACKAGED[DEFAULT_BASE]
    if skills.adapter is None:
        return adapter
    shipped = read_adapter(skills.adapter.folder, skills.adapter.sha256)
    if isinstance(shipped, PeftAdapter) and begins_with(adapter, shipped):
        return without_first(adapter, int(read_config(skills.adapter.folder)["r"]))
    if (folder / SKILLS_FILE).is_file():
        raise CheckpointError(
            f"The adapter in {folder} holds the skills of another version of Imprint, which {DEFAULT_BASE!r} has of "
            f"its own. Open {PLAIN_BASE!r} to import it."
        )
    return adapter


def _short(name: str) -> str:
    return name.rstrip("/").replace("\\", "/").rsplit("/", 1)[-1].casefold()


def _prefix(folder: Path, config: Mapping[str, Any]) -> PrefixAdapter:
    """PEFT stores the keys and values of all layers as one (tokens, layers × 2 × heads × size) table."""
    table = load_file(folder / PEFT_WEIGHTS).get("prompt_embeddings")
    layers, heads = int(config.get("num_layers") or 0), int(config.get("num_attention_heads") or 0)
    if table is None or table.ndim != 2 or not layers or not heads or table.shape[1] % (2 * layers * heads):
        raise CheckpointError(f"{folder} holds no prefix of {layers} layers and {heads} heads.")
    kv = table.view(table.shape[0], layers, 2, heads, -1).permute(1, 2, 3, 0, 4).contiguous()
    details = {"method": "prefix-tuning", "virtual_tokens": table.shape[0]}
    return PrefixAdapter(tuple(kv), details, {})
