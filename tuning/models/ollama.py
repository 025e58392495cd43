"""The models that Ollama has fetched on this machine: its manifests name a GGUF file among its blobs.

Nothing is written there, and Ollama need not run. OLLAMA_MODELS names the folder, as it does for Ollama.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuning.errors import ModelError
from tuning.storage import read_json

PREFIX = "ollama:"
_MODEL, _ADAPTER, _LICENSE = (
    f"application/vnd.ollama.image.{kind}" for kind in ("model", "adapter", "license")
)
_REGISTRY, _LIBRARY, _LATEST = "registry.ollama.ai", "library", "latest"


@dataclass(frozen=True)
class OllamaModel:
    """One model of Ollama's, by the name that Ollama shows."""

    name: str
    file: Path
    license: str  # the first line of it
    has_adapter: bool


def folders() -> list[Path]:
    """Where Ollama may keep its models: its variable, the user's folder, the service's."""
    named = os.environ.get("OLLAMA_MODELS", "").strip()
    usual = [Path.home() / ".ollama" / "models", Path("/usr/share/ollama/.ollama/models")]
    return [Path(named).expanduser()] if named else usual


def models() -> list[OllamaModel]:
    """What Ollama has on this machine; manifests that cannot be read are left out."""
    return [model for folder in folders() for model in _models_in(folder)]


def find(name: str) -> OllamaModel:
    """The model of this name, with or without `ollama:` and tag. Raises ModelError."""
    wanted = name.removeprefix(PREFIX)
    known = models()
    for model in known:
        if wanted in (model.name, model.name.removesuffix(f":{_LATEST}")):
            return _checked(model)
    there = ", ".join(model.name for model in known[:8]) or f"none in {', '.join(map(str, folders()))}"
    raise ModelError(
        f"Ollama has no model {wanted!r} on this machine. It has: {there}. Fetch it with `ollama pull {wanted}`."
    )


def _checked(model: OllamaModel) -> OllamaModel:
    if model.has_adapter:
        raise ModelError(
            f"Ollama's model {model.name!r} is another model with an adapter, which is not read here. "
            "Choose the model that it was made from."
        )
    if not model.file.is_file():
        raise ModelError(
            f"Ollama's model {model.name!r} is not whole: {model.file} is missing. "
            f"Fetch it again with `ollama pull {model.name}`."
        )
    return model


def _models_in(folder: Path) -> Iterator[OllamaModel]:
    manifests = folder / "manifests"
    try:
        paths = sorted(path for path in manifests.rglob("*") if path.is_file())
    except OSError:  # the service's folder may be closed to others
        return
    for path in paths:
        layers = read_json(path).get("layers")
        if isinstance(layers, list):
            yield from _of_layers(folder, path.relative_to(manifests), layers)


def _of_layers(folder: Path, path: Path, layers: list[object]) -> Iterator[OllamaModel]:
    blobs: dict[str, Path] = {}
    for layer in layers:
        if isinstance(layer, dict) and isinstance(digest := layer.get("digest"), str):
            # The digest comes from a file: as a name it must not lead out of the folder.
            blobs.setdefault(
                str(layer.get("mediaType")), folder / "blobs" / Path(digest.replace(":", "-")).name
            )
    if _MODEL in blobs and len(path.parts) >= 2:
        *owner, model, tag = (part for part in path.parts if part not in (_REGISTRY, _LIBRARY))
        name = "/".join([*owner, f"{model}:{tag}"])
        yield OllamaModel(name, blobs[_MODEL], _first_line(blobs.get(_LICENSE)), _ADAPTER in blobs)


def _first_line(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return next((line.strip()[:80] for line in file if line.strip()), "")
    except OSError:
        return ""
