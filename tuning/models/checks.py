"""A model is looked at before it is fetched, converted or opened: what it is, what it needs, whether that is here.

It raises ModelError where the model can never be used; what is merely scarce now stands in the report.
"""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from tuning.errors import ModelError
from tuning.models import ollama
from tuning.models.conversion import check_convertible
from tuning.models.gguf_header import GgufHeader, read_header
from tuning.models.loading import without_template
from tuning.models.memory import available_bytes, chat_bytes, tune_bytes
from tuning.models.model_code import may_run_code
from tuning.models.shape import ModelShape, read_config, shape_of_folder, shape_of_gguf
from tuning.models.sources import Kind, ModelSource, find_source
from tuning.models.speed import tokens_per_second
from tuning.models.template_process import PROCESS
from tuning.models.weights import converted_folder

_TRIAL = ({"role": "user", "content": "a"}, {"role": "assistant", "content": "b"})
_LICENSE = re.compile(r"^license(?:_name)?:\s*(\S[^\n]*)$", re.MULTILINE)
_CARD_CHARACTERS = 20_000
_MARGIN = 50_000_000  # bytes of disk beside the weights


@dataclass(frozen=True)
class ModelReport:
    """What a model is and needs on this machine. Sizes are bytes."""

    name: str
    kind: Kind
    architecture: str
    parameters: int
    window: int
    license: str  # empty where nothing names one
    is_here: bool
    download_bytes: int  # still to be fetched
    convert_bytes: int  # of disk, once, before it can be tuned
    chat_bytes: int
    tune_bytes: int
    free_bytes: int
    disk_free: int
    tokens_per_second: float  # about, when it answers here
    cannot_tune: str = ""  # why, where it can only chat

    @property
    def fits_chat(self) -> bool:
        """Whether the memory that is free now is enough to chat."""
        return self.chat_bytes <= self.free_bytes

    @property
    def fits_tune(self) -> bool:
        """Whether it can be tuned here with the memory that is free now."""
        return not self.cannot_tune and self.tune_bytes <= self.free_bytes

    @property
    def fits_disk(self) -> bool:
        """Whether it can be fetched onto the disk of the home."""
        return self.download_bytes <= self.disk_free

    def to_dict(self) -> dict[str, Any]:
        """All fields, and what fits, for JSON."""
        fits = {name: getattr(self, name) for name in ("fits_chat", "fits_tune", "fits_disk")}
        return {**asdict(self), **fits}


def check_model(name: str, home: Path) -> ModelReport:
    """Look at a model that is on this machine. Raises ModelError; one that must be fetched is `hub`'s to look at."""
    source = find_source(name, home)
    if source.kind == "package" and (folder := converted_folder(source, home)) is not None:
        return report_of_folder(source, folder, home)
    if source.path is None:
        raise ModelError(f"The model {name!r} is not on this machine, so there is nothing to look at yet.")
    if source.gguf is not None:
        return report_of_gguf(source, read_header(source.gguf), home)
    return report_of_folder(source, source.path, home)


def report_of_folder(source: ModelSource, folder: Path, home: Path) -> ModelReport:
    """The report of a folder with config.json, tokenizer and safetensors. Raises ModelError."""
    check_config(source.name, folder, home)
    return make_report(source, shape_of_folder(source.name, folder), license_of(folder), home)


def make_report(
    source: ModelSource,
    shape: ModelShape,
    license_: str,
    home: Path,
    *,
    weights: int | None = None,
    download: int = 0,
    convert: int = 0,
    cannot_tune: str = "",
) -> ModelReport:
    """A report from the sizes; `weights` are bytes of a file that is opened as it is."""
    return ModelReport(
        name=source.name,
        kind=source.kind,
        architecture=shape.architecture,
        parameters=shape.parameters,
        window=shape.window,
        license=license_,
        is_here=source.path is not None,
        download_bytes=download,
        convert_bytes=convert,
        chat_bytes=chat_bytes(shape, weights),
        tune_bytes=tune_bytes(shape),
        free_bytes=available_bytes(),
        disk_free=disk_free(home),
        tokens_per_second=tokens_per_second(weights or 2 * shape.parameters),
        cannot_tune=cannot_tune,
    )


def report_of_gguf(
    source: ModelSource, header: GgufHeader, home: Path, *, size: int | None = None, download: int = 0
) -> ModelReport:
    """The report of a GGUF file, of which `size` bytes are to be fetched where it is not here. Raises ModelError."""
    if not header.chat_template:
        raise ModelError(without_template(source.name))
    check_template(source.name, header.chat_template)
    try:
        check_convertible(header)
        cannot_tune = ""
    except ModelError as error:
        cannot_tune = str(error)
    is_converted = converted_folder(source, home) is not None
    return make_report(
        source,
        shape_of_gguf(header),
        _license_of_gguf(source, header),
        home,
        weights=header.path.stat().st_size if size is None else size,
        download=download,
        convert=0 if is_converted or cannot_tune else 2 * header.parameters + _MARGIN,
        cannot_tune=cannot_tune,
    )


def _license_of_gguf(source: ModelSource, header: GgufHeader) -> str:
    if named := header.fields.get("general.license"):
        return str(named)
    return ollama.find(source.name).license if source.kind == "ollama" else ""


def check_config(name: str, folder: Path, home: Path) -> None:
    """Raise ModelError where the files beside the weights are no chat model that can be opened here."""
    config = read_config(name, folder)
    kind = config.get("model_type")
    if not may_run_code(name, folder, home) and kind not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        known = (
            "is no model that writes text" if kind in CONFIG_MAPPING else "is not known to this transformers"
        )
        raise ModelError(
            f"The model {name!r} is of the architecture {kind!r}, which {known}. Choose another model"
            f"{'' if kind in CONFIG_MAPPING else ', or update transformers'}."
        )
    if isinstance(quantised := config.get("quantization_config"), dict):
        raise ModelError(
            f"The model {name!r} is kept in fewer bits ({quantised.get('quant_method', 'unknown')!r}), which cannot be "
            "tuned here. Choose the model that it was made from, or a GGUF file of it."
        )
    template, tokens = template_of(name, folder)
    if not template:
        raise ModelError(without_template(name))
    check_template(name, template, tokens)


def template_of(name: str, folder: Path) -> tuple[str, dict[str, str]]:
    """The chat template in a model's folder, empty where there is none, and the special tokens it may use."""
    path = folder / "chat_template.jinja"
    settings = _read_object(folder / "tokenizer_config.json")
    tokens = {key: text for key in ("bos_token", "eos_token") if (text := _token_text(settings.get(key)))}
    if path.is_file():
        return path.read_text(encoding="utf-8", errors="replace"), tokens
    template = settings.get("chat_template") or _read_object(folder / "chat_template.json").get(
        "chat_template"
    )
    if isinstance(template, list):  # several by name
        named = {one.get("name"): one.get("template") for one in template if isinstance(one, dict)}
        template = named.get("default")
    return template if isinstance(template, str) else "", tokens


def check_template(name: str, template: str, tokens: Mapping[str, str] | None = None) -> None:
    """Render a short conversation, in the process for foreign templates. Raises ModelError where that fails."""
    marks = {"bos_token": "", "eos_token": "", **(tokens or {})}
    try:
        PROCESS.render(template, _TRIAL, marks, add_generation_prompt=False)
        PROCESS.render(template, _TRIAL[:1], marks, add_generation_prompt=True)
    except ModelError as error:
        raise ModelError(
            f"The chat template of {name!r} cannot be used: {str(error).rstrip('. ')}. Choose another model, or "
            "mend its template."
        ) from error


def license_of(folder: Path) -> str:
    """The licence that a model's card names; empty where it names none."""
    try:
        card = (folder / "README.md").read_text(encoding="utf-8", errors="replace")[:_CARD_CHARACTERS]
    except OSError:
        return ""
    found = _LICENSE.findall(card.split("\n---", 1)[0])
    return found[-1].strip("\"' ") if found else ""


def disk_free(home: Path) -> int:
    """The free bytes of the disk where a home lies, or will lie."""
    place = next(one for one in (home, *home.parents) if one.exists())
    return shutil.disk_usage(place).free


def _read_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _token_text(token: object) -> str:
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""
