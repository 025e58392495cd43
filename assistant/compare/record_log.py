"""An append-only JSONL file of records that are looked up by a key. A line that cannot be read is skipped."""

import json
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class RecordLog:
    """Records in one file, appended batch by batch, so that an interrupted run loses at most its last line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Iterator[dict[str, Any]]:
        """Every readable record, oldest first. A text may hold U+2028 and the like: only a line feed ends a line."""
        if not self.path.is_file():
            return
        with self.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            for line in file:
                try:
                    record = json.loads(line)
                except (ValueError, RecursionError):  # half-written by a process that was killed
                    record = None
                if isinstance(record, dict):
                    yield record
                else:
                    log.info("a line of %s is unreadable and was skipped", self.path)

    def append(self, records: Iterable[dict[str, Any]]) -> None:
        """Add records at the end, on a line of their own where the last one was cut off."""
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            if file.tell() and not self._ends_with_line_feed():
                text = "\n" + text
            file.write(text.encode("utf-8", "replace"))

    def _ends_with_line_feed(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, 2)
            return file.read() == b"\n"
