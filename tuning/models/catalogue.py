"""The base models that can be chosen: packaged, on this machine, or on a hub; what each needs, and which is best here.

It opens nothing: a model is opened by `tuning.models.base_model`.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from tuning.errors import ModelError
from tuning.models import ollama
from tuning.models.checks import license_of
from tuning.models.gguf_header import read_header
from tuning.models.known import KNOWN, KnownModel
from tuning.models.memory import available_bytes, chat_bytes, tune_bytes
from tuning.models.packaged import PACKAGED
from tuning.models.shape import ModelShape, shape_of_folder, shape_of_gguf
from tuning.models.sources import ABOUT, Kind, ModelSource, find_source
from tuning.models.speed import tokens_per_second, training_token_seconds
from tuning.storage import read_json

log = logging.getLogger(__name__)
FLUENT = 8.0  # tokens a second: about as fast as a person reads
_TUNED_OF_MEMORY = 0.8  # of what is free: an estimate may be off by a quarter
_JOB_TOKENS, _PATIENCE_SECONDS = 128_000, 1800.0  # of a job on twenty facts, and what a person waits for one


@dataclass(frozen=True)
class CatalogueEntry:
    """One base model a person can choose. Sizes are bytes, on this machine."""

    name: str
    title: str
    source: Kind
    parameters: int
    window: int
    at_hand: bool
    chat_bytes: int
    tune_bytes: int
    fits_chat: bool
    fits_tune: bool
    license: str
    languages: str = ""
    download_bytes: int = 0  # still to be fetched
    gguf: str = ""  # the same model in fewer bits, for chat alone
    gguf_bytes: int = 0
    speaks_chinese: bool = False
    is_gated: bool = False
    tokens_per_second: float = 0.0  # about, when it answers here
    job_seconds: float = 0.0  # about, to learn twenty facts here

    @property
    def chat_download_bytes(self) -> int:
        """What is fetched to chat with it: the file in fewer bits where there is one."""
        return self.gguf_bytes or self.download_bytes


@dataclass(frozen=True)
class Recommendation:
    """The best of the catalogue for this machine; None where nothing but the default fits."""

    chat: CatalogueEntry | None
    tune: CatalogueEntry | None


def catalogue(home: Path) -> list[CatalogueEntry]:
    """Every known model, and every model found on this machine, with what it needs and whether that fits."""
    known = {model.name for model in KNOWN}
    return [_known_entry(model, home) for model in KNOWN] + [
        entry for entry in _found(home) if entry.name not in known
    ]


def recommend(entries: Sequence[CatalogueEntry]) -> Recommendation:
    """What would answer best here at a reading pace, and what is best to tune: the last of a growing list that fit."""
    known = [entry for entry in entries if not entry.is_gated and entry.source != "package"]
    offered = [entry for entry in known if entry.name in {model.name for model in KNOWN}]
    chats = [one for one in offered if one.fits_chat and one.tokens_per_second >= FLUENT]
    # Layers that keep a state instead of keys and values take no prefix, and are slow without kernels of their own.
    plain = {model.name for model in KNOWN if not model.shape.kv_layers}
    tunes = [
        one
        for one in offered
        if one.name in plain
        and one.tune_bytes <= _TUNED_OF_MEMORY * available_bytes()
        and one.job_seconds <= _PATIENCE_SECONDS
    ]
    return Recommendation(chats[-1] if chats else None, tunes[-1] if tunes else None)


def _known_entry(model: KnownModel, home: Path) -> CatalogueEntry:
    source = find_source(model.name, home)
    is_package = model.name in PACKAGED
    at_hand = source.path is not None or (is_package and (home / "models" / model.name / ABOUT).is_file())
    return _entry(
        ModelSource(model.name, source.kind, source.path if at_hand else None),
        model.shape,
        home,
        title=model.title,
        license_=model.license,
        at_hand=at_hand,
        known=model,
    )


def _entry(
    source: ModelSource,
    shape: ModelShape,
    home: Path,
    *,
    title: str,
    license_: str,
    at_hand: bool = True,
    known: KnownModel | None = None,
) -> CatalogueEntry:
    offers_gguf = known is not None and known.gguf != "" and find_source(known.gguf, home).path is None
    weights = (known.gguf_bytes if known else 0) or 2 * shape.parameters
    if source.gguf is not None:
        weights = source.gguf.stat().st_size
    chat, tune, free = chat_bytes(shape, weights), tune_bytes(shape), available_bytes()
    return CatalogueEntry(
        name=source.name,
        title=title,
        source=source.kind,
        parameters=shape.parameters,
        window=shape.window,
        at_hand=at_hand,
        chat_bytes=chat,
        tune_bytes=tune,
        fits_chat=chat <= free,
        fits_tune=tune <= free,
        license=license_,
        languages=known.languages if known else "",
        download_bytes=0 if at_hand else 2 * shape.parameters,
        gguf=known.gguf if known and offers_gguf else "",  # one that is here is an entry of its own
        gguf_bytes=known.gguf_bytes if known else 0,
        speaks_chinese=known is not None and known.speaks_chinese,
        is_gated=known is not None and known.is_gated,
        tokens_per_second=tokens_per_second(weights),
        job_seconds=_JOB_TOKENS
        * training_token_seconds(shape, "cuda" if torch.cuda.is_available() else "cpu"),
    )


def _found(home: Path) -> Iterator[CatalogueEntry]:
    """Models on this machine that no list knows: folders and GGUF files under the home, fetched ones, Ollama's."""
    for name, title in [
        *_names_in_home(home),
        *((f"{ollama.PREFIX}{one.name}", one.name) for one in ollama.models()),
    ]:
        try:
            yield _local_entry(find_source(name, home), title, home)
        except (ModelError, OSError) as error:
            log.warning("%s is left out: %s", name, error)


def _names_in_home(home: Path) -> Iterator[tuple[str, str]]:
    models = home / "models"
    for about in sorted(models.glob("hub/*/" + ABOUT)):
        if not about.parent.name.endswith(".partial") and isinstance(
            name := read_json(about).get("name"), str
        ):
            yield name, name
    for path in sorted(models.glob("*.gguf")):
        yield str(path), path.stem
    for config in sorted(models.glob("*/config.json")):
        folder = config.parent
        if folder.name not in PACKAGED and not folder.name.startswith("."):
            yield _name_of(folder)


def _name_of(folder: Path) -> tuple[str, str]:
    """A converted GGUF file goes by its own name as long as it is there."""
    about = read_json(folder / ABOUT)
    name, file = about.get("name"), about.get("file")
    if isinstance(name, str) and isinstance(file, str) and Path(file).is_file():
        return name, Path(file).stem if Path(name).suffix == ".gguf" else name
    return str(folder), str(about.get("source") or folder.name)


def _local_entry(source: ModelSource, title: str, home: Path) -> CatalogueEntry:
    if source.path is None:
        raise ModelError(f"{source.name} is not on this machine.")
    if source.gguf is None:
        return _entry(
            source,
            shape_of_folder(source.name, source.path),
            home,
            title=title,
            license_=license_of(source.path),
        )
    header = read_header(source.gguf)
    license_ = str(header.fields.get("general.license", ""))
    if source.kind == "ollama":
        license_ = license_ or ollama.find(source.name).license
    return _entry(source, shape_of_gguf(header), home, title=title, license_=license_)
