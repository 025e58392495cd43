"""What Imprint adds to a base, beside an exported adapter: no hub has a base with it."""

import shutil
from pathlib import Path

from tuning.checkpoints.manifest import Checkpoint
from tuning.config import DEFAULT_BASE
from tuning.models.packaged import PACKAGED
from tuning.storage import write_text

SKILLS = "skills"  # the folder of what is added


def ship_base(checkpoint: Checkpoint, folder: Path) -> None:
    """Put the adapter that belongs to the base into a folder of the export, and say so in its card."""
    packaged = PACKAGED.get(checkpoint.base)
    if packaged is None or packaged.adapter is None:
        return
    (folder / SKILLS).mkdir()
    for name in packaged.adapter.sha256:
        shutil.copyfile(packaged.adapter.folder / name, folder / SKILLS / name)
    card = folder / "README.md"
    write_text(
        card,
        card.read_text(encoding="utf-8")
        + f"\n{checkpoint.base} is {DEFAULT_BASE} with the adapter in `{SKILLS}/` merged into its weights. In another "
        "program, merge that one first, and load this one on top; or export merged weights, which hold both.\n",
    )
