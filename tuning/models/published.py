"""Under which name others find a base model, and under which licence it is published. It asks no hub."""

from pathlib import Path

from tuning.errors import ModelError
from tuning.models.known import KNOWN
from tuning.models.packaged import PACKAGED
from tuning.models.sources import find_source, is_hub_name

_FILES = ("LICENSE*", "LICENCE*", "COPYING*")


def published_name(base: str, home: Path) -> str:
    """The Hugging Face id of a base's unquantised weights; empty where none is known."""
    if base in PACKAGED:
        return PACKAGED[base].hub
    of_file = next((model.name for model in KNOWN if base in (model.name, model.gguf)), "")
    if of_file or ":" in base or not is_hub_name(base):
        return of_file
    return base if _kind(base, home) == "hub" else ""  # a folder here may have such a name


def license_of(base: str, home: Path) -> str:
    """The licence as the list of models has it, such as "Apache-2.0"; empty where it is not known."""
    names = (base, published_name(base, home))
    return next((model.license for model in KNOWN if model.name in names), "")


def license_text(base: str, home: Path) -> str:
    """The licence file beside the weights; empty where there is none."""
    try:
        path = find_source(base, home).path
    except ModelError:
        return ""
    folder = path if path is not None and path.is_dir() else None
    found = [file for pattern in _FILES for file in sorted(folder.glob(pattern))] if folder else []
    return found[0].read_text(encoding="utf-8", errors="replace") if found else ""


def is_quantised(base: str, home: Path) -> bool:
    """Whether a base is opened from a GGUF file, whose weights are not quite those that were published."""
    return _kind(base, home) in ("package", "gguf", "ollama") or ":" in base


def _kind(base: str, home: Path) -> str:
    try:
        source = find_source(base, home)
    except ModelError:
        return ""
    return "gguf" if source.gguf is not None else source.kind
