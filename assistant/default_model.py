"""Which model a home uses where nobody chose one: the default, or the one that its checkpoints were tuned from."""

import json
from pathlib import Path

from tuning.checkpoints.manifest import MANIFEST
from tuning.config import DEFAULT_BASE, PLAIN_BASE
from tuning.models.packaged import present_name


def default_base(home: Path) -> str:
    """The default with its skills; without them where checkpoints were tuned before it had any.

    A checkpoint works on the weights that it was tuned from and on no others, so a home that is older than the skills
    keeps its model until a person chooses another one.
    """
    bases = {_base_of(path) for path in (home / "checkpoints").glob(f"*/{MANIFEST}")}
    return PLAIN_BASE if PLAIN_BASE in bases and DEFAULT_BASE not in bases else DEFAULT_BASE


def _base_of(manifest: Path) -> str:
    try:
        value = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    return (
        present_name(str(value.get("base")), str(value.get("base_sha256"))) if isinstance(value, dict) else ""
    )
