"""What a Hugging Face hub holds of a model, and what it refuses in words. It fetches no file: `download` does."""

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from tuning.errors import ModelError
from tuning.models.sources import MODEL_FILES

_SECONDS = 15.0  # for an answer about a repository
_PREFERRED = (
    "Q4_K_M",
    "Q4_K_S",
    "Q4_0",
    "Q5_K_M",
    "Q8_0",
    "F16",
)  # where a repository has several GGUF files


@dataclass(frozen=True)
class HubFile:
    """One file of a repository."""

    path: str
    size: int
    sha256: str  # of large files; empty where the hub names none
    blob: str  # git's hash of a small one


@dataclass(frozen=True)
class HubModel:
    """What a hub says of a model: the files that would be fetched, of one revision."""

    name: str
    revision: str
    files: tuple[HubFile, ...]
    license: str
    parameters: int  # 0 where the hub does not know

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def gguf(self) -> HubFile | None:
        """The GGUF file, where the model is one."""
        return next((file for file in self.files if file.path.endswith(".gguf")), None)


def look_up(name: str) -> HubModel:
    """What a hub holds under `owner/name`, or of one GGUF file under `owner/name:Q4_K_M`. Raises ModelError."""
    repository, _, tag = name.partition(":")
    with in_words(name):
        info = HfApi().model_info(repository, files_metadata=True, timeout=_SECONDS)
    files = [
        HubFile(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else "", one.blob_id or "")
        for one in info.siblings or []
        if "/" not in one.rfilename and "\\" not in one.rfilename and not one.rfilename.startswith(".")
    ]
    card: dict[str, Any] = info.card_data.to_dict() if info.card_data else {}
    return HubModel(
        name=name,
        revision=info.sha or "main",
        files=tuple(_chosen(name, files, tag)),
        license=str(card.get("license_name") or card.get("license") or ""),
        parameters=info.safetensors.total if info.safetensors else 0,
    )


def _chosen(name: str, files: list[HubFile], tag: str) -> list[HubFile]:
    """The files that are needed: safetensors with what belongs to them, or one GGUF file. Raises ModelError."""
    ggufs = [one for one in files if one.path.endswith(".gguf") and "mmproj" not in one.path.lower()]
    if not tag and any(one.path.endswith(".safetensors") for one in files):
        return [one for one in files if any(fnmatch(one.path, pattern) for pattern in MODEL_FILES)]
    if tag or ggufs:
        found = _gguf_of(ggufs, tag)
        if found is None:
            there = ", ".join(one.path for one in ggufs[:8]) or "no GGUF file"
            raise ModelError(
                f"The model {name!r} has no whole GGUF file {tag!r} on its hub. It has: {there}."
            )
        return [found]
    kinds = sorted({Path(one.path).suffix for one in files if one.size > 10**6}) or ["no weights"]
    raise ModelError(
        f"The model {name!r} has {', '.join(kinds)} on its hub, and only .safetensors and .gguf are loaded: others "
        "could run any program. Choose another repository of it."
    )


def _gguf_of(files: list[HubFile], tag: str) -> HubFile | None:
    whole = [one for one in files if "-of-0" not in one.path]  # parts are not joined here
    for wanted in (tag,) if tag else _PREFERRED:
        for one in whole:
            if wanted.lower() in (one.path.lower(), Path(one.path).stem.lower()) or _quantised_as(
                one.path, wanted
            ):
                return one
    return None if tag else min(whole, key=lambda one: one.size, default=None)


def _quantised_as(path: str, tag: str) -> bool:
    return Path(path).stem.lower().replace(".", "-").endswith(f"-{tag.lower()}")


@contextlib.contextmanager
def in_words(name: str, after: str = "") -> Iterator[None]:
    """Turn what the hub's library raises into a ModelError of one sentence; `after` ends those of a break."""
    try:
        yield
    except GatedRepoError as error:
        raise ModelError(
            f"The model {name!r} is given only to those who accept its licence. Open its page on Hugging Face, "
            "accept it there, and set HF_TOKEN to a token of your account (or run `hf auth login`)."
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"There is no model {name!r} on Hugging Face, or it is private. Check how it is written; for a private "
            "one set HF_TOKEN."
        ) from error
    except OfflineModeIsEnabled as error:
        raise ModelError(
            f"The model {name!r} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it. Unset it, or choose "
            "a folder or a GGUF file."
        ) from error
    except OSError as error:
        raise ModelError(_of_the_system(name, error, after)) from error
    except HTTPError as error:
        # With a status it is an HfHubHTTPError, and that is an OSError: what is left is the network.
        raise ModelError(
            f"Hugging Face could not be reached for the model {name!r}. Check the network. {after}".strip()
        ) from error
    except ValueError as error:
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise ModelError(
            f"Hugging Face did not give the model {name!r}: {reason.rstrip('.')}. Check the network. {after}".strip()
        ) from error


def _of_the_system(name: str, error: OSError, after: str) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk is full: {name!r} could not be fetched whole. Free some space. {after}".strip()
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return (
            f"Hugging Face refused the model {name!r} with status {error.response.status_code}. Try again later, or "
            f"set HF_TOKEN where it needs an account. {after}".strip()
        )
    reason = str(error).strip().split("\n")[0] or type(error).__name__
    return f"The model {name!r} could not be fetched: {reason.rstrip('.')}. {after}".strip()
