"""From the name that a person gave to where that model lies on this machine. It fetches and converts nothing.

A name is a packaged model, a folder, a GGUF file, `ollama:NAME`, or a Hugging Face id: `owner/name`, and
`owner/name:Q4_K_M` for one of the GGUF files of a repository.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from tuning.errors import ModelError
from tuning.models import ollama
from tuning.models.packaged import PACKAGED, packaged_file
from tuning.storage import read_json

Kind = Literal["package", "folder", "gguf", "ollama", "hub"]
ABOUT = "imprint.json"  # of a converted or fetched model: what it was made from, and its files; written last
# Of a repository, what a model needs: no pickles, no other frameworks.
MODEL_FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "tokenizer*", "*.py", "README.md", "LICENSE*")
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt")
_HUB_NAME = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(:[\w.-]+)?", re.ASCII)


@dataclass(frozen=True)
class ModelSource:
    """A model, and where it lies: a folder of safetensors or a GGUF file; None where it must be fetched first."""

    name: str
    kind: Kind
    path: Path | None

    @property
    def gguf(self) -> Path | None:
        """The GGUF file, where the model is one."""
        return self.path if self.path is not None and self.path.is_file() else None


def find_source(name: str, home: Path) -> ModelSource:
    """Where a model lies. Raises ModelError where the name means nothing, or what it means holds no weights."""
    if name in PACKAGED:
        return ModelSource(name, "package", packaged_file(name))
    if name.startswith(ollama.PREFIX):
        return ModelSource(name, "ollama", ollama.find(name).file)
    path = _existing(name)
    if path is not None and path.is_file():
        return ModelSource(name, "gguf", path)
    if path is not None:
        return ModelSource(name, "folder", _weights_in(name, path))
    if is_hub_name(name):
        return ModelSource(name, "hub", _fetched(name, home))
    raise ModelError(
        f"There is no model {name!r}: it is no packaged model ({', '.join(PACKAGED)}), no folder or GGUF file on "
        "this machine, and no Hugging Face id (owner/name)."
    )


def _existing(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path.resolve() if name and path.exists() else None
    except (OSError, RuntimeError, ValueError):  # too long for a path, or the home of nobody
        return None


def is_hub_name(name: str) -> bool:
    """Whether a name can be a Hugging Face id."""
    return _HUB_NAME.fullmatch(name) is not None and ".." not in name


def hub_folder(name: str, home: Path) -> Path:
    """Where a model from a hub is kept in this home."""
    return home / "models" / "hub" / name.replace("/", "--").replace(":", "--")


def _fetched(name: str, home: Path) -> Path | None:
    """What this home, or the cache that other programs share, holds of a hub's model, if all of it."""
    folder = hub_folder(name, home)
    if (folder / ABOUT).is_file():
        return _weights_in(name, folder)
    if ":" in name:
        return None
    try:
        cached = Path(snapshot_download(name, allow_patterns=list(MODEL_FILES), local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None
    return cached if _is_whole(cached) else None


def _is_whole(folder: Path) -> bool:
    index = read_json(folder / "model.safetensors.index.json").get("weight_map")
    files = set(index.values()) if isinstance(index, dict) else {"model.safetensors"}
    return (folder / "config.json").is_file() and all((folder / str(file)).is_file() for file in files)


def _weights_in(name: str, folder: Path) -> Path:
    """The folder where it holds safetensors, or its one GGUF file. Raises ModelError."""
    if any(folder.glob("*.safetensors")):
        if (folder / "config.json").is_file():
            return folder
        raise ModelError(
            f"The folder {folder} has weights and no config.json, so it is no whole model. Copy it again."
        )
    files = sorted(folder.glob("*.gguf"))
    if len(files) == 1:
        return files[0].resolve()
    if files:
        raise ModelError(
            f"The folder {folder} holds {len(files)} GGUF files. "
            f"Choose one: {', '.join(one.name for one in files[:5])}."
        )
    if pickles := [one.name for pattern in _PICKLES for one in folder.glob(pattern)]:
        raise ModelError(
            f"The model {name!r} has its weights as pickles alone ({sorted(pickles)[0]}), which could run any "
            "program, so they are not loaded: only .safetensors and .gguf are. Save it again with `save_pretrained`."
        )
    raise ModelError(
        f"The model {name!r} has no .safetensors weights in {folder}; only those, and one .gguf file, are loaded."
    )
