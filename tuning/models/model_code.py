"""Code that comes with a model: refused, unless a person allowed just these files of this model by their hash.

It runs and loads nothing. Allowed are the hashes in IMPRINT_ALLOWED_MODEL_CODE (with commas between), and what the
file `models/allowed_code.json` of the home says: model → hash.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transformers import CONFIG_MAPPING

from tuning.errors import ModelError

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
    if digest in _allowed(name, home) and not any("--" in one for one in references):
        return True
    if _read(name, folder / "config.json").get("model_type") in CONFIG_MAPPING:
        return False  # transformers has classes of its own for it
    raise _refusal(name, folder, home, references, digest)


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
        f"trust them, write {json.dumps({name: digest})} into {home / 'models' / ALLOWED_FILE}."
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
