"""Code that comes with a model: refused, unless a person allowed just these files of this model by their hash.

It runs and loads nothing. Allowed are the hashes in IMPRINT_ALLOWED_MODEL_CODE (with commas between), and what the
file `models/allowed_code.json` of the home says: model → hash. `imprint models allow` writes that file.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from transformers import CONFIG_MAPPING

from tuning.errors import ModelError
from tuning.storage import write_json

ALLOWED_FILE = "allowed_code.json"
VARIABLE = "IMPRINT_ALLOWED_MODEL_CODE"
_CONFIGS = ("config.json", "tokenizer_config.json")
_MOST_BYTES = 64 * 2**20


def may_run_code(name: str, folder: Path, home: Path) -> bool:
    """Whether this model's own code was allowed. Raises ModelError where it needs code and nobody allowed it."""
    references = [one for config in _CONFIGS for one in _references(name, folder / config)]
    if not references:
        return False
    digest = code_sha256(folder)
    if is_allowed(name, folder, home):
        return True
    if _read(name, folder / "config.json").get("model_type") in CONFIG_MAPPING:
        return False  # transformers has classes of its own for it
    raise _refusal(name, folder, home, references, digest)


def is_allowed(name: str, folder: Path, home: Path) -> bool:
    """Whether a person allowed the code that lies in this folder now, and none is taken from elsewhere."""
    return code_sha256(folder) in _allowed(name, home) and not any(
        "--" in one for one in _all_references(name, folder)
    )


def code_folder(name: str, home: Path) -> Path:
    """Where a model's files lie on this machine. Raises ModelError where it was not fetched yet."""
    for folder in (Path(name).expanduser(), home / "models" / name):
        if folder.is_dir():
            return folder.absolute()
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ModelError(
            f"The model {name!r} is not on this machine: no folder has this name, and it was not fetched from a "
            "hub. Give its folder."
        ) from error


def allow(name: str, home: Path) -> str:
    """Allow the code that this model has now, and no other; returns its hash. Raises ModelError."""
    folder = code_folder(name, home)
    if not any(folder.rglob("*.py")):
        raise ModelError(f"The model {name!r} in {folder} has no code of its own: there is nothing to allow.")
    if foreign := [one for one in _all_references(name, folder) if "--" in one]:
        raise ModelError(
            f"The model {name!r} takes its code from elsewhere ({foreign[0]!r}), which cannot be allowed by a hash. "
            "Choose another model."
        )
    digest = code_sha256(folder)
    path = home / "models" / ALLOWED_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {**_read(name, path), name: digest})
    return digest


def code_sha256(folder: Path) -> str:
    """One hash for all Python files of a model's folder, with their names."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _refusal(name: str, folder: Path, home: Path, references: list[str], digest: str) -> ModelError:
    needs = f"The model {name!r} needs code of its own ({references[0]!r}), which could do anything on this machine"
    if foreign := [one for one in references if "--" in one]:
        return ModelError(
            f"{needs}, and takes it from elsewhere ({foreign[0]!r}). It is not opened; choose another model."
        )
    return ModelError(
        f"{needs}. It is not opened. Choose another model; or, once you have read the .py files in {folder} and "
        f"trust them, `imprint models allow {name}`, which writes {json.dumps({name: digest})} into "
        f"{home / 'models' / ALLOWED_FILE}."
    )


def _all_references(name: str, folder: Path) -> Iterator[str]:
    """What any configuration in the folder names as code: `auto_map`, and the modules of sentence-transformers."""
    for config in _CONFIGS:
        for path in folder.rglob(config):
            yield from _references(name, path)
    modules = folder / "modules.json"
    if modules.is_file():
        yield from re.findall(
            r'"type"\s*:\s*"([^"]*)"', modules.read_text(encoding="utf-8", errors="replace")
        )


def _references(name: str, path: Path) -> Iterator[str]:
    """What the `auto_map` of a configuration names: module.Class, with "repository--" before code from elsewhere."""
    found = _read(name, path).get("auto_map")
    values = (
        list(found.values()) if isinstance(found, dict) else found if isinstance(found, list) else [found]
    )
    for value in values:
        yield from (str(one) for one in (value if isinstance(value, list) else [value]) if one)


def _read(name: str, path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it holds no JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"The model {name!r} cannot be opened: {path} cannot be read ({error}). Copy it again."
        ) from error
    return found


def _allowed(name: str, home: Path) -> set[str]:
    hashes = {one.strip() for one in os.environ.get(VARIABLE, "").split(",")}
    return {*hashes, str(_read(name, home / "models" / ALLOWED_FILE).get(name, ""))} - {""}
