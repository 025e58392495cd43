"""What an examination finds, and where what is damaged is put aside."""

import shutil
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from assistant.home.layout import DAMAGED

# note: worth knowing, nothing is damaged.
Status = Literal["ok", "note", "damaged", "mended"]
# Mends something and says what was done; raises a known error where that fails.
Mend = Callable[[], str]


@dataclass(frozen=True)
class Finding:
    """One part of a home, and its state."""

    part: str  # settings, conversations, knowledge base, vectors, checkpoint, job, model, home, …
    name: str
    status: Status
    message: str = ""
    mend: Mend | None = None  # None where only a person can

    def mended(self) -> "Finding":
        """Mend it. Raises what `mend` raises."""
        assert self.mend is not None
        return replace(self, status="mended", message=self.mend(), mend=None)


class Aside:
    """The folder of one examination for what is damaged; it is made when first needed."""

    def __init__(self, home: Path) -> None:
        self.folder = home / f"{DAMAGED}{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"

    def move(self, path: Path) -> Path:
        """Move a file or folder there."""
        return path.rename(self._place(path))

    def copy(self, path: Path) -> Path:
        """Copy a file there."""
        return Path(shutil.copy2(path, self._place(path)))

    def _place(self, path: Path) -> Path:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        place, number = self.folder / path.name, 1
        while place.exists():
            number += 1
            place = self.folder / f"{path.name}-{number}"
        return place
